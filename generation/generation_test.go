package generation_test

import (
	"bytes"
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

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

const (
	// apiKey opens the gateway of every test.
	apiKey = "an API key that is long enough to be one"
	// flash is the model of every test.
	flash = "gemini-2.5-flash"
)

// gateway is an App that carries generation, before a Gemini of its own.
type gateway struct {
	*testing.T

	gemini *generationtest.Server
	gen    *generation.Service
	app    *coglex.App
	echo   *echo.Echo
	logs   *logs
	waits  *waits
}

// logs keeps what was logged, at every level.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// waits is a Sleep that does not: it keeps what it was asked for.
type waits struct {
	mu  sync.Mutex
	all []time.Duration
}

func (w *waits) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, d)
	return ctx.Err()
}

func (w *waits) list() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.all...)
}

// newGemini returns a Gemini that ends with the test.
func newGemini(tb testing.TB, opts *generationtest.Options) *generationtest.Server {
	tb.Helper()
	g, err := generationtest.Start(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := g.Close(); err != nil {
			tb.Error(err)
		}
	})
	return g
}

// newGateway returns a gateway without accounts. Options that are not given are
// such that nothing waits.
func newGateway(t *testing.T, opts *generation.Options) *gateway {
	t.Helper()
	return newGatewayWith(t, generationtest.DefaultKey, opts)
}

// newGatewayWith is newGateway with a key.
func newGatewayWith(t *testing.T, key string, opts *generation.Options) *gateway {
	t.Helper()
	g := &gateway{T: t, gemini: newGemini(t, nil), logs: new(logs), waits: new(waits)}
	var o generation.Options
	if opts != nil {
		o = *opts
	}
	o.NoAccounts = true
	if o.BaseURL == "" {
		o.BaseURL = g.gemini.URL()
	}
	if o.Sleep == nil {
		o.Sleep = g.waits.sleep
	}
	g.gen = newService(t, key, &o)
	var err error
	if g.app, err = coglex.New(apiKey, &coglex.Options{Logger: g.logger()}); err != nil {
		t.Fatal(err)
	}
	g.echo = echo.New()
	if err := g.app.Mount(g.echo, g.gen); err != nil {
		t.Fatal(err)
	}
	return g
}

// logger returns a logger to logs.
func (g *gateway) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(g.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newService returns a service without accounts that is stopped with the test.
func newService(tb testing.TB, key string, opts *generation.Options) *generation.Service {
	tb.Helper()
	gen, err := generation.New(nil, key, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = gen.Stop(context.Background()) })
	return gen
}

// on returns the gateway for a subtest.
func (g *gateway) on(t *testing.T) *gateway {
	t.Helper()
	sub := *g
	sub.T = t
	return &sub
}

// answer is what a request was answered.
type answer struct {
	*testing.T

	request string
	status  int
	header  http.Header
	body    string
}

// post sends JSON to the gateway, with the API key. headers are name, value pairs.
func (g *gateway) post(path, body string, headers ...string) answer {
	g.Helper()
	return g.do(http.MethodPost, path, "application/json", strings.NewReader(body), headers...)
}

func (g *gateway) do(method, path, contentType string, body io.Reader, headers ...string) answer {
	g.Helper()
	r := httptest.NewRequestWithContext(g.Context(), method, "/service/generation/v1"+path, body)
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	g.app.Handler(g.echo).ServeHTTP(rec, r)
	return answer{T: g.T, request: method + " " + path, status: rec.Code, header: rec.Header(), body: strings.TrimSpace(rec.Body.String())}
}

// converse posts contents that are a user's text, and more members of the body.
func (g *gateway) converse(text, more string, headers ...string) answer {
	g.Helper()
	return g.post("/converse", `{"contents": [{"parts": [{"text": `+quote(text)+`}]}]`+more+`}`, headers...)
}

func quote(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

// want fails the test unless the answer has this status; it returns the answer.
func (a answer) want(status int) answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("%s: status %d, want %d; body %s", a.request, a.status, status, a.body)
	}
	return a
}

// parts fails the test unless the answer is 200 with JSON that equals this.
func (a answer) parts(want string) {
	a.Helper()
	a.want(http.StatusOK)
	if diff := cmp.Diff(decode(a.T, want), decode(a.T, a.body)); diff != "" {
		a.Errorf("%s: the answer differs (-want +got):\n%s", a.request, diff)
	}
}

// refused fails the test unless the answer is a problem with this status and
// code whose body holds the text.
func (a answer) refused(status int, code, text string) {
	a.Helper()
	var p struct {
		Status int
		Code   string
	}
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(a.body), &p) != nil {
		a.Fatalf("%s: status %d, want a problem; body %s", a.request, a.status, a.body)
	}
	if a.status != status || p.Status != status || p.Code != code || !strings.Contains(a.body, text) {
		a.Errorf("%s: %d %s, want %d %s with %q", a.request, a.status, a.body, status, code, text)
	}
}

// decode returns JSON as a value.
func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// sent returns the body of the last request for an operation.
func (g *gateway) sent(op generationtest.Operation) map[string]any {
	g.Helper()
	all := g.gemini.Requests(op)
	if len(all) == 0 {
		g.Fatalf("there was no %s", op)
	}
	body, ok := decode(g.T, string(all[len(all)-1].Body)).(map[string]any)
	if !ok {
		g.Fatal("the body is no object")
	}
	return body
}
