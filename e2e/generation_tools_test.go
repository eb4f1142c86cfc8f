package e2e_test

import (
	"context"
	"encoding/json"
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

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/execution/executionmcp"
	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

const toolsKey = "an API key that is long enough to be one"

type (
	place struct {
		City string `json:"city"`
	}
	weather struct {
		City    string  `json:"city"`
		Degrees float64 `json:"degrees"`
		Caller  string  `json:"caller,omitempty"`
	}
)

// functions are registered once, and called in three ways.
func functions() []execution.Function {
	report := func(ctx context.Context, in place) (weather, error) {
		id, ok := middleware.FromContext(ctx)
		if !ok {
			return weather{in.City, 21.5, ""}, nil
		}
		return weather{in.City, 21.5, id.UserID()}, nil
	}
	return []execution.Function{
		execution.Func("getWeather", "Get current weather.", report, nil),
		execution.Func("myWeather", "Get the weather where I am.", report, &execution.FuncOptions{User: true}),
		execution.Func("closed", "Is refused by the gateway.", report, nil),
		execution.Func("lost", "Has never heard of the place.", func(_ context.Context, in place) (weather, error) {
			return weather{}, execution.Errorf(http.StatusNotFound, "city_unknown", "There is no %s.", in.City)
		}, nil),
		execution.Func("broken", "Fails.", func(context.Context, place) (weather, error) { return weather{}, errors.New("the password is 1234") }, nil),
		execution.Func("panicking", "Panics.", func(context.Context, place) (weather, error) { panic("the password is 1234") }, nil),
		execution.Func("endless", "Takes too long.", func(ctx context.Context, _ place) (weather, error) {
			<-ctx.Done()
			return weather{}, ctx.Err()
		}, &execution.FuncOptions{Timeout: 10 * time.Millisecond}),
	}
}

// people is an Authenticator that knows ann.
type people struct{}

func (people) Authenticate(_ context.Context, cred middleware.Credential) (middleware.Identity, error) {
	if cred.Token == "ann" {
		return ann{}, nil
	}
	return nil, &service.Problem{Status: http.StatusUnauthorized, Code: "token_invalid"}
}
func (people) Cookies(...string) []string      { return nil }
func (people) CheckOrigin(*http.Request) error { return nil }

type ann struct{}

func (ann) UserID() string     { return "ann" }
func (ann) Collection() string { return "_USERS" }
func (ann) SessionID() string  { return "1" }

// bridge is a gateway with functions, generation and MCP, before a Gemini of its own.
type bridge struct {
	*testing.T

	url    string
	client *http.Client
	gemini *generationtest.Server
}

func newBridge(t *testing.T) *bridge {
	t.Helper()
	fns, err := execution.New(functions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tools, err := fns.Tools(fns.Names()...)
	if err != nil {
		t.Fatal(err)
	}
	b := &bridge{T: t, client: &http.Client{Transport: &http.Transport{}}}
	if b.gemini, err = generationtest.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.gemini.Close() })
	gen, err := generation.New(nil, b.gemini.Key(), &generation.Options{BaseURL: b.gemini.URL(), NoAccounts: true, Toolset: tools})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gen.Stop(context.Background()) })
	app, err := coglex.New(toolsKey, &coglex.Options{Users: people{}, Logger: slog.New(slog.DiscardHandler), NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	if err := app.Mount(e, fns, gen); err != nil {
		t.Fatal(err)
	}
	e.Any("/mcp", echo.WrapHandler(executionmcp.Handler(fns, nil)), app.Protected(), app.Identified())
	signals.Intercept(app.Signals(), func(_ context.Context, e *execution.Executing) error {
		if e.Name != "closed" {
			return nil
		}
		return &service.Problem{Status: http.StatusForbidden, Code: "closed_today", Detail: "It is Sunday."}
	})
	server := httptest.NewServer(app.Handler(e))
	t.Cleanup(server.Close)
	t.Cleanup(b.client.CloseIdleConnections)
	b.url = server.URL
	return b
}

// post sends JSON with the API key, and with a token where it is not empty.
func (b *bridge) post(path, token, body string) (status int, text string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("X-API-Key", toolsKey)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(out))
}

// outcome is what came of a call: its output, or what it was refused with, as
// "code: message".
type outcome struct {
	Output  any
	Refused string
}

// overHTTP calls a function by its route.
func (b *bridge) overHTTP(name, token, args string) outcome {
	b.Helper()
	status, text := b.post("/service/execution/v1/execute/"+name, token, args)
	if status == http.StatusOK {
		return outcome{Output: decoded(b.T, text)}
	}
	var p struct {
		Code, Detail, Title string
		Errors              []struct{ Field, Message string }
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		b.Fatalf("%v in %s", err, text)
	}
	message := p.Detail
	if message == "" {
		message = strings.ToLower(p.Title)
	}
	for i, f := range p.Errors {
		message += []string{" ", "; "}[min(i, 1)] + f.Field + " " + f.Message
	}
	return outcome{Refused: p.Code + ": " + message}
}

// overGemini lets Gemini ask for the function in a conversation, and returns what it
// was told.
func (b *bridge) overGemini(name, token, args string) outcome {
	b.Helper()
	b.gemini.Enqueue(generationtest.Call(name, json.RawMessage(args)), generationtest.Text("Thank you."))
	b.converse(token)
	return b.told()[0]
}

