package auth_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"golang.org/x/crypto/bcrypt"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

const (
	apiKey = "an-api-key-that-is-long-enough-1234567890"
	secret = "a-server-secret-that-is-long-enough-12345"
	prefix = "/service/auth/v1"
	pass   = "correct horse"
)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// gateway is an echo app with the service's routes behind an API key, and some of
// its handlers and a route of the host's own without.
type gateway struct {
	t      *testing.T
	db     *mongo.Database
	echo   *echo.Echo
	users  *auth.Service
	bus    *signals.Bus
	events *signalstest.Recorder[any]
	clock  *clock
}

// fast returns options with which hashing takes no time and nothing is limited.
func fast() *auth.Options { return &auth.Options{Cost: bcrypt.MinCost, NoLimits: true} }

// newGateway returns a started gateway on an empty database of its own.
func newGateway(t *testing.T, opts *auth.Options) *gateway {
	t.Helper()
	return newGatewayOn(t, dbtest.Database(t), opts)
}

func newGatewayOn(t *testing.T, db *mongo.Database, opts *auth.Options) *gateway {
	t.Helper()
	g := assemble(t, db, opts)
	if err := g.users.Start(t.Context()); err != nil {
		t.Fatalf("Start: %v", err)
	}
	return g
}

// assemble returns a gateway that has not started.
func assemble(t *testing.T, db *mongo.Database, opts *auth.Options) *gateway {
	t.Helper()
	g := &gateway{t: t, db: db, echo: echo.New(), bus: signalstest.NewBus(t), clock: newClock()}
	o := *opts
	if o.Now == nil {
		o.Now = g.clock.Now
	}
	users, err := auth.New(db, secret, &o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	g.users = users
	g.events = signalstest.RecordAll(t, g.bus)
	users.Adopt(service.Host{Signals: g.bus, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Prefix: prefix})
	t.Cleanup(func() {
		if err := users.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	g.mount()
	return g
}

func (g *gateway) mount() {
	g.t.Helper()
	keys, err := middleware.NewKeys(apiKey)
	if err != nil {
		g.t.Fatal(err)
	}
	guards := service.Guards{
		Protected:     func(scope string) echo.MiddlewareFunc { return middleware.Protected(keys, scope) },
		Identified:    middleware.Identified(g.users),
		Authenticated: middleware.Authenticated(g.users),
	}
	if _, err := service.Register(g.echo, prefix, guards, g.users.Routes()); err != nil {
		g.t.Fatal(err)
	}
	g.echo.POST("/join", g.users.HandleSignup)
	g.echo.POST("/in", g.users.HandleSignin)
	g.echo.POST("/in/:collection", g.users.HandleSignin)
	g.echo.POST("/again", g.users.HandleRefresh)
	g.echo.Any("/out", g.users.HandleSignout)
	g.echo.Any("/out/:collection", g.users.HandleSignout)
	g.echo.GET("/who", g.users.HandleSession)
	g.echo.GET("/who/:collection", g.users.HandleSession)
	g.echo.GET("/devices", g.users.HandleSessions)
	g.echo.DELETE("/devices", g.users.HandleEndSessions)
	g.echo.DELETE("/devices/:id", g.users.HandleEndSession)
	g.echo.POST("/pass", g.users.HandlePassword)
	me := func(c echo.Context) error {
		u, ok := auth.FromContext(c.Request().Context())
		if !ok {
			return c.JSON(http.StatusOK, nil)
		}
		return c.JSON(http.StatusOK, u)
	}
	g.echo.Any("/me", me, g.users.Authenticated())
	g.echo.GET("/maybe", me, g.users.Identified())
}

// request is one request of a scenario.
type request struct {
	method, path string
	body         string // JSON; none where empty
	key          bool   // whether it brings the API key
	bearer       string
	cookie       string // "name=value"
	header       map[string]string
	address      string // "198.51.100.7:1234" unless given
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	fields map[string]any // of a JSON object
}

func (a answer) code() string { code, _ := a.fields["code"].(string); return code }

func (a answer) str(field string) string { text, _ := a.fields[field].(string); return text }

func (g *gateway) do(r request) answer {
	g.t.Helper()
	var body io.Reader = http.NoBody
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	req := httptest.NewRequestWithContext(g.t.Context(), r.method, r.path, body)
	req.RemoteAddr = "198.51.100.7:1234"
	if r.address != "" {
		req.RemoteAddr = r.address
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key {
		req.Header.Set("X-API-Key", apiKey)
	}
	if r.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+r.bearer)
	}
	if r.cookie != "" {
		req.Header.Set("Cookie", r.cookie)
	}
	for name, value := range r.header {
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	g.echo.ServeHTTP(rec, req)
	a := answer{status: rec.Code, header: rec.Header(), text: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &a.fields) // an array has no fields
	return a
}

// want does a request and fails the test unless the answer has this status and,
// where it is an error, this code.
func (g *gateway) want(r request, status int, code string) answer {
	g.t.Helper()
	a := g.do(r)
	if a.status != status || a.code() != code {
		g.t.Fatalf("%s %s: status %d, code %q, want %d %q\n%s", r.method, r.path, a.status, a.code(), status, code, a.text)
	}
	return a
}

func post(path, body string) request {
	return request{method: http.MethodPost, path: path, body: body, key: true}
}

func quote(text string) string { data, _ := json.Marshal(text); return string(data) } //nolint:errchkjson // a string

// signup makes an account and returns its _id.
func (g *gateway) signup(key string) string {
	g.t.Helper()
	a := g.want(post(prefix+"/signup", `{"_key":`+quote(key)+`,"_password":`+quote(pass)+`}`), http.StatusCreated, "")
	return a.str("_id")
}

// tokens are what a sign-in gave.
type tokens struct {
	access, refresh, cookie string
}

func tokensOf(a answer) tokens {
	t := tokens{access: a.str("token"), refresh: a.str("refresh_token")}
	t.cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
	return t
}

func signinBody(key, password string) string {
	return `{"_key":` + quote(key) + `,"_password":` + quote(password) + `}`
}

// signin signs someone in with the usual password.
func (g *gateway) signin(key string) tokens {
	g.t.Helper()
	return tokensOf(g.want(post(prefix+"/signin", signinBody(key, pass)), http.StatusOK, ""))
}

// isIn reports whether a token opens the host's own route.
func (g *gateway) isIn(bearer string) bool {
	g.t.Helper()
	a := g.do(request{method: http.MethodGet, path: "/me", bearer: bearer})
	if a.status != http.StatusOK && a.status != http.StatusUnauthorized {
		g.t.Fatalf("GET /me: %d %s", a.status, a.text)
	}
	return a.status == http.StatusOK
}

// stored returns a user as the database has it.
func (g *gateway) stored(key string) bson.M {
	g.t.Helper()
	var doc bson.M
	if err := g.db.Collection(auth.DefaultCollection).FindOne(g.t.Context(), bson.D{{Key: "_key", Value: key}}).Decode(&doc); err != nil {
		g.t.Fatalf("reading %q: %v", key, err)
	}
	return doc
}

// sessionCount returns how many sessions a user has in the database.
func (g *gateway) sessionCount(key string) int {
	g.t.Helper()
	sessions, _ := g.stored(key)["_sessions"].(bson.M)
	return len(sessions)
}

// syncBuffer is a log that a test reads.
type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *syncBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newServiceB returns a started service for a benchmark.
func newServiceB(b *testing.B, db *mongo.Database, o *auth.Options) *auth.Service {
	b.Helper()
	o.Now = newClock().Now
	users, err := auth.New(db, secret, o)
	if err != nil {
		b.Fatal(err)
	}
	if err := users.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = users.Stop(context.WithoutCancel(b.Context())) })
	return users
}
