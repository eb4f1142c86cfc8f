package executionmcp_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/execution/executionmcp"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const apiKey = "an API key that is long enough to be one"

// users is an Authenticator that knows ann.
type users struct{}

func (users) Authenticate(_ context.Context, cred middleware.Credential) (middleware.Identity, error) {
	if cred.Token == "ann" {
		return ann{}, nil
	}
	return nil, &service.Problem{Status: http.StatusUnauthorized, Code: "token_invalid"}
}
func (users) Cookies(...string) []string      { return nil }
func (users) CheckOrigin(*http.Request) error { return nil }

type ann struct{}

func (ann) UserID() string     { return "ann" }
func (ann) Collection() string { return "_USERS" }
func (ann) SessionID() string  { return "1" }

// restricted is a verifier that grants one scope.
type restricted struct{}

func (restricted) VerifyKey(context.Context, string) ([]string, error) {
	return []string{"weather:read"}, nil
}

type (
	city     struct{ City string }
	forecast struct {
		City    string
		Degrees float64
	}
)

func functions(entered, left chan struct{}) []execution.Function {
	return []execution.Function{
		execution.Func("waits", "Waits until its caller leaves.", func(ctx context.Context, _ struct{}) (string, error) {
			close(entered)
			<-ctx.Done()
			close(left)
			return "", ctx.Err()
		}, nil),
		execution.Func("forecast", "Tomorrow's weather.", func(_ context.Context, in city) (forecast, error) {
			if in.City == "Atlantis" {
				return forecast{}, execution.Errorf(http.StatusNotFound, "city_unknown", "There is no %s.", in.City)
			}
			if in.City == "R'lyeh" {
				return forecast{}, errors.New("the secret of the deep")
			}
			return forecast{in.City, 21.5}, nil
		}, nil),
		execution.Func("whoami", "Who calls.", func(ctx context.Context, _ struct{}) (string, error) {
			id, _ := middleware.FromContext(ctx)
			return id.UserID(), nil
		}, &execution.FuncOptions{User: true}),
		execution.Func("scoped", "What needs a scope.", func(context.Context, struct{}) (string, error) {
			return "done", nil
		}, &execution.FuncOptions{Scope: "weather:write"}),
	}
}

// gateway is a server that offers MCP in several ways.
type gateway struct {
	*httptest.Server

	transport     *http.Transport
	origins       chan execution.Origin
	entered, left chan struct{} // by the function that waits
}

func newGateway(t *testing.T) gateway {
	t.Helper()
	entered, left := make(chan struct{}), make(chan struct{})
	fns, err := execution.New(functions(entered, left), nil)
	if err != nil {
		t.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{Users: users{}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	if err := app.Mount(e, fns); err != nil {
		t.Fatal(err)
	}
	h := echo.WrapHandler(executionmcp.Handler(fns, nil))
	e.Any("/mcp", h, app.Protected())
	e.Any("/mcp/users", h, app.Protected(), app.Identified())
	e.Any("/mcp/browsers", h, app.Authenticated())
	e.Any("/mcp/restricted", h, middleware.Protected(restricted{}))
	some, err := fns.Tools("forecast")
	if err != nil {
		t.Fatal(err)
	}
	e.Any("/mcp/some", echo.WrapHandler(executionmcp.Handler(fns, &executionmcp.Options{Tools: some})), app.Protected())
	g := gateway{httptest.NewServer(app.Handler(e)), &http.Transport{}, make(chan execution.Origin, 100), entered, left}
	t.Cleanup(func() {
		g.transport.CloseIdleConnections()
		g.Close()
	})
	signals.Subscribe(app.Signals(), func(_ context.Context, e execution.Executed) error {
		g.origins <- e.Origin
		return nil
	})
	return g
}

// credentials are headers that go with every request.
type credentials map[string]string

// sender sends requests with credentials.
type sender struct {
	with credentials
	by   http.RoundTripper
}

func (s sender) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range s.with {
		r.Header.Set(name, value)
	}
	return s.by.RoundTrip(r)
}

// connect returns the session of an official client.
func (g gateway) connect(t *testing.T, path string, with credentials) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: g.URL + path, HTTPClient: &http.Client{Transport: sender{with, g.transport}}, MaxRetries: -1,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// call calls a tool and returns its text and whether it is an error.
func call(t *testing.T, session *mcp.ClientSession, name string, args any) (text string, structured any, isError bool) {
	t.Helper()
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.Fatal(err)
	}
	return res.Content[0].(*mcp.TextContent).Text, res.StructuredContent, res.IsError
}