// converse talks to Gemini, which may call every function.
func (b *bridge) converse(token string) {
	b.Helper()
	status, text := b.post("/service/generation/v1/converse", token, `{"contents": [{"parts": [{"text": "Hello"}]}],
		"functions": ["getWeather", "myWeather", "closed", "lost", "broken", "panicking", "endless"]}`)
	if status != http.StatusOK || text != `[{"text":"Thank you."}]` {
		b.Fatalf("status %d, %s", status, text)
	}
}

// told returns what Gemini was told last.
func (b *bridge) told() []outcome {
	b.Helper()
	all := b.gemini.Requests(generationtest.OpGenerate)
	var body struct {
		Contents []struct {
			Parts []struct {
				FunctionResponse struct {
					Response struct {
						Output any
						Error  string
					}
				}
			}
		}
	}
	if err := json.Unmarshal(all[len(all)-1].Body, &body); err != nil {
		b.Fatal(err)
	}
	var out []outcome
	for _, p := range body.Contents[len(body.Contents)-1].Parts {
		out = append(out, outcome{p.FunctionResponse.Response.Output, p.FunctionResponse.Response.Error})
	}
	return out
}

// headers go with every request.
type headers map[string]string

func (c headers) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range c {
		r.Header.Set(name, value)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// overMCP calls a function with the official client.
func (b *bridge) overMCP(name, token, args string) outcome {
	b.Helper()
	with := headers{"X-API-Key": toolsKey}
	if token != "" {
		with["Authorization"] = "Bearer " + token
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(b.Context(), &mcp.StreamableClientTransport{
		Endpoint: b.url + "/mcp", HTTPClient: &http.Client{Transport: with}, MaxRetries: -1,
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	res, err := session.CallTool(b.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(args)})
	if err != nil {
		return outcome{Refused: "protocol: " + err.Error()}
	}
	text, ok := res.Content[0].(*mcp.TextContent)
	if !ok {
		b.Fatalf("got %+v", res)
	}
	if res.IsError {
		return outcome{Refused: text.Text}
	}
	return outcome{Output: res.StructuredContent}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestAFunctionIsTheSameEachWay(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		function, token, args string
		want                  outcome
	}{
		"a result":             {"getWeather", "", `{"city": "Paris"}`, outcome{Output: map[string]any{"city": "Paris", "degrees": 21.5}}},
		"a result for a user":  {"myWeather", "ann", `{"city": "Paris"}`, outcome{Output: map[string]any{"city": "Paris", "degrees": 21.5, "caller": "ann"}}},
		"no user":              {"myWeather", "", `{"city": "Paris"}`, outcome{Refused: "unauthenticated: "}},
		"an argument missing":  {"getWeather", "", `{}`, outcome{Refused: "invalid: The input is invalid. city "}},
		"an argument too many": {"getWeather", "", `{"city": "Paris", "country": "F"}`, outcome{Refused: "invalid: The input is invalid. country "}},
		"a wrong type":         {"getWeather", "", `{"city": 1}`, outcome{Refused: "invalid: The input is invalid. city "}},
		"a veto":               {"closed", "", `{"city": "Paris"}`, outcome{Refused: "closed_today: It is Sunday."}},
		"an error to be shown": {"lost", "", `{"city": "Atlantis"}`, outcome{Refused: "city_unknown: There is no Atlantis."}},
		"an error not shown":   {"broken", "", `{"city": "Paris"}`, outcome{Refused: "function_failed: The function failed."}},
		"a panic":              {"panicking", "", `{"city": "Paris"}`, outcome{Refused: "function_failed: The function failed."}},
		"too long":             {"endless", "", `{"city": "Paris"}`, outcome{Refused: "timeout: The function did not return in time."}},
		"an unknown one":       {"inner", "", `{"city": "Paris"}`, outcome{Refused: "function_unknown: There is no such function."}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBridge(t)
			want := b.overHTTP(test.function, test.token, test.args)
			if !cmp.Equal(want.Output, test.want.Output) || !strings.HasPrefix(want.Refused, test.want.Refused) || (want.Refused == "") != (test.want.Refused == "") {
				t.Fatalf("over HTTP: %+v, want %+v", want, test.want)
			}
			if diff := cmp.Diff(want, b.overGemini(test.function, test.token, test.args)); diff != "" {
				t.Errorf("by Gemini (-HTTP +Gemini):\n%s", diff)
			}
			got := b.overMCP(test.function, test.token, test.args)
			if strings.HasPrefix(got.Refused, "protocol: ") && strings.Contains(got.Refused, `unknown tool "inner"`) {
				got = want // the protocol has an error of its own for it
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("over MCP (-HTTP +MCP):\n%s", diff)
			}
		})
	}
}

func TestAFunctionIsTheSameInRoundsAndParallelCalls(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	city := func(name string) json.RawMessage { return json.RawMessage(`{"city": "` + name + `"}`) }
	// The double refuses the second and third request unless each thought signature
	// is back in its part.
	b.gemini.Enqueue(
		generationtest.Call("getWeather", city("Paris")),
		generationtest.Chunk(generationtest.Call("getWeather", city("Rome")), generationtest.Call("broken", city("Oslo")), generationtest.Call("myWeather", city("Bern"))),
		generationtest.Text("Thank you."),
	)
	b.converse("ann")
	if n := len(b.gemini.Requests(generationtest.OpGenerate)); n != 3 {
		t.Fatalf("%d requests", n)
	}
	want := []outcome{b.overHTTP("getWeather", "ann", `{"city": "Rome"}`), b.overHTTP("broken", "ann", `{"city": "Oslo"}`), b.overHTTP("myWeather", "ann", `{"city": "Bern"}`)}
	if diff := cmp.Diff(want, b.told()); diff != "" {
		t.Error(diff)
	}
}
