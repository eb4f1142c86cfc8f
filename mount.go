package coglex

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/nilness"
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
		if err := a.check(s); err != nil {
			return err
		}
		a.add(s, nil)
	}
	return nil
}

// Mount adds services and their routes at their default prefixes, guarded by
// the App's key and users. It fails, with nothing of that service mounted or
// added, where a route lacks its guard or is served already.
func (a *App) Mount(r service.Router, services ...service.Service) error {
	for _, s := range services {
		if err := a.MountWith(r, s, MountOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// MountWith is Mount for one service at a prefix of the host's choice, or with
// some of its routes. A service may be mounted more than once; it learns of the
// first prefix only.
func (a *App) MountWith(r service.Router, s service.Service, o MountOptions) error {
	if err := a.check(s); err != nil {
		return err
	}
	prefix := o.Prefix
	if prefix == "" {
		prefix = "/service/" + s.Name() + "/v1"
	}
	routes, err := choose(s.Routes(), o)
	if err != nil {
		return fmt.Errorf("coglex: mounting %s: %w", s.Name(), err)
	}
	mounted, err := service.Register(r, prefix, a.guards(), routes)
	if err != nil {
		return fmt.Errorf("coglex: mounting %s: %w", s.Name(), err)
	}
	for i := range mounted {
		mounted[i].Service = s.Name()
	}
	if len(mounted) > 0 {
		// As mounted on an echo group, whose own prefix goes before.
		prefix = strings.TrimSuffix(mounted[0].Path, strings.TrimRight(mounted[0].Route.Path, "/"))
	}
	a.add(s, &prefix)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.routes = append(a.routes, mounted...)
	return nil
}

// check returns an error for a service that the App cannot carry.
func (a *App) check(s service.Service) error {
	if nilness.Is(s) {
		return errors.New("coglex: cannot carry a nil service")
	}
	if !reflect.TypeOf(s).Comparable() {
		return fmt.Errorf("coglex: %T cannot be told from others: give a pointer", s)
	}
	for _, c := range a.carried() {
		if c.Service != s && c.Name() == s.Name() {
			return fmt.Errorf("coglex: there is another service named %q already", s.Name())
		}
	}
	return nil
}

// add carries a service and tells it its host; prefix is nil where it is not
// mounted.
func (a *App) add(s service.Service, prefix *string) {
	c, news := a.carry(s, prefix != nil)
	if !news {
		return
	}
	host := service.Host{
		Signals: a.bus, Logger: a.log, BaseURL: a.baseURL, Reserved: a.isReserved, Draining: a.draining,
	}
	if prefix != nil {
		host.Prefix = strings.TrimRight(*prefix, "/")
	}
	c.Adopt(host)
}

// carry returns the service as the App carries it, and whether the service has
// yet to hear of it.
func (a *App) carry(s service.Service, mounted bool) (c *carried, news bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.services, func(c *carried) bool { return c.Service == s })
	if i < 0 {
		c = &carried{Service: s, mounted: mounted}
		a.services = append(a.services, c)
		for _, ns := range s.Collections() {
			a.reserved[ns] = true
		}
		return c, true
	}
	c = a.services[i]
	news = mounted && !c.mounted
	c.mounted = c.mounted || mounted
	return c, news
}

// isReserved reports whether a collection belongs to a service of the App.
func (a *App) isReserved(ns service.Namespace) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.reserved[ns]
}

// guards returns the middlewares behind each need.
func (a *App) guards() service.Guards {
	g := service.Guards{
		Protected:  func(scope string) echo.MiddlewareFunc { return a.Protected(scope) },
		Identified: a.Identified(),
	}
	if a.users != nil {
		g.Authenticated = a.Authenticated()
	}
	return g
}

// names returns the names of routes.
func names(routes []service.Route) []string {
	list := make([]string, len(routes))
	for i, r := range routes {
		list[i] = r.Name
	}
	return list
}

// choose returns the routes that the options leave, or names those that do not exist.
func choose(routes []service.Route, o MountOptions) ([]service.Route, error) {
	named := func(name string) bool {
		return slices.ContainsFunc(routes, func(r service.Route) bool { return r.Name == name })
	}
	for _, name := range slices.Concat(o.Only, o.Except) {
		if !named(name) {
			return nil, fmt.Errorf("there is no route named %q; there are %s", name, strings.Join(names(routes), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(routes), func(r service.Route) bool {
		return len(o.Only) > 0 && !slices.Contains(o.Only, r.Name) || slices.Contains(o.Except, r.Name)
	}), nil
}
