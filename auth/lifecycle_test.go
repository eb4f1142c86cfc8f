package auth_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

func TestBeforeStart(t *testing.T) {
	t.Parallel()
	g := assemble(t, dbtest.Database(t), fast())
	for _, r := range []request{
		post(prefix+"/signup", signinBody("ada", pass)),
		post(prefix+"/signin", signinBody("ada", pass)),
		{method: http.MethodGet, path: prefix + "/users/ada", key: true},
		{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: `{"document":{"a":1}}`},
		{method: http.MethodDelete, path: prefix + "/users/ada", key: true},
	} {
		a := g.want(r, http.StatusServiceUnavailable, "not_started")
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After = %q", a.header.Get("Retry-After"))
		}
	}
	if err := g.users.Ready(t.Context()); !errors.Is(err, auth.ErrNotStarted) {
		t.Errorf("Ready = %v", err)
	}
	for range 2 {
		if err := g.users.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.users.Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
	g.signup("ada")
	for range 2 {
		if err := g.users.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	g.want(post(prefix+"/signin", signinBody("ada", pass)), http.StatusServiceUnavailable, "not_started")
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	users, err := auth.New(dbtest.Database(t), secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStartIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	users, err := auth.New(dbtest.Database(t), secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := users.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Start = %v", err)
	}
	if err := users.Start(t.Context()); err != nil {
		t.Errorf("Start again = %v", err)
	}
	if err := users.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	r := &recorder{held: map[string]int{}, swept: make(chan struct{})}
	o := limited()
	o.Limiter, o.SweepInterval = r, time.Millisecond
	g := newGateway(t, o)
	for range 3 { // it goes on though each sweep fails
		select {
		case <-r.swept:
		case <-t.Context().Done():
			t.Fatal("no sweep")
		}
	}
	if err := g.users.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.swept:
		t.Error("a sweep after Stop")
	default:
	}
}

// stuck is a limiter whose sweep does not end.
type stuck struct {
	recorder
	begun, end chan struct{}
}

func (s *stuck) Sweep(context.Context) (int64, error) {
	close(s.begun)
	<-s.end
	return 0, nil
}

func TestStopWaits(t *testing.T) {
	t.Parallel()
	s := &stuck{recorder: recorder{held: map[string]int{}}, begun: make(chan struct{}), end: make(chan struct{})}
	o := limited()
	o.Limiter, o.SweepInterval = s, time.Millisecond
	g := newGateway(t, o)
	<-s.begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.users.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop = %v before the sweep has ended", err)
	}
	close(s.end)
	if err := g.users.Stop(t.Context()); err != nil {
		t.Errorf("Stop = %v", err)
	}
}

