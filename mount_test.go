package coglex_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/service"
)

// paths returns what is mounted, as "service name path".
func paths(app *coglex.App) []string {
	var all []string
	for _, m := range app.Routes() {
		all = append(all, m.Service+" "+m.Route.Name+" "+m.Path)
	}
	return all
}

func TestMountServesTheRoutesUnderTheirGuards(t *testing.T) {
	t.Parallel()
	app, e := newApp(t, nil), newEcho()
	if err := app.Mount(e, &fake{name: "one"}, &fake{name: "two"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/service/one/v1", "/service/one/v1/", "/service/two/v1/abc", "/service/two/v1/abc/"} {
		if rec := send(e, "GET", path); rec.Code != 200 {
			t.Errorf("GET %s = %d, want 200", path, rec.Code)
		}
		if rec := send(e, "GET", path, "X-API-Key", "wrong"); rec.Code != 401 || code(t, rec) != "api_key_invalid" {
			t.Errorf("GET %s with a wrong key = %d %s, want 401", path, rec.Code, rec.Body)
		}
	}
	if rec := send(e, "POST", "/service/one/v1/hook", "X-API-Key", ""); rec.Code != 200 {
		t.Errorf("a public route = %d, want 200", rec.Code)
	}
	if rec := send(e, "GET", "/service/one/v2", "X-API-Key", ""); rec.Code != 404 {
		t.Errorf("a path that does not exist = %d, want 404, not a guard's answer", rec.Code)
	}
	want := []string{
		"one list /service/one/v1", "one item /service/one/v1/:id", "one hook /service/one/v1/hook",
		"two list /service/two/v1", "two item /service/two/v1/:id", "two hook /service/two/v1/hook",
	}
	if diff := cmp.Diff(want, paths(app)); diff != "" {
		t.Errorf("Routes (-want +got):\n%s", diff)
	}
}

func TestMountLosesNoRoute(t *testing.T) {
	t.Parallel()
	// Echo keeps routes in a map: one registered twice would be missing here.
	app, e := newApp(t, &coglex.Options{Users: new(people)}), newEcho()
	services := []service.Service{&fake{name: "one"}, &fake{name: "two", need: service.KeyUser}, &fake{name: "three"}}
	if err := app.Mount(e, services...); err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, s := range services {
		declared += 2 * len(s.Routes())
	}
	if got := len(e.Routes()); got != declared {
		t.Errorf("echo has %d routes, want the %d declared", got, declared)
	}
}

func TestMountWith(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		options coglex.MountOptions
		want    []string
		prefix  string
	}{
		"nothing said":          {coglex.MountOptions{}, []string{"one list /service/one/v1", "one item /service/one/v1/:id", "one hook /service/one/v1/hook"}, "/service/one/v1"},
		"a prefix":              {coglex.MountOptions{Prefix: "/api/one"}, []string{"one list /api/one", "one item /api/one/:id", "one hook /api/one/hook"}, "/api/one"},
		"a prefix with slash":   {coglex.MountOptions{Prefix: "/api/"}, []string{"one list /api", "one item /api/:id", "one hook /api/hook"}, "/api"},
		"no prefix":             {coglex.MountOptions{Prefix: "/"}, []string{"one list /", "one item /:id", "one hook /hook"}, ""},
		"only one":              {coglex.MountOptions{Only: []string{"item"}}, []string{"one item /service/one/v1/:id"}, "/service/one/v1"},
		"all but one":           {coglex.MountOptions{Except: []string{"item", "hook"}}, []string{"one list /service/one/v1"}, "/service/one/v1"},
		"only, but not that":    {coglex.MountOptions{Only: []string{"item", "list"}, Except: []string{"list"}}, []string{"one item /service/one/v1/:id"}, "/service/one/v1"},
		"nothing left to mount": {coglex.MountOptions{Prefix: "/api/", Only: []string{"item"}, Except: []string{"item"}}, nil, "/api"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, s := newApp(t, nil), &fake{name: "one"}
			if err := app.MountWith(newEcho(), s, row.options); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, paths(app)); diff != "" {
				t.Errorf("Routes (-want +got):\n%s", diff)
			}
			if got := s.host(t).Prefix; got != row.prefix {
				t.Errorf("the service was told the prefix %q, want %q", got, row.prefix)
			}
		})
	}
}

func TestMountOnAGroupTellsTheFullPrefix(t *testing.T) {
	t.Parallel()
	app, e, s := newApp(t, nil), newEcho(), &fake{name: "one"}
	if err := app.Mount(e.Group("/api"), s); err != nil {
		t.Fatal(err)
	}
	if rec := send(e, "GET", "/api/service/one/v1/abc"); rec.Code != 200 {
		t.Errorf("status = %d, want 200", rec.Code)
	}
	if got := s.host(t).Prefix; got != "/api/service/one/v1" {
		t.Errorf("prefix = %q, want the group's before the default one", got)
	}
	if got := app.Routes()[1].Path; got != "/api/service/one/v1/:id" {
		t.Errorf("path = %q, want the full one", got)
	}
}

