package coglex_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const apiKey = "an-api-key-of-forty-bytes-0123456789abcd"

// fake is a service of two routes, whose lifecycle the test writes. The
// functions may be nil.
type fake struct {
	name        string
	collections []service.Namespace
	need        service.Need
	start       func(context.Context) error
	ready       func(context.Context) error
	stop        func(context.Context) error

	mu    sync.Mutex
	hosts []service.Host
}

func (f *fake) Name() string                     { return f.name }
func (f *fake) Collections() []service.Namespace { return f.collections }
func (f *fake) Start(ctx context.Context) error  { return call(ctx, f.start) }
func (f *fake) Ready(ctx context.Context) error  { return call(ctx, f.ready) }
func (f *fake) Stop(ctx context.Context) error   { return call(ctx, f.stop) }
func call(ctx context.Context, fn func(context.Context) error) error {
	if fn == nil {
		return nil
	}
	return fn(ctx)
}

func (f *fake) Adopt(h service.Host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts = append(f.hosts, h)
}

// host returns what the service was told last.
func (f *fake) host(t *testing.T) service.Host {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.hosts) == 0 {
		t.Fatalf("%s was never adopted", f.name)
	}
	return f.hosts[len(f.hosts)-1]
}

func (f *fake) Routes() []service.Route {
	say := func(text string) echo.HandlerFunc {
		return func(c echo.Context) error { return c.String(http.StatusOK, text) }
	}
	return []service.Route{
		{Name: "list", Method: http.MethodGet, Path: "/", Handler: say("list of " + f.name), Need: f.need, Scope: f.name + ":read"},
		{Name: "item", Method: http.MethodGet, Path: "/:id", Handler: say("item of " + f.name), Need: f.need, Scope: f.name + ":read"},
		{Name: "hook", Method: http.MethodPost, Path: "/hook", Handler: say("hook of " + f.name), Need: service.Public},
	}
}

// person is the one user of people.
type person struct{}

func (person) UserID() string     { return "ann" }
func (person) Collection() string { return "_USERS" }
func (person) SessionID() string  { return "one" }

// people is an Authenticator whose one token is "ann".
type people struct{}

func (*people) Authenticate(_ context.Context, cred middleware.Credential) (middleware.Identity, error) {
	if cred.Token == "ann" {
		return person{}, nil
	}
	return nil, middleware.Unauthenticated()
}
func (*people) Cookies(...string) []string      { return nil }
func (*people) CheckOrigin(*http.Request) error { return nil }

// newApp returns an App that logs nowhere unless the options say where.
func newApp(t *testing.T, opts *coglex.Options) *coglex.App {
	t.Helper()
	var o coglex.Options
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	key := apiKey
	if o.Keys != nil {
		key = ""
	}
	app, err := coglex.New(key, &o)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// newEcho returns an echo that does not write to the terminal.
func newEcho() *echo.Echo {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	return e
}

// send serves one request in the process, with the API key and further headers,
// given as name, value, name, value.
func send(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("X-API-Key", apiKey)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// code returns the code of a problem.
func code(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	var problem struct{ Code string }
	if err := json.Unmarshal(rec.Body.Bytes(), &problem); err != nil {
		t.Fatalf("body %q: %v", rec.Body, err)
	}
	return problem.Code
}

// lines is a log whose lines a test can wait for.
type lines chan map[string]any

func newLines() lines { return make(lines, 100) }

func (l lines) Write(line []byte) (int, error) {
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		return 0, err
	}
	l <- m
	return len(line), nil
}

func (l lines) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

// next waits for the next line with the message.
func (l lines) next(message string) map[string]any {
	for line := range l {
		if line["msg"] == message {
			return line
		}
	}
	return nil
}