func TestLimitsAreSweptInTheDatabase(t *testing.T) {
	t.Parallel()
	o := limited()
	o.SweepInterval = time.Millisecond
	g := newGateway(t, o)
	g.try("ada", "wrong horse", "")
	limits := g.db.Collection(auth.LimitsCollection)
	g.clock.Add(2 * time.Hour)
	for n := int64(1); n > 0; {
		var err error
		if n, err = limits.CountDocuments(t.Context(), struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
}

// Not parallel: it counts the goroutines of the process.
func TestNothingIsLeftRunning(t *testing.T) { //nolint:paralleltest // see above
	db := dbtest.Database(t)
	before := goleak.IgnoreCurrent()
	users, err := auth.New(db, secret, limited())
	if err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before, driver())
	for range 3 {
		if err := users.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := users.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	goleak.VerifyNone(t, before, driver())
}

// driver ignores what the database's client may start at any time.
func driver() goleak.Option {
	return goleak.IgnoreAnyFunction("go.mongodb.org/mongo-driver/x/mongo/driver/topology.(*pool).createConnections")
}

func TestServiceTellsWhatItIs(t *testing.T) {
	t.Parallel()
	o := fast()
	o.Collections = []string{"users"}
	g := assemble(t, dbtest.Database(t), o)
	var names []string
	for _, ns := range g.users.Collections() {
		if ns.Database != g.db.Name() {
			t.Errorf("database = %q", ns.Database)
		}
		names = append(names, ns.Collection)
	}
	if diff := cmp.Diff([]string{"users", "_USERS", "_LIMITS"}, names); diff != "" {
		t.Errorf("Collections (-want +got):\n%s", diff)
	}
	if g.users.Name() != "auth" {
		t.Errorf("Name = %q", g.users.Name())
	}
	seen := map[string]bool{}
	for _, r := range g.users.Routes() {
		if r.Doc == nil || r.Doc.Description == "" || len(r.Doc.Codes) == 0 || r.Summary == "" || r.Scope == "" || seen[r.Name] || r.Need == service.Public {
			t.Errorf("route %+v lacks something", r)
		}
		seen[r.Name] = true
	}
}

// Two handlers mounted alone, without any App, under echo's own error handler.
func TestHandlersAlone(t *testing.T) {
	t.Parallel()
	users, err := auth.New(dbtest.Database(t), secret, limited())
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.POST("/join", users.HandleSignup)
	e.POST("/enter", users.HandleSignin)
	e.GET("/me", func(c echo.Context) error {
		u, _ := auth.FromContext(c.Request().Context())
		return c.JSON(http.StatusOK, u)
	}, users.Authenticated())
	send := func(method, path, body, bearer string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w
	}
	if w := send(http.MethodPost, "/join", signinBody("ada", pass), ""); w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != service.MediaTypeProblem {
		t.Errorf("before Start: %d %v", w.Code, w.Header())
	}
	if err := users.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer users.Stop(t.Context())
	if w := send(http.MethodPost, "/join", signinBody("ada", pass), ""); w.Code != http.StatusCreated {
		t.Errorf("join: %d %s", w.Code, w.Body)
	}
	if w := send(http.MethodPost, "/join", signinBody("ada", pass), ""); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "key_exists") {
		t.Errorf("join again: %d %s", w.Code, w.Body)
	}
	grant, err := users.SignIn(t.Context(), auth.Credentials{Key: "ada", Password: pass})
	if err != nil {
		t.Fatal(err)
	}
	if w := send(http.MethodGet, "/me", "", grant.AccessToken); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"ada"`) {
		t.Errorf("me: %d %s", w.Code, w.Body)
	}
	if w := send(http.MethodGet, "/me", "", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("me without a token: %d", w.Code)
	}
}

// The database dies: answers are 503 within the client's server selection, and the
// service is there again when the database is.
func TestDatabaseDies(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	db := dbtest.Connect(t, server.URI()).Database(dbtest.Name())
	g := newGatewayOn(t, db, limited())
	g.signup("ada")
	in := g.signin("ada")
	server.Kill()
	requests := []request{
		post(prefix+"/signup", signinBody("bob", pass)),
		post(prefix+"/signin", signinBody("ada", pass)),
		again(in.refresh),
		{method: http.MethodGet, path: "/me", bearer: in.access},
		{method: http.MethodGet, path: "/maybe", bearer: in.access},
		{method: http.MethodGet, path: "/who", cookie: in.cookie},
		{method: http.MethodGet, path: "/out", bearer: in.access},
		{method: http.MethodGet, path: prefix + "/users/ada", key: true},
		{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: `{"document":{"a":1}}`},
	}
	var wg sync.WaitGroup
	for _, r := range requests {
		wg.Go(func() {
			begun := time.Now()
			a := g.do(r)
			if a.status != http.StatusServiceUnavailable || a.code() != "database_unavailable" || a.header.Get("Retry-After") == "" {
				t.Errorf("%s %s: %d %s, Retry-After %q", r.method, r.path, a.status, a.text, a.header.Get("Retry-After"))
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("%s %s: after %s", r.method, r.path, took)
			}
		})
	}
	wg.Wait()
	if err := g.users.Ready(t.Context()); err == nil {
		t.Error("Ready without a database")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for _, r := range requests[3:6] {
		for g.do(r).status == http.StatusServiceUnavailable {
			if t.Context().Err() != nil {
				t.Fatal("the database is back, the service is not")
			}
		}
		g.want(r, http.StatusOK, "")
	}
}

// A broken database is never taken for a wrong password or an anonymous caller.
func TestAuthenticateFailsClosed(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	g := newGatewayOn(t, dbtest.Connect(t, server.URI()).Database(dbtest.Name()), fast())
	g.signup("ada")
	in := g.signin("ada")
	server.Kill()
	id, err := g.users.Authenticate(t.Context(), middleware.Credential{Token: in.access})
	p, ok := errors.AsType[*service.Problem](err)
	if id != nil || !ok || p.Status != http.StatusServiceUnavailable {
		t.Errorf("Authenticate = %v, %v", id, err)
	}
}

func TestLoggerOfTheOptions(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	o := limited()
	o.Logger = slog.New(slog.NewTextHandler(&text, nil))
	g := newGateway(t, o)
	g.users.Adopt(service.Host{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), BaseURL: "nonsense", Prefix: prefix})
	if !strings.Contains(text.String(), "base URL") {
		t.Errorf("log = %q", text.String())
	}
}

// Guards log where the service does.
func TestLogger(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	o := fast()
	o.Logger = log.logger()
	g := newGateway(t, o)
	g.users.Logger().Info("here")
	if !strings.Contains(log.String(), "here") {
		t.Errorf("log = %q", log.String())
	}
}
