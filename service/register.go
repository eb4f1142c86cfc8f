package service

import (
	"errors"
	"fmt"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/nilness"
)

// Router is where routes are registered: an *echo.Echo or an *echo.Group.
type Router interface {
	Add(method, path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
}

// Guards are the middlewares behind each [Need]. A nil one is an error as soon
// as a route needs it, never an open door.
type Guards struct {
	// Protected returns the middleware that asks for an API key with the scope.
	Protected func(scope string) echo.MiddlewareFunc
	// Identified knows a signed-in user if there is one.
	Identified echo.MiddlewareFunc
	// Authenticated asks for a signed-in user.
	Authenticated echo.MiddlewareFunc
}

// Register adds the routes under prefix, each with and without a trailing
// slash, guarded as its Need says. A prefix of "" or "/" is none. Nothing is
// registered when it returns an error: a route whose guard is missing, a
// malformed row, a name that two rows have, or a method and path that r already
// serves (echo would silently replace the first; this can be seen on an
// *echo.Echo only). All mistakes are returned at once.
//
// It must not run while r serves requests: echo's router is not locked.
func Register(r Router, prefix string, g Guards, routes []Route) ([]Mounted, error) {
	if nilness.Is(r) {
		return nil, errors.New("service: cannot register routes on a nil router")
	}
	prefix = strings.TrimRight(prefix, "/")
	if prefix != "" && !strings.HasPrefix(prefix, "/") {
		return nil, fmt.Errorf("service: prefix %q must begin with a slash", prefix)
	}
	chains, err := check(served(r), prefix, g, routes)
	if err != nil {
		return nil, err
	}
	mounted := make([]Mounted, len(routes))
	for i, route := range routes {
		mounted[i] = Mounted{Route: route, Path: add(r, prefix, route, chains[i])}
	}
	return mounted, nil
}

// check returns the middlewares of each route, or all that is wrong with them.
func check(taken map[string]bool, prefix string, g Guards, routes []Route) ([][]echo.MiddlewareFunc, error) {
	var errs []error
	names := make(map[string]bool, len(routes))
	chains := make([][]echo.MiddlewareFunc, len(routes))
	for i, route := range routes {
		chain, err := g.chain(route)
		if err == nil {
			err = claim(taken, route, prefix+route.Path)
		}
		if err == nil && names[route.Name] {
			err = errors.New("another row has this name")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("service: route %q: %w", route.Name, err))
		}
		names[route.Name] = true
		chains[i] = chain
	}
	return chains, errors.Join(errs...)
}

// add registers both forms of a route and returns its full path, which begins
// with the prefix of the group where r is one.
func add(r Router, prefix string, route Route, chain []echo.MiddlewareFunc) string {
	forms := slashForms(prefix + route.Path)
	path := forms[0]
	if added := r.Add(route.Method, path, route.Handler, chain...); added != nil {
		path = added.Path
	}
	for _, form := range forms[1:] {
		r.Add(route.Method, form, route.Handler, chain...)
	}
	return path
}

// chain returns the middlewares of a route in the order they run.
func (g Guards) chain(route Route) ([]echo.MiddlewareFunc, error) {
	if route.Need == Public {
		return nil, nil
	}
	if g.Protected == nil {
		return nil, errors.New("asks for an API key, but there is no Protected guard")
	}
	chain := []echo.MiddlewareFunc{g.Protected(route.Scope)}
	switch route.Need {
	case Key:
	case KeyMaybeUser:
		if g.Identified == nil {
			return nil, errors.New("knows signed-in users, but there is no Identified guard (set Options.Users)")
		}
		chain = append(chain, g.Identified)
	case KeyUser:
		if g.Authenticated == nil {
			return nil, errors.New("asks for a signed-in user, but there is no Authenticated guard (set Options.Users)")
		}
		chain = append(chain, g.Authenticated)
	default:
		return nil, fmt.Errorf("unknown need %d", route.Need)
	}
	if chain[0] == nil {
		return nil, errors.New("asks for an API key, but the Protected guard made no middleware")
	}
	return chain, nil
}

// served returns the method and path pairs that r serves already, as far as it tells.
func served(r Router) map[string]bool {
	taken := make(map[string]bool)
	if e, ok := r.(*echo.Echo); ok {
		for _, route := range e.Routes() {
			taken[route.Method+" "+anonymous(route.Path)] = true
		}
	}
	return taken
}

// claim notes both slash forms of a route as taken, or says who has them.
func claim(taken map[string]bool, route Route, path string) error {
	if route.Name == "" || route.Method == "" || route.Handler == nil || !strings.HasPrefix(route.Path, "/") {
		return errors.New("needs a name, a method, a handler and a path that begins with a slash")
	}
	for _, form := range slashForms(path) {
		key := route.Method + " " + anonymous(form)
		if taken[key] {
			return fmt.Errorf("%s %s is served already; except it here or register yours afterwards", route.Method, form)
		}
		taken[key] = true
	}
	return nil
}

// slashForms returns a path without and with its trailing slash.
func slashForms(path string) []string {
	bare := strings.TrimRight(path, "/")
	if bare == "" {
		return []string{"/"}
	}
	return []string{bare, bare + "/"}
}

// anonymous blanks the names of path parameters, which echo ignores in telling
// routes apart. A parameter may begin within a segment and ends with it.
func anonymous(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if before, _, found := strings.Cut(part, ":"); found {
			parts[i] = before + ":"
		}
	}
	return strings.Join(parts, "/")
}
