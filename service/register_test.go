package service_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// guards returns middlewares that write their names into the header Guard.
func guards() service.Guards {
	named := func(name string) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.Response().Header().Add("Guard", name)
				return next(c)
			}
		}
	}
	return service.Guards{
		Protected:     func(scope string) echo.MiddlewareFunc { return named("key:" + scope) },
		Identified:    named("maybe"),
		Authenticated: named("user"),
	}
}

// route returns a row whose handler answers with the path as echo knows it.
func route(name, path string, need service.Need) service.Route {
	return service.Route{
		Name: name, Method: http.MethodGet, Path: path, Scope: "test:read", Need: need,
		Handler: func(c echo.Context) error { return c.String(http.StatusOK, name) },
	}
}

// answer serves one request in the process.
func answer(e *echo.Echo, method, target string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	return rec
}

func TestRegisterAnswersBothSlashForms(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		prefix, path string
		targets      []string
		mounted      string
	}{
		"under a prefix":         {"/p", "/x", []string{"/p/x", "/p/x/"}, "/p/x"},
		"a prefix with a slash":  {"/p/", "/x", []string{"/p/x", "/p/x/"}, "/p/x"},
		"no prefix":              {"", "/x", []string{"/x", "/x/"}, "/x"},
		"a slash for a prefix":   {"/", "/x", []string{"/x", "/x/"}, "/x"},
		"the root of a prefix":   {"/p", "/", []string{"/p", "/p/"}, "/p"},
		"the root of the server": {"", "/", []string{"/"}, "/"},
		"a slash at the end":     {"/p", "/x/", []string{"/p/x", "/p/x/"}, "/p/x"},
		"a parameter at the end": {"/p", "/:id", []string{"/p/abc", "/p/abc/"}, "/p/:id"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := echo.New()
			mounted, err := service.Register(e, row.prefix, guards(), []service.Route{route("it", row.path, service.Key)})
			if err != nil {
				t.Fatal(err)
			}
			for _, target := range row.targets {
				if rec := answer(e, http.MethodGet, target); rec.Code != http.StatusOK || rec.Body.String() != "it" {
					t.Errorf("GET %s = %d %q, want the route", target, rec.Code, rec.Body)
				}
			}
			if len(mounted) != 1 || mounted[0].Path != row.mounted {
				t.Errorf("mounted = %+v, want the path %s", mounted, row.mounted)
			}
			if got := len(e.Routes()); got != len(row.targets) {
				t.Errorf("echo has %d routes, want %d", got, len(row.targets))
			}
		})
	}
}

func TestRegisterRunsTheGuardsOfTheNeed(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		need service.Need
		want []string
	}{
		"a key":                     {service.Key, []string{"key:test:read"}},
		"a key, and a user perhaps": {service.KeyMaybeUser, []string{"key:test:read", "maybe"}},
		"a key and a user":          {service.KeyUser, []string{"key:test:read", "user"}},
		"nothing":                   {service.Public, nil},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := echo.New()
			if _, err := service.Register(e, "/p", guards(), []service.Route{route("it", "/x", row.need)}); err != nil {
				t.Fatal(err)
			}
			for _, target := range []string{"/p/x", "/p/x/"} {
				got := answer(e, http.MethodGet, target).Header().Values("Guard")
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("guards of %s (-want +got):\n%s", target, diff)
				}
			}
		})
	}
}

func TestRegisterZeroNeedIsTheKey(t *testing.T) {
	t.Parallel()
	var forgotten service.Need
	if forgotten != service.Key {
		t.Fatalf("the zero Need is %s, want Key", forgotten)
	}
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	none := func(change func(*service.Guards)) service.Guards {
		g := guards()
		change(&g)
		return g
	}
	bad := func(change func(*service.Route)) service.Route {
		r := route("bad", "/bad", service.Key)
		change(&r)
		return r
	}
	rows := map[string]struct {
		prefix string
		guards service.Guards
		route  service.Route
		want   string
	}{
		"a missing key guard":        {"/p", none(func(g *service.Guards) { g.Protected = nil }), route("bad", "/bad", service.Key), `"bad"`},
		"a key guard that makes nil": {"/p", none(func(g *service.Guards) { g.Protected = func(string) echo.MiddlewareFunc { return nil } }), route("bad", "/bad", service.Key), "no middleware"},
		"a missing Identified":       {"/p", none(func(g *service.Guards) { g.Identified = nil }), route("bad", "/bad", service.KeyMaybeUser), "Identified"},
		"a missing Authenticated":    {"/p", none(func(g *service.Guards) { g.Authenticated = nil }), route("bad", "/bad", service.KeyUser), "Authenticated"},
		"an unknown need":            {"/p", guards(), route("bad", "/bad", 99), "unknown need"},
		"a route without a handler":  {"/p", guards(), bad(func(r *service.Route) { r.Handler = nil }), "handler"},
		"a route without a method":   {"/p", guards(), bad(func(r *service.Route) { r.Method = "" }), "method"},
		"a route without a name":     {"/p", guards(), bad(func(r *service.Route) { r.Name = "" }), "name"},
		"a path without a slash":     {"/p", guards(), bad(func(r *service.Route) { r.Path = "x" }), "slash"},
		"a prefix without a slash":   {"p", guards(), route("bad", "/bad", service.Key), "slash"},
		"a path given twice":         {"/p", guards(), route("bad", "/good/", service.Key), "served already"},
		"a name given twice":         {"/p", guards(), route("good", "/other", service.Key), "name"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := echo.New()
			good := route("good", "/good", service.Public)
			mounted, err := service.Register(e, row.prefix, row.guards, []service.Route{good, row.route})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error = %v, want one about %s", err, row.want)
			}
			if mounted != nil || len(e.Routes()) != 0 {
				t.Errorf("%d routes were mounted, %d are in echo, want none", len(mounted), len(e.Routes()))
			}
		})
	}
}