func TestMountTwice(t *testing.T) {
	t.Parallel()
	app, e, s := newApp(t, nil), newEcho(), &fake{name: "one"}
	if err := app.Mount(e, s); err != nil {
		t.Fatal(err)
	}
	if err := app.MountWith(e, s, coglex.MountOptions{Prefix: "/again"}); err != nil {
		t.Fatal(err)
	}
	if got := s.host(t).Prefix; len(s.hosts) != 1 || got != "/service/one/v1" {
		t.Errorf("adopted %d times, last with %q: want once, with the first prefix", len(s.hosts), got)
	}
	err := app.Mount(e, s)
	if err == nil || !strings.Contains(err.Error(), "served already") {
		t.Errorf("a second time at one prefix: error = %v, want one", err)
	}
	if got := len(app.Routes()); got != 6 {
		t.Errorf("%d routes, want those of two mounts", got)
	}
}

func TestMountAfterAddTellsThePrefix(t *testing.T) {
	t.Parallel()
	app, e, s := newApp(t, nil), newEcho(), &fake{name: "one"}
	if err := app.Add(s, s); err != nil {
		t.Fatal(err)
	}
	if len(s.hosts) != 1 || s.hosts[0].Prefix != "" {
		t.Fatalf("adopted as %+v, want once without a prefix", s.hosts)
	}
	if err := app.MountWith(e, s, coglex.MountOptions{Prefix: "/"}); err != nil {
		t.Fatal(err)
	}
	if err := app.Add(s); err != nil {
		t.Fatal(err)
	}
	if len(s.hosts) != 2 {
		t.Errorf("adopted %d times, want once more when it was mounted", len(s.hosts))
	}
}

func TestMountRefuses(t *testing.T) {
	t.Parallel()
	var absent *fake
	var nowhere *echo.Echo
	rows := map[string]struct {
		on      service.Router
		service service.Service
		options coglex.MountOptions
		want    string
	}{
		"a nil service":                {newEcho(), nil, coglex.MountOptions{}, "nil service"},
		"a nil pointer":                {newEcho(), absent, coglex.MountOptions{}, "nil service"},
		"a nil router":                 {nowhere, &fake{name: "one"}, coglex.MountOptions{}, "nil router"},
		"an unknown name to mount":     {newEcho(), &fake{name: "one"}, coglex.MountOptions{Only: []string{"lst"}}, `"lst"`},
		"an unknown name to leave out": {newEcho(), &fake{name: "one"}, coglex.MountOptions{Except: []string{"lst"}}, `"lst"`},
		"a prefix without a slash":     {newEcho(), &fake{name: "one"}, coglex.MountOptions{Prefix: "api"}, "slash"},
		"a user's route without users": {newEcho(), &fake{name: "one", need: service.KeyUser}, coglex.MountOptions{}, "Options.Users"},
		"another service of its name":  {newEcho(), &fake{name: "known"}, coglex.MountOptions{}, `"known"`},
		"a service that has no address": {newEcho(), struct {
			*fake
			_ []int
		}{fake: &fake{name: "one"}}, coglex.MountOptions{}, "pointer"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, nil)
			if err := app.Add(&fake{name: "known"}); err != nil {
				t.Fatal(err)
			}
			err := app.MountWith(row.on, row.service, row.options)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error = %v, want one about %s", err, row.want)
			}
			if e, ok := row.on.(*echo.Echo); ok && e != nil && len(e.Routes()) != 0 {
				t.Errorf("%d routes were mounted", len(e.Routes()))
			}
			if len(app.Routes()) != 0 {
				t.Errorf("the App has %d routes", len(app.Routes()))
			}
			if f, ok := row.service.(*fake); ok && f != nil && len(f.hosts) != 0 {
				t.Error("the service was adopted although its mounting failed")
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	app := newApp(t, nil)
	if err := app.Add(&fake{name: "one"}, &fake{name: "one"}); err == nil {
		t.Error("two services of one name were added")
	}
	if err := app.Add(nil); err == nil {
		t.Error("a nil service was added")
	}
}

func TestMountKeepsWhatTheHostServes(t *testing.T) {
	t.Parallel()
	app, e := newApp(t, nil), newEcho()
	e.GET("/service/one/v1/:key", func(c echo.Context) error { return c.String(http.StatusOK, "the host's") })
	if err := app.Mount(e, &fake{name: "one"}); err == nil {
		t.Fatal("the host's route was replaced")
	}
	if err := app.MountWith(e, &fake{name: "one"}, coglex.MountOptions{Except: []string{"item"}}); err != nil {
		t.Fatal(err)
	}
	if rec := send(e, "GET", "/service/one/v1/abc"); rec.Body.String() != "the host's" {
		t.Errorf("body = %q, want the host's", rec.Body)
	}
}

func TestMountWithoutUsersKnowsNobody(t *testing.T) {
	t.Parallel()
	app, e := newApp(t, nil), newEcho()
	if err := app.Mount(e, &fake{name: "one", need: service.KeyMaybeUser}); err != nil {
		t.Fatal(err)
	}
	if rec := send(e, "GET", "/service/one/v1"); rec.Code != 200 {
		t.Errorf("without a token = %d, want 200", rec.Code)
	}
	if rec := send(e, "GET", "/service/one/v1", "Authorization", "Bearer ann"); rec.Code != 401 {
		t.Errorf("with a token = %d, want 401: nobody can tell whose it is", rec.Code)
	}
}

func TestMountOfAUsersRouteAsksForBoth(t *testing.T) {
	t.Parallel()
	app, e := newApp(t, &coglex.Options{Users: new(people)}), newEcho()
	if err := app.Mount(e, &fake{name: "one", need: service.KeyUser}); err != nil {
		t.Fatal(err)
	}
	rows := map[string]struct {
		headers []string
		want    int
		code    string
	}{
		"both":             {[]string{"Authorization", "Bearer ann"}, 200, ""},
		"the key alone":    {nil, 401, "unauthenticated"},
		"the user alone":   {[]string{"Authorization", "Bearer ann", "X-API-Key", "x"}, 401, "api_key_invalid"},
		"neither is right": {[]string{"Authorization", "Bearer bad", "X-API-Key", "x"}, 401, "api_key_invalid"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := send(e, "GET", "/service/one/v1", row.headers...)
			if rec.Code != row.want || row.code != "" && code(t, rec) != row.code {
				t.Errorf("answer = %d %s, want %d %s", rec.Code, rec.Body, row.want, row.code)
			}
		})
	}
}

