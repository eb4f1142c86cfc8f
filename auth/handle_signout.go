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

// HandleSignout ends the session of the token or refresh token that the request
// brings, or those of all its cookies, and makes the browser forget them: GET and POST /signout and
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
// header or cookies, of all collections where the path names none.
func (s *Service) presented(c echo.Context, collection string) ([]sessionRef, error) {
	var refs []sessionRef
	if strict.HasBody(c.Request()) {
		var body refreshRequest
		if err := strict.Body(c, maxSmallBody, &body); err != nil {
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
	more, err := s.presentedByHeader(c, collection)
	if err != nil {
		return nil, err
	}
	refs = append(refs, more...)
	for _, ref := range refs {
		if collection != "" && ref.collection != collection {
			return nil, ErrTokenInvalid
		}
	}
	return refs, nil
}

// presentedByHeader returns the session of the bearer token, or those of all
// cookies. A bad cookie is refused only where there is no good one.
func (s *Service) presentedByHeader(c echo.Context, collection string) ([]sessionRef, error) {
	creds, err := s.credentials(c.Request(), collection)
	if err != nil || len(creds) == 0 {
		return nil, err
	}
	if creds[0].Cookie {
		if err := s.checkOriginOfAny(c.Request()); err != nil {
			return nil, err
		}
	}
	var refs []sessionRef
	for _, cred := range creds {
		ref, fault := s.readEvenExpired(cred, s.now())
		if fault != nil {
			err = fault
			continue
		}
		refs = append(refs, ref)
	}
	if len(refs) > 0 {
		return refs, nil
	}
	return nil, err
}

// credentials returns the bearer token of a request, else the cookies of a
// collection, of each where none is named.
func (s *Service) credentials(r *http.Request, collection string) ([]middleware.Credential, error) {
	collections := s.opts.Collections
	if collection != "" {
		collections = []string{collection}
	}
	var all []middleware.Credential
	for _, name := range collections {
		creds, err := middleware.CredentialsOf(r, s.Cookies(name))
		if err != nil {
			return nil, err
		}
		all = append(all, creds...)
		if len(creds) > 0 && !creds[0].Cookie {
			break
		}
	}
	return all, nil
}
