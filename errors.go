package coglex

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// Errors returns a middleware by which handlers of your own may return the errors of
// services as they are, and a *service.Problem for refusals of their own: they are
// answered as the services' own routes answer them. So are paths and methods that no
// route has. Any other error, and a panic, is a bare 500 with code "internal", whose
// cause is in the log under the request id. An *echo.HTTPError is left alone.
//
//	e.Use(app.Errors())
//
// It knows the services that the App has when an error comes, in the order in which
// they were added.
func (a *App) Errors() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer service.Edge(c, a.log, &err, a.rule, unrouted)
			if err = next(c); err == echo.ErrNotFound || err == echo.ErrMethodNotAllowed { //nolint:errorlint // those of the router, as they are
				return unroutedError{err}
			}
			return err
		}
	}
}

// rule is the rules of all services of the App.
func (a *App) rule(err error) *service.Problem {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, s := range a.services {
		if r, ok := s.Service.(service.Ruler); ok {
			for _, rule := range r.Rules() {
				if p := rule(err); p != nil {
					return p
				}
			}
		}
	}
	return nil
}

// unroutedError hides from [service.Edge] that an error is echo's.
type unroutedError struct{ err error }

// Error returns echo's text.
func (e unroutedError) Error() string { return e.err.Error() }

// unrouted returns the problem of a request that no route is for.
func unrouted(err error) *service.Problem {
	e, ok := err.(unroutedError) //nolint:errorlint // made here, and wrapped by nobody
	switch {
	case !ok:
		return nil
	case e.err == echo.ErrMethodNotAllowed: //nolint:errorlint // as above
		return &service.Problem{
			Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "The route has other methods: see the Allow header.",
		}
	}
	return service.NoRoute()
}
