package auth

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

type passwordRequest struct {
	Current *string `json:"current"`
	New     *string `json:"new"`
}

// HandlePassword changes the password of the signed-in user: POST /password.
func (s *Service) HandlePassword(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	if err := noQuery(c); err != nil {
		return err
	}
	user, err := s.caller(c)
	if err != nil {
		return err
	}
	var body passwordRequest
	if err := strict.Body(c, maxSmallBody, &body); err != nil {
		return err
	}
	if body.Current == nil {
		return service.Invalid("current", "is required")
	}
	if body.New == nil {
		return service.Invalid("new", "is required")
	}
	change := PasswordChange{Current: *body.Current, New: *body.New, Client: client(c)}
	if err := s.ChangePassword(c.Request().Context(), user, change); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
