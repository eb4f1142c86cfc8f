package execution_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// apiKey opens the gateway of every test.
const apiKey = "an API key that is long enough to be one"

// users is an Authenticator whose tokens are the names of users.
type users struct{}

func (users) Authenticate(_ context.Context, cred middleware.Credential) (middleware.Identity, error) {
	if cred.Token == "ann" || cred.Token == "bob" {
		return user(cred.Token), nil
	}
	return nil, &service.Problem{Status: http.StatusUnauthorized, Code: "token_invalid"}
}
func (users) Cookies(...string) []string      { return nil }
func (users) CheckOrigin(*http.Request) error { return nil }

// user is a signed-in one.
type user string

func (u user) UserID() string     { return string(u) }
func (u user) Collection() string { return "_USERS" }
func (u user) SessionID() string  { return "session of " + string(u) }

// gateway is an App that carries functions.
type gateway struct {
	testing.TB

	fns  *execution.Service
	app  *coglex.App
	echo *echo.Echo
	db   *mongo.Database // of those that have one
}

func newGateway(tb testing.TB, opts *execution.Options, functions ...execution.Function) *gateway {
	tb.Helper()
	fns, err := execution.New(functions, opts)
	if err != nil {
		tb.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{
		Users: users{}, Logger: slog.New(slog.NewTextHandler(tb.Output(), nil)), NoAccessLog: true,
	})
	if err != nil {
		tb.Fatal(err)
	}
	g := &gateway{TB: tb, fns: fns, app: app, echo: echo.New()}
	if err := app.Mount(g.echo, fns); err != nil {
		tb.Fatal(err)
	}
	return g
}

// answer is what a request was answered.
type answer struct {
	testing.TB

	request string
	status  int
	header  http.Header
	body    string
}

// request returns a request to the gateway, with the API key. headers are name,
// value pairs.
func (g *gateway) request(method, path, body string, headers ...string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(g.Context(), method, "/service/execution/v1"+path, reader)
	r.Header.Set("X-API-Key", apiKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// call executes a function over HTTP.
func (g *gateway) call(name, body string, headers ...string) answer {
	g.Helper()
	return g.serve(g.request(http.MethodPost, "/execute/"+name, body, headers...))
}

// serve sends a request as it is.
func (g *gateway) serve(r *http.Request) answer {
	g.Helper()
	rec := httptest.NewRecorder()
	g.app.Handler(g.echo).ServeHTTP(rec, r)
	return answer{TB: g.TB, request: r.Method + " " + r.URL.String(), status: rec.Code, header: rec.Header(), body: strings.TrimSpace(rec.Body.String())}
}

// gave fails the test unless the answer is 200 with this body.
func (a answer) gave(body string) answer {
	a.Helper()
	if a.status != http.StatusOK || a.body != body {
		a.Fatalf("%s: status %d, body %s; want 200 with %s", a.request, a.status, a.body, body)
	}
	return a
}

// refused fails the test unless the answer is a problem with this status and
// code whose body holds the text.
func (a answer) refused(status int, code, text string) answer {
	a.Helper()
	var p struct {
		Status int
		Code   string
	}
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(a.body), &p) != nil {
		a.Fatalf("%s: status %d, want a problem; body %s", a.request, a.status, a.body)
	}
	if a.status != status || p.Status != status || p.Code != code || !strings.Contains(a.body, text) {
		a.Fatalf("%s: %d %s, want %d %s with %q", a.request, a.status, a.body, status, code, text)
	}
	return a
}

// The functions that most tests have.
type (
	place struct {
		City string `json:"city"          jsonschema:"Name of the city."`
		Unit string `json:"unit,omitempty" jsonschema:"celsius or fahrenheit."`
	}
	weather struct {
		City        string   `json:"city"`
		Temperature float64  `json:"temperature"`
		Warnings    []string `json:"warnings"`
	}
)

func getWeather(opts *execution.FuncOptions) execution.Function {
	return execution.Func("getWeather", "Current weather of a city.", func(_ context.Context, in place) (weather, error) {
		return weather{City: in.City, Temperature: 21.5}, nil
	}, opts)
}