func TestAClientListsAndCallsTools(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	session := g.connect(t, "/mcp", credentials{"X-API-Key": apiKey})
	list, err := session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	if diff := cmp.Diff([]string{"forecast", "scoped", "waits", "whoami"}, names); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
	want := map[string]any{
		"type": "object", "additionalProperties": false, "required": []any{"City"},
		"properties": map[string]any{"City": map[string]any{"type": "string"}},
	}
	if diff := cmp.Diff(want, list.Tools[0].InputSchema); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	if got := list.Tools[0].Description; got != "Tomorrow's weather." {
		t.Errorf("description %q", got)
	}
	if list.Tools[0].OutputSchema == nil || list.Tools[1].OutputSchema != nil {
		t.Error("only outputs that are objects have a schema")
	}
	text, structured, isError := call(t, session, "forecast", city{"Paris"})
	if isError || text != `{"City":"Paris","Degrees":21.5}` {
		t.Errorf("text %s, error %t", text, isError)
	}
	if diff := cmp.Diff(map[string]any{"City": "Paris", "Degrees": 21.5}, structured); diff != "" {
		t.Errorf("structured (-want +got):\n%s", diff)
	}
	if origin := <-g.origins; origin != execution.OriginMCP {
		t.Errorf("origin %s", origin)
	}
	text, structured, isError = call(t, session, "scoped", nil)
	if isError || text != `"done"` || structured != nil {
		t.Errorf("text %s, structured %v, error %t", text, structured, isError)
	}
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "_execute"}); err == nil {
		t.Error("an unknown tool was called")
	}
}

func TestRefusalsAreThoseOfHTTP(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	key, user := credentials{"X-API-Key": apiKey}, credentials{"Authorization": "Bearer ann"}
	both := credentials{"X-API-Key": apiKey, "Authorization": "Bearer ann"}
	rows := map[string]struct {
		path, tool string
		with       credentials
		args       any
		want       string
		isError    bool
	}{
		"a wrong type":                     {"/mcp", "forecast", key, map[string]any{"City": 1}, "invalid: The input is invalid. City must be a string", true},
		"several faults":                   {"/mcp", "forecast", key, map[string]any{"City": nil, "Z": 1}, "invalid: The input is invalid. City must be a string; Z is not known", true},
		"a refusal of the function's own":  {"/mcp", "forecast", key, city{"Atlantis"}, "city_unknown: There is no Atlantis.", true},
		"a failure":                        {"/mcp", "forecast", key, city{"R'lyeh"}, "function_failed: The function failed.", true},
		"a user is needed":                 {"/mcp", "whoami", key, nil, "unauthenticated: ", true},
		"not known where nobody asks":      {"/mcp", "whoami", both, nil, "unauthenticated: ", true},
		"a user is there":                  {"/mcp/users", "whoami", both, nil, `"ann"`, false},
		"a user without a key":             {"/mcp/browsers", "whoami", user, nil, `"ann"`, false},
		"a scope without a key":            {"/mcp/browsers", "scoped", user, nil, "scope_missing: ", true},
		"a scope that was not granted":     {"/mcp/restricted", "scoped", key, nil, "scope_missing: ", true},
		"a scope that every key was given": {"/mcp", "scoped", key, nil, `"done"`, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, _, isError := call(t, g.connect(t, row.path, row.with), row.tool, row.args)
			if !strings.HasPrefix(text, row.want) || isError != row.isError {
				t.Errorf("text %q, error %t; want %q, %t", text, isError, row.want, row.isError)
			}
		})
	}
}

func TestTheClientLeaves(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	session := g.connect(t, "/mcp", credentials{"X-API-Key": apiKey})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-g.entered
		cancel()
	}()
	if _, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "waits"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	select {
	case <-g.left:
	case <-time.After(5 * time.Second):
		t.Error("the function does not learn that its caller left")
	}
}

// TestAnOldClientLeaves speaks the protocol of 2025.
func TestAnOldClientLeaves(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-g.entered
		cancel()
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"waits"}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
		"X-Api-Key": {apiKey}, "Mcp-Protocol-Version": {"2025-06-18"},
	}
	if _, err := g.transport.RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	select {
	case <-g.left:
	case <-time.After(5 * time.Second):
		t.Error("the function does not learn that its caller left")
	}
}

func TestOnlyTheChosenAreOffered(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	session := g.connect(t, "/mcp/some", credentials{"X-API-Key": apiKey})
	list, err := session.ListTools(t.Context(), nil)
	if err != nil || len(list.Tools) != 1 {
		t.Fatalf("%d tools, error %v", len(list.Tools), err)
	}
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "scoped"}); err == nil {
		t.Error("a tool that was not chosen was called")
	}
}