func TestRegisterNamesAllMistakes(t *testing.T) {
	t.Parallel()
	_, err := service.Register(echo.New(), "", service.Guards{}, []service.Route{
		route("one", "/one", service.Key), route("two", "/two", service.KeyUser),
	})
	if err == nil || !strings.Contains(err.Error(), `"one"`) || !strings.Contains(err.Error(), `"two"`) {
		t.Errorf("error = %v, want both routes named", err)
	}
}

func TestRegisterRefusesANilRouter(t *testing.T) {
	t.Parallel()
	var absent *echo.Echo
	for _, r := range []service.Router{nil, absent} {
		if _, err := service.Register(r, "", guards(), nil); err == nil {
			t.Errorf("Register on %#v returned no error", r)
		}
	}
}

func TestRegisterSeesWhatEchoServes(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		served, path string
		taken        bool
	}{
		"the same path":                       {"/p/x", "/x", true},
		"the form with a slash":               {"/p/x/", "/x", true},
		"a parameter of another name":         {"/p/:key", "/:id", true},
		"a parameter within, of another name": {"/p/:key/sub", "/:id/sub", true},
		"a parameter that begins midway":      {"/p/v:key", "/v:id", true},
		"another path":                        {"/p/y", "/x", false},
		"a word where ours has a parameter":   {"/p/x", "/:id", false},
		"a parameter where ours has a word":   {"/p/:id", "/x", false},
		"another prefix within the segment":   {"/p/w:key", "/v:id", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := echo.New()
			e.GET(row.served, func(c echo.Context) error { return c.String(http.StatusOK, "the host's") })
			_, err := service.Register(e, "/p", guards(), []service.Route{route("it", row.path, service.Key)})
			if taken := err != nil; taken != row.taken {
				t.Errorf("%s after %s: error %v, want one: %v", row.path, row.served, err, row.taken)
			}
			if row.taken && len(e.Routes()) != 1 {
				t.Errorf("echo has %d routes, want the host's only", len(e.Routes()))
			}
		})
	}
}

func TestRegisterAllowsAnotherMethod(t *testing.T) {
	t.Parallel()
	e := echo.New()
	e.POST("/p/x", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	if _, err := service.Register(e, "/p", guards(), []service.Route{route("it", "/x", service.Key)}); err != nil {
		t.Fatal(err)
	}
	if rec := answer(e, http.MethodPost, "/p/x"); rec.Code != http.StatusNoContent {
		t.Errorf("the host's POST = %d, want 204", rec.Code)
	}
}

func TestRegisterOnAGroupTellsTheFullPath(t *testing.T) {
	t.Parallel()
	e := echo.New()
	mounted, err := service.Register(e.Group("/api").Group("/v2"), "/p", guards(), []service.Route{
		route("x", "/x", service.Key), route("root", "/", service.Key),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mounted {
		got = append(got, m.Path)
		if rec := answer(e, http.MethodGet, m.Path); rec.Code != http.StatusOK {
			t.Errorf("GET %s = %d, want 200", m.Path, rec.Code)
		}
	}
	if diff := cmp.Diff([]string{"/api/v2/p/x", "/api/v2/p"}, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// quietRouter is a router of a host's own that returns no route.
type quietRouter map[string]bool

func (q quietRouter) Add(method, path string, _ echo.HandlerFunc, _ ...echo.MiddlewareFunc) *echo.Route {
	q[method+" "+path] = true
	return nil
}

func TestRegisterOnARouterOfTheHosts(t *testing.T) {
	t.Parallel()
	q := quietRouter{}
	mounted, err := service.Register(q, "/p", guards(), []service.Route{route("it", "/x", service.Key)})
	if err != nil {
		t.Fatal(err)
	}
	if mounted[0].Path != "/p/x" {
		t.Errorf("path = %s, want /p/x", mounted[0].Path)
	}
	if diff := cmp.Diff([]string{"GET /p/x", "GET /p/x/"}, slices.Sorted(maps.Keys(q))); diff != "" {
		t.Errorf("registered (-want +got):\n%s", diff)
	}
}

func TestNeedString(t *testing.T) {
	t.Parallel()
	got := []string{
		service.Key.String(), service.KeyMaybeUser.String(), service.KeyUser.String(),
		service.Public.String(), service.Need(99).String(),
	}
	if diff := cmp.Diff([]string{"Key", "KeyMaybeUser", "KeyUser", "Public", "Need(?)"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
