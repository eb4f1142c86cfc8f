package coglex

import (
	"errors"
	"fmt"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// MountOptions say how a service is mounted. The zero value mounts all routes
// at the default prefix.
type MountOptions struct {
	// Prefix is the path before the service's routes. Defaults to
	// "/service/<name>/v1"; "/" is no prefix at all.
	Prefix string
	// Only names the routes to mount. Defaults to all.
	Only []string
	// Except names routes to leave out, for a host that serves them itself.
	Except []string
}

// Add makes the App carry services without mounting their routes: they get its
// bus, logger and reservations, and are started and stopped with it. Use it for
// services whose handlers you place by hand. Adding a service again does
// nothing; two services may not share a name.
func (a *App) Add(services ...service.Service) error {
	for _, s := range services {
		if err := a.add(s, ""); err != nil {
			return err
		}
	}
	return nil
}

// Mount adds services and their routes at their default prefixes, guarded by
// the App's key and users. It fails, with nothing of that service mounted, where
// a route lacks its guard or is served already.
func (a *App) Mount(r service.Router, services ...service.Service) error {
	for _, s := range services {
		if err := a.MountWith(r, s, MountOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// MountWith is Mount for one service at a prefix of the host's choice, or with
// some of its routes. A service may be mounted more than once.
func (a *App) MountWith(r service.Router, s service.Service, o MountOptions) error {
	if s == nil {
		return errors.New("coglex: cannot mount a nil service")
	}
	if o.Prefix == "" {
		o.Prefix = "/service/" + s.Name() + "/v1"
	}
	routes, err := choose(s.Routes(), o)
	if err != nil {
		return fmt.Errorf("coglex: mounting %s: %w", s.Name(), err)
	}
	if err := a.add(s, o.Prefix); err != nil {
		return err
	}
	mounted, err := service.Register(r, o.Prefix, a.guards(), routes)
	if err != nil {
		return fmt.Errorf("coglex: mounting %s: %w", s.Name(), err)
	}
	for i := range mounted {
		mounted[i].Service = s.Name()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.routes = append(a.routes, mounted...)
	return nil
}

// add carries a service and tells it its host; prefix is "" where it is not mounted.
func (a *App) add(s service.Service, prefix string) error {
	if s == nil {
		return errors.New("coglex: cannot add a nil service")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var known *carried
	for _, c := range a.services {
		switch {
		case c.Service == s:
			known = c
		case c.Name() == s.Name():
			return fmt.Errorf("coglex: there is another service named %q already", s.Name())
		}
	}
	if known == nil {
		known = &carried{Service: s}
		a.services = append(a.services, known)
	} else if known.prefix != "" || prefix == "" {
		return nil
	}
	known.prefix = prefix
	s.Adopt(service.Host{
		Signals: a.bus, Logger: a.log, BaseURL: a.baseURL, Prefix: prefix,
		Reserved: a.reserved, Draining: a.draining,
	})
	return nil
}

// reserved reports whether a collection belongs to a service of the App.
func (a *App) reserved(ns service.Namespace) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.ContainsFunc(a.services, func(c *carried) bool {
		return slices.Contains(c.Collections(), ns)
	})
}

// guards returns the middlewares behind each need.
func (a *App) guards() service.Guards {
	g := service.Guards{Protected: func(scope string) echo.MiddlewareFunc { return a.Protected(scope) }}
	if a.users != nil {
		g.Identified, g.Authenticated = a.Identified(), a.Authenticated()
	}
	return g
}

// choose returns the routes that the options leave, or names those that do not exist.
func choose(routes []service.Route, o MountOptions) ([]service.Route, error) {
	named := func(name string) bool {
		return slices.ContainsFunc(routes, func(r service.Route) bool { return r.Name == name })
	}
	for _, name := range slices.Concat(o.Only, o.Except) {
		if !named(name) {
			return nil, fmt.Errorf("there is no route named %q", name)
		}
	}
	return slices.DeleteFunc(slices.Clone(routes), func(r service.Route) bool {
		return len(o.Only) > 0 && !slices.Contains(o.Only, r.Name) || slices.Contains(o.Except, r.Name)
	}), nil
}