// post sends one message as a client without any library would.
func (g gateway) post(t *testing.T, path, body string, with credentials) (status int, answer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if host := with["Host"]; host != "" {
		r.Host = host
	}
	res, err := (&http.Client{Transport: sender{with, g.transport}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestWhoIsKeptOut(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const message = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	rows := map[string]struct {
		with credentials
		want int
	}{
		"who has the key":               {credentials{"X-API-Key": apiKey}, http.StatusOK},
		"who has none":                  {credentials{}, http.StatusUnauthorized},
		"a page of another origin":      {credentials{"X-API-Key": apiKey, "Origin": "https://evil.example"}, http.StatusForbidden},
		"a page of another site":        {credentials{"X-API-Key": apiKey, "Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"a page that rebinds its names": {credentials{"X-API-Key": apiKey, "Host": "evil.example"}, http.StatusForbidden},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if status, answer := g.post(t, "/mcp", message, row.with); status != row.want {
				t.Errorf("status %d, want %d: %s", status, row.want, answer)
			}
		})
	}
}

func TestArgumentsAreReadStrictly(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	key := credentials{"X-API-Key": apiKey}
	rows := map[string]string{
		"a name twice":         `{"City":"a","City":"b"}`,
		"a name in other case": `{"city":"a"}`,
		"no object":            `["a"]`,
		"too deep":             strings.Repeat(`{"City":`, 500) + "1" + strings.Repeat("}", 500),
	}
	for name, args := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, answer := g.post(t, "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"forecast","arguments":`+args+`}}`, key)
			if !strings.Contains(answer, `"isError":true`) && !strings.Contains(answer, `"error":{`) {
				t.Errorf("answer %s", answer)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	fns, err := execution.New(functions(nil, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	trusting := http.NewCrossOriginProtection()
	if err := trusting.AddTrustedOrigin("https://app.example"); err != nil {
		t.Fatal(err)
	}
	rows := map[string]struct {
		opts *executionmcp.Options
		want mcp.Implementation
		help string
	}{
		"the defaults": {nil, mcp.Implementation{Name: "coglex", Version: "1"}, ""},
		"all of them": {
			&executionmcp.Options{Name: "weather", Version: "2", Instructions: "Ask for the weather.", CrossOrigin: trusting},
			mcp.Implementation{Name: "weather", Version: "2"},
			"Ask for the weather.",
		},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gateway{Server: httptest.NewServer(executionmcp.Handler(fns, row.opts)), transport: &http.Transport{}}
			t.Cleanup(g.Close)
			t.Cleanup(g.transport.CloseIdleConnections)
			server := g.connect(t, "/", nil).InitializeResult()
			if diff := cmp.Diff(&row.want, server.ServerInfo); diff != "" {
				t.Errorf("server (-want +got):\n%s", diff)
			}
			if server.Instructions != row.help {
				t.Errorf("instructions %q, want %q", server.Instructions, row.help)
			}
			if diff := cmp.Diff(&mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}}, server.Capabilities); diff != "" {
				t.Errorf("capabilities (-want +got):\n%s", diff)
			}
			want := http.StatusForbidden
			if row.opts != nil {
				want = http.StatusOK
			}
			if status, answer := g.post(t, "/", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, credentials{"Origin": "https://app.example"}); status != want {
				t.Errorf("a page of another origin: %d, want %d: %s", status, want, answer)
			}
		})
	}
}

// TestWithoutFunctions: there is a server, which has no tools.
func TestWithoutFunctions(t *testing.T) {
	t.Parallel()
	g := gateway{Server: httptest.NewServer(executionmcp.Handler(nil, nil)), transport: &http.Transport{}}
	t.Cleanup(g.Close)
	t.Cleanup(g.transport.CloseIdleConnections)
	if list, err := g.connect(t, "/", nil).ListTools(t.Context(), nil); err != nil || len(list.Tools) != 0 {
		t.Errorf("%v, error %v", list, err)
	}
}

func TestThereAreNoSessions(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut} {
		r, err := http.NewRequestWithContext(t.Context(), method, g.URL+"/mcp", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"X-Api-Key": {apiKey}, "Accept": {"application/json, text/event-stream"}, "Mcp-Session-Id": {"1"}}
		res, err := g.transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", method, res.StatusCode)
		}
	}
}

// TestBatchesAreRefused: the results of a batch would be held in memory together.
func TestBatchesAreRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const message = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"forecast","arguments":{"City":"Paris"}}}`
	for name, body := range map[string]string{
		"two calls":          "[" + message + "," + strings.Replace(message, `"id":1`, `"id":2`, 1) + "]",
		"one call":           "[" + message + "]",
		"behind white space": " \t\r\n[" + message + "]",
		"behind a lot of it": strings.Repeat(" ", 100_000) + "[" + message + "]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, version := range []string{"", "2025-03-26", "2025-06-18"} {
				with := credentials{"X-API-Key": apiKey}
				if version != "" {
					with["Mcp-Protocol-Version"] = version
				}
				if status, answer := g.post(t, "/mcp", body, with); status != http.StatusBadRequest || !strings.Contains(answer, "batch") {
					t.Errorf("version %q: status %d, answer %.200s", version, status, answer)
				}
			}
		})
	}
	if status, answer := g.post(t, "/mcp", " "+message, credentials{"X-API-Key": apiKey}); status != http.StatusOK || !strings.Contains(answer, "Paris") {
		t.Errorf("a single call: status %d, answer %s", status, answer)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"forecast","arguments":{"City":"` + strings.Repeat("x", 4<<20) + `"}}}`
	if status, answer := g.post(t, "/mcp", body, credentials{"X-API-Key": apiKey}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, answer %.200s", status, answer)
	}
	if status, answer := g.post(t, "/mcp", strings.Repeat(" ", 5<<20), credentials{"X-API-Key": apiKey}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("nothing but white space: status %d, answer %.200s", status, answer)
	}
}