func TestServicesAreGivenTheirHost(t *testing.T) {
	t.Parallel()
	log := newLines().logger()
	app, s := newApp(t, &coglex.Options{Logger: log, BaseURL: "https://api.example.com"}), &fake{name: "one"}
	if err := app.Mount(newEcho(), s); err != nil {
		t.Fatal(err)
	}
	host := s.host(t)
	if host.Signals != app.Signals() || host.Logger != log || host.BaseURL != "https://api.example.com" {
		t.Errorf("host = %+v, want the App's bus, logger and base URL", host)
	}
	select {
	case <-host.Draining:
		t.Error("the App drains from the start")
	default:
	}
}

func TestReservationsAreToldWhateverTheOrder(t *testing.T) {
	t.Parallel()
	users := service.Namespace{Database: "db", Collection: "_USERS"}
	files := service.Namespace{Database: "db", Collection: "_ARCHIVE"}
	app, e := newApp(t, nil), newEcho()
	first := &fake{name: "storage"}
	second := &fake{name: "auth", collections: []service.Namespace{users}}
	third := &fake{name: "archive", collections: []service.Namespace{files}}
	if err := app.Add(second); err != nil {
		t.Fatal(err)
	}
	if err := app.Mount(e, first); err != nil {
		t.Fatal(err)
	}
	reserved := first.host(t).Reserved
	if !reserved(users) || reserved(files) {
		t.Errorf("reserved = %v, %v, want that of the service added before", reserved(users), reserved(files))
	}
	if err := app.Mount(e, third); err != nil {
		t.Fatal(err)
	}
	for _, ns := range []service.Namespace{users, files} {
		for _, s := range []*fake{first, second, third} {
			if !s.host(t).Reserved(ns) {
				t.Errorf("%s does not know that %v is reserved", s.name, ns)
			}
		}
	}
	for _, ns := range []service.Namespace{
		{Database: "db", Collection: "posts"}, {Database: "other", Collection: "_USERS"}, {Database: "db", Collection: "_users"}, {},
	} {
		if reserved(ns) {
			t.Errorf("%v is reserved", ns)
		}
	}
}

func TestRoutesIsACopy(t *testing.T) {
	t.Parallel()
	app := newApp(t, nil)
	if err := app.Mount(newEcho(), &fake{name: "one"}); err != nil {
		t.Fatal(err)
	}
	app.Routes()[0].Path = "/changed"
	if got := app.Routes()[0].Path; got != "/service/one/v1" {
		t.Errorf("path = %q, want the App's own untouched", got)
	}
}
