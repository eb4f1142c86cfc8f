package auth

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// The names of cookies: one for each collection, so that a person may be signed
// in as a user of several. Browsers accept a name with the second prefix only
// from the host itself, over https and with the path "/".
const (
	cookiePrefix       = "coglex-"
	secureCookiePrefix = "__Host-" + cookiePrefix
)

// Cookies returns the names of the cookies that carry sessions of these
// collections, of all when none is given.
func (s *Service) Cookies(collections ...string) []string {
	if len(collections) == 0 {
		collections = s.opts.Collections
	}
	p := s.place.Load()
	var names []string
	for _, collection := range collections {
		if p.secure || !p.known {
			names = append(names, secureCookiePrefix+collection)
		}
		if !p.secure {
			names = append(names, cookiePrefix+collection)
		}
	}
	return names
}

// CheckOrigin refuses unsafe requests that another origin than the gateway's own,
// or a trusted one, made a browser send. It goes by the headers Sec-Fetch-Site
// and Origin as http.CrossOriginProtection does.
func (s *Service) CheckOrigin(r *http.Request) error {
	if s.place.Load().origins.Check(r) != nil {
		return s.problem(ErrCrossOrigin)
	}
	return nil
}

// checkOriginOfAny is CheckOrigin for what changes something by GET, too.
func (s *Service) checkOriginOfAny(r *http.Request) error {
	unsafe := *r
	unsafe.Method = http.MethodPost
	return s.CheckOrigin(&unsafe)
}

// setCookie gives a browser its session.
func (s *Service) setCookie(c echo.Context, g *Grant) {
	rest := g.User.session.Expires.Sub(g.now)
	s.writeCookie(c, g.User.collection, g.cookie, max(1, int(rest/time.Second)))
}

// clearCookie makes a browser forget its session.
func (s *Service) clearCookie(c echo.Context, collection string) {
	s.writeCookie(c, collection, "", -1)
}

func (s *Service) writeCookie(c echo.Context, collection, value string, maxAge int) {
	secure := s.place.Load().secure
	name := cookiePrefix + collection
	if secure {
		name = secureCookiePrefix + collection
	}
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure wherever the gateway is known to be on https
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
}
