package execution_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// TestNothingElseIsCallable sends names as they are on the wire.
func TestNothingElseIsCallable(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, getWeather(nil))
	names := []string{
		"_execute", "__proto__", "__init__", "constructor", "String", "Call", "HandleExecute", "execute", "functions", "getweather", "GETWEATHER",
		"getWeather%00", "%00", "getWeather%20", "%20getWeather", "getWeather%0a", "getWeather.", ".getWeather", "getWeather;x", "getWeather,getWeather",
		"getWeather%2F", "getWeather%2Fx", "..%2Fexecute%2FgetWeather", "%2e%2e%2FgetWeather", "..", "../getWeather", "getWeather/..", "getWeather/../getWeather",
		"getWeather//", "//getWeather", "x/getWeather", "getWeather/x", "%67etWeathe%7", "get%57eather%C0%80", "ｇetWeather", "getWeather%ff", "%2567etWeather",
		"", strings.Repeat("a", 100_000), "os.Exit", "main.main", "$where", "*", "getWeather*", "[getWeather]",
	}
	for _, name := range names {
		t.Run(fmt.Sprintf("%.40q", name), func(t *testing.T) {
			t.Parallel()
			r := g.request(http.MethodPost, "/execute/x", `{"city":"Paris"}`)
			r.URL = &url.URL{Path: r.URL.Path, RawQuery: ""}
			raw := strings.TrimSuffix(r.URL.Path, "x") + name
			decoded, err := url.PathUnescape(raw)
			if err != nil {
				decoded = raw
			}
			r.URL.Path, r.URL.RawPath = decoded, raw
			a := g.serve(r)
			if a.status != http.StatusNotFound {
				t.Errorf("status %d, body %s", a.status, a.body)
			}
			if name != "" && len(name) < 100 && strings.Contains(a.body, name) && name != "execute" && name != "functions" && !strings.Contains("not_found function_unknown execution", name) {
				t.Errorf("the name comes back: %s", a.body)
			}
		})
	}
	for _, name := range []string{"", "_execute", "getWeather\x00", "../getWeather"} {
		if _, err := g.fns.Call(t.Context(), name, nil); !errors.Is(err, execution.ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
	// The name is decoded once, like every parameter.
	r := g.request(http.MethodPost, "/execute/get%57eather", `{"city":"Paris"}`)
	g.serve(r).gave(`{"city":"Paris","temperature":21.5,"warnings":[]}`)
}

func TestMethods(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, getWeather(nil))
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, "EXECUTE"} {
		if a := g.serve(g.request(method, "/execute/getWeather", "")); a.status != http.StatusMethodNotAllowed && a.status != http.StatusNotFound && a.status != http.StatusNoContent {
			t.Errorf("%s: %d %s", method, a.status, a.body)
		}
	}
}

// endless encodes itself for ever.
type endless struct{}

func (endless) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for {
		if err := enc.WriteToken(jsontext.String(strings.Repeat("x", 1000))); err != nil {
			return err
		}
	}
}

// exploding panics when it is encoded.
type exploding struct{}

func (exploding) MarshalJSON() ([]byte, error) { panic("10.0.0.7") }

// resentful panics when it is decoded.
type resentful struct{}

func (*resentful) UnmarshalJSON([]byte) error { panic("10.0.0.7") }

// ring contains itself where no schema can tell.
type ring struct{ Next any }

func TestLargeResults(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1<<20)
	lots := make([]string, 1<<10)
	for i := range lots {
		lots[i] = text // a gigabyte of JSON from a megabyte of memory
	}
	loop := &ring{}
	loop.Next = loop
	fn := func(name string, value func() any) execution.Function {
		return execution.Func(name, "Returns too much.", func(context.Context, struct{}) (any, error) { return value(), nil }, nil)
	}
	g := newGateway(t, nil,
		fn("list", func() any { return lots }),
		fn("endless", func() any { return endless{} }),
		fn("ring", func() any { return loop }),
		fn("text", func() any { return strings.Repeat("x", 64<<20) }),
		fn("bytes", func() any { return make([]byte, 64<<20) }),
		fn("raw", func() any { return json.RawMessage(`"` + strings.Repeat("x", 64<<20) + `"`) }),
		fn("controls", func() any { return strings.Repeat("\x00", 1<<20) }),
		fn("most", func() any { return strings.Repeat("x", execution.DefaultMaxResultBytes-2) }),
		fn("more", func() any { return strings.Repeat("x", execution.DefaultMaxResultBytes-1) }),
	)
	for _, name := range []string{"list", "endless", "text", "bytes", "raw", "controls", "more"} {
		g.call(name, "").refused(http.StatusInternalServerError, "result_too_large", "")
	}
	g.call("ring", "").refused(http.StatusInternalServerError, "function_failed", "")
	if a := g.call("most", ""); a.status != http.StatusOK || len(a.body) != execution.DefaultMaxResultBytes {
		t.Errorf("status %d, %d bytes", a.status, len(a.body))
	}
}

