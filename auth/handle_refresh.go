package auth

import (
	"errors"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

type refreshRequest struct {
	RefreshToken *string `json:"refresh_token"`
}

// HandleRefresh continues a session with new tokens: POST /refresh.
func (s *Service) HandleRefresh(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	if err := noQuery(c); err != nil {
		return err
	}
	var body refreshRequest
	if err := strict.Body(c, maxSmallBody, &body); err != nil {
		return err
	}
	if body.RefreshToken == nil {
		return service.Invalid("refresh_token", "is required")
	}
	grant, err := s.Refresh(c.Request().Context(), *body.RefreshToken, client(c))
	if errors.Is(err, ErrSessionExpired) || errors.Is(err, ErrRefreshTokenReused) {
		s.clearCookieOf(c, *body.RefreshToken)
	}
	if err != nil {
		return err
	}
	return s.writeGrant(c, grant)
}

// clearCookieOf makes a browser forget the session of a genuine refresh token.
func (s *Service) clearCookieOf(c echo.Context, refreshToken string) {
	if ref, _, err := s.readRefresh(refreshToken); err == nil {
		s.clearCookie(c, ref.collection)
	}
}
