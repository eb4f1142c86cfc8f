package auth

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

type signoutAnswer struct {
	SignedOut bool `json:"signed_out"`
}

// HandleSignout ends the session of the token, cookie or refresh token that the
// request brings, and makes the browser forget it: GET and POST /signout and
// /signout/:collection. It succeeds again and again, and for a request that
// brings nothing, such as that of a browser that has forgotten already.
func (s *Service) HandleSignout(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.rules...)
	noStore(c)
	if err := noQuery(c); err != nil {
		return err
	}
	collection, err := s.pathCollection(c)
	if err != nil {
		return err
	}
	refs, err := s.presented(c, collection)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := s.signOut(c.Request().Context(), ref); err != nil {
			return err
		}
		s.clearCookie(c, ref.collection)
	}
	return c.JSON(http.StatusOK, signoutAnswer{SignedOut: true})
}

// presented returns the sessions that a request names, by refresh token and by
// header or cookie, of any collection where the path names none.
func (s *Service) presented(c echo.Context, collection string) ([]sessionRef, error) {
	var refs []sessionRef
	if strict.HasBody(c.Request()) {
		var body refreshRequest
		if err := strict.Body(c, strict.MaxBody, &body); err != nil {
			return nil, err
		}
		if body.RefreshToken != nil {
			ref, _, err := s.readRefresh(*body.RefreshToken)
			if err != nil {
				return nil, err
			}
			refs = append(refs, ref)
		}
	}
	ref, err := s.presentedByHeader(c, collection)
	if err != nil {
		return nil, err
	}
	if ref != nil {
		refs = append(refs, *ref)
	}
	for _, ref := range refs {
		if collection != "" && ref.collection != collection {
			return nil, ErrTokenInvalid
		}
	}
	return refs, nil
}

// presentedByHeader returns the session of the bearer token or the cookie, nil
// where there is neither.
func (s *Service) presentedByHeader(c echo.Context, collection string) (*sessionRef, error) {
	var allowed []string
	if collection != "" {
		allowed = []string{collection}
	}
	cred, err := middleware.CredentialOf(c.Request(), s.Cookies(allowed...))
	if err != nil || cred == nil {
		return nil, err
	}
	if cred.Cookie {
		if err := s.checkOriginOfAny(c.Request()); err != nil {
			return nil, err
		}
	}
	ref, err := s.readEvenExpired(*cred, s.now())
	if err != nil {
		return nil, err
	}
	return &ref, nil
}