// TestALargeResultCostsLittle would take gigabytes where the result was encoded
// whole.
//
//nolint:paralleltest // it measures what the process allocates
func TestALargeResultCostsLittle(t *testing.T) {
	lots := make([]string, 1<<20)
	kilobyte := strings.Repeat("x", 1<<10)
	for i := range lots {
		lots[i] = kilobyte
	}
	text := strings.Repeat("x", 128<<20)
	fns := newService(t,
		execution.Func("list", "Returns a gigabyte.", func(context.Context, struct{}) ([]string, error) { return lots, nil }, nil),
		execution.Func("text", "Returns a long text.", func(context.Context, struct{}) (string, error) { return text, nil }, nil),
	)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, name := range fns.Names() {
		if _, err := fns.Call(t.Context(), name, nil); !errors.Is(err, execution.ErrTooLarge) {
			t.Fatalf("%s: error %v", name, err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
}

func TestTypesThatMisbehave(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil,
		execution.Func("out", "Fails to encode.", func(context.Context, struct{}) (exploding, error) { return exploding{}, nil }, nil),
		execution.Func("in", "Fails to decode.", func(context.Context, struct{ R resentful }) (int, error) { return 0, nil }, nil),
		execution.Func("channel", "Returns what JSON has not.", func(context.Context, struct{}) (any, error) { return make(chan int), nil }, nil),
	)
	for name, body := range map[string]string{"out": "", "in": `{"R":1}`, "channel": ""} {
		if a := g.call(name, body).refused(http.StatusInternalServerError, "function_failed", ""); strings.Contains(a.body, "10.0.0.7") {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

// TestProblemsThatAreNone returns what compiles and no client can be shown: the nil
// *service.Problem that a validator gave back, and statuses that are none.
func TestProblemsThatAreNone(t *testing.T) {
	t.Parallel()
	rows := map[string]*service.Problem{
		"nil":       nil,
		"no status": {Code: "x", Detail: "10.0.0.7"},
		"a success": {Status: http.StatusOK, Code: "x", Detail: "10.0.0.7"},
		"too high":  {Status: 600, Code: "x", Detail: "10.0.0.7"},
	}
	for name, problem := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, &execution.Options{Database: dbtest.Database(t)},
				nothing("fails", func(context.Context) (string, error) { return "", problem }, &execution.FuncOptions{Idempotent: true}),
				nothing("vetoed", func(context.Context) (string, error) { return "", nil }, nil))
			signals.Intercept(g.app.Signals(), func(_ context.Context, e *execution.Executing) error {
				if e.Name == "vetoed" {
					return problem
				}
				return nil
			})
			g.call("fails", "").refused(http.StatusInternalServerError, "function_failed", "")
			g.call("fails", "", "Idempotency-Key", "k").refused(http.StatusInternalServerError, "function_failed", "").replayed(false)
			g.call("fails", "", "Idempotency-Key", "k").refused(http.StatusInternalServerError, "function_failed", "").replayed(true)
			g.call("vetoed", "").refused(http.StatusInternalServerError, "internal", "")
			tools, err := g.fns.Tools(g.fns.Names()...)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{"fails": "function_failed: The function failed.", "vetoed": "internal: internal server error"} {
				if _, err := tools.Call(t.Context(), name, nil); err == nil || err.Error() != want {
					t.Errorf("%s: error %v, want %s", name, err, want)
				}
			}
		})
	}
}

// hollow is an error whose cause panics when somebody looks for it, as that of a nil
// pointer does.
type hollow struct{ cause error }

func (*hollow) Error() string   { return "hollow" }
func (h *hollow) Unwrap() error { return h.cause }

// TestErrorsThatPanic: nobody would recover in the goroutine of a function, nor in
// those of the callers of tools.
func TestErrorsThatPanic(t *testing.T) {
	t.Parallel()
	var bad *hollow
	g := newGateway(t, &execution.Options{Database: dbtest.Database(t)},
		nothing("fails", func(context.Context) (string, error) {
			return "", execution.Errorf(http.StatusConflict, "taken", "%w", bad)
		},
			&execution.FuncOptions{Idempotent: true}),
		nothing("vetoed", func(context.Context) (string, error) { return "", nil }, nil))
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *execution.Executing) error {
		if e.Name == "vetoed" {
			return bad
		}
		return nil
	})
	g.call("fails", "").refused(http.StatusInternalServerError, "function_failed", "")
	g.call("fails", "", "Idempotency-Key", "k").refused(http.StatusInternalServerError, "function_failed", "").replayed(false)
	tools, err := g.fns.Tools(g.fns.Names()...)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"fails": "function_failed: ", "vetoed": "internal: "} {
		if _, err := tools.Call(t.Context(), name, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
}

// TestALongNumberCostsLittle sends a megabyte of digits, which take seconds where
// they are parsed.
//
//nolint:paralleltest // it measures time
func TestALongNumberCostsLittle(t *testing.T) {
	fns := newService(t,
		execution.Func("int", "Takes an integer.", func(context.Context, struct{ N int }) (int, error) { return 0, nil }, nil),
		execution.Func("big", "Takes a large one.", func(context.Context, struct{ N *big.Int }) (int, error) { return 0, nil }, nil),
	)
	input := []byte(`{"N":-` + strings.Repeat("7", 1_000_000) + `}`)
	began := time.Now()
	for _, name := range fns.Names() {
		if _, err := fns.Call(t.Context(), name, input); err == nil || !strings.Contains(err.Error(), "N is out of range") {
			t.Errorf("%s: error %.100v", name, err)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestUsersAndScopes(t *testing.T) {
	t.Parallel()
	who := func(ctx context.Context) (string, error) {
		id, ok := middleware.FromContext(ctx)
		if !ok {
			return "nobody", nil
		}
		return id.UserID(), nil
	}
	g := newGateway(t, nil,
		nothing("user", who, &execution.FuncOptions{User: true}),
		nothing("scope", who, &execution.FuncOptions{Scope: "billing:write"}),
		nothing("open", who, nil),
	)
	// Handlers that the host mounts by itself.
	g.echo.POST("/browser/:function", g.fns.HandleExecute, g.app.Authenticated())
	g.echo.POST("/restricted/:function", g.fns.HandleExecute, middleware.Protected(scopes{"billing:read"}))
	g.echo.POST("/granted/:function", g.fns.HandleExecute, middleware.Protected(scopes{"billing:*"}))
	at := func(path string, headers ...string) answer {
		r := g.request(http.MethodPost, "", "", headers...)
		r.URL.Path = path
		if len(headers) > 0 && headers[0] == "Authorization" {
			r.Header.Del("X-API-Key")
		}
		return g.serve(r)
	}
	g.call("user", "").refused(http.StatusUnauthorized, "unauthenticated", "")
	g.call("user", "{", "Content-Type", "x").refused(http.StatusUnauthorized, "unauthenticated", "")
	g.call("user", "", "Authorization", "Bearer ann").gave(`"ann"`)
	g.call("user", "", "Authorization", "Bearer eve").refused(http.StatusUnauthorized, "token_invalid", "")
	g.call("open", "", "Authorization", "Bearer ann").gave(`"ann"`)
	g.call("open", "").gave(`"nobody"`)
	g.call("scope", "").gave(`"nobody"`)
	at("/browser/user", "Authorization", "Bearer ann").gave(`"ann"`)
	at("/browser/scope", "Authorization", "Bearer ann").refused(http.StatusForbidden, "scope_missing", "billing:write")
	at("/restricted/scope").refused(http.StatusForbidden, "scope_missing", "billing:write")
	at("/granted/scope").gave(`"nobody"`)

	ctx := t.Context()
	ann := middleware.NewContext(ctx, user("ann"))
	for name, row := range map[string]struct {
		ctx      context.Context
		function string
		want     string
	}{
		"the gateway's own code has no user": {ctx, "user", "unauthenticated"},
		"or has one":                         {ann, "user", ""},
		"and needs no scope":                 {ctx, "scope", ""},
		"unless it acts for a key":           {middleware.WithScopes(ctx, "billing:read"), "scope", "scope_missing"},
		"that was granted it":                {middleware.WithScopes(ctx, "billing:write"), "scope", ""},
		"a bridge needs a key":               {execution.WithOrigin(ann, "nats"), "scope", "scope_missing"},
		"with the scope":                     {execution.WithOrigin(middleware.WithScopes(ctx, "*"), "nats"), "scope", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := g.fns.Call(row.ctx, row.function, nil); (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want %q", err, row.want)
			}
		})
	}
}

// scopes is a verifier that grants these to every key.
type scopes []string

func (s scopes) VerifyKey(context.Context, string) ([]string, error) { return s, nil }

// TestOverTheWire calls through a real connection, and leaves in the middle.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	entered, gone := make(chan struct{}), make(chan struct{})
	fns := newService(t, getWeather(nil), nothing("waits", func(ctx context.Context) (string, error) {
		close(entered)
		<-ctx.Done()
		close(gone)
		return "", ctx.Err()
	}, nil))
	app, err := coglex.New(apiKey, &coglex.Options{Users: users{}, NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	if err := app.Mount(e, fns); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app.Handler(e))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	send := func(ctx context.Context, name, body string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/service/execution/v1/execute/"+name, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", apiKey)
		r.Header.Set("Content-Type", "application/json")
		return client.Do(r)
	}
	res, err := send(t.Context(), "getWeather", `{"city":"Paris"}`)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || string(text) != `{"city":"Paris","temperature":21.5,"warnings":[]}` {
		t.Errorf("%s, %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	if _, err := send(ctx, "waits", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the function does not learn that its caller left")
	}
	if err := fns.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
