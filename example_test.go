package coglex_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/service"
)

// exampleKey stands for SERVER_SECRET, which a gateway reads from its settings.
const exampleKey = "dGhpcyBpcyBvbmx5IGFuIGV4YW1wbGUga2V5"

// clock is a small service of a host's own.
type clock struct{ host service.Host }

func (*clock) Name() string                     { return "clock" }
func (*clock) Collections() []service.Namespace { return nil }
func (c *clock) Adopt(h service.Host)           { c.host = h }
func (*clock) Start(context.Context) error      { return nil }
func (*clock) Ready(context.Context) error      { return nil }
func (*clock) Stop(context.Context) error       { return nil }

func (c *clock) Routes() []service.Route {
	return []service.Route{{
		Name: "now", Method: http.MethodGet, Path: "/now", Handler: c.HandleNow,
		Need: service.Key, Scope: "clock:read", Summary: "Tells the time.",
	}}
}

func (c *clock) HandleNow(ctx echo.Context) (err error) {
	defer service.Edge(ctx, c.host.Logger, &err)
	return ctx.JSON(http.StatusOK, map[string]string{"now": "noon"})
}

// ask sends a request to a gateway and prints what it answers.
func ask(gateway http.Handler, path, key string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if key != "" {
		r.Header.Set("X-API-Key", key)
	}
	rec := httptest.NewRecorder()
	gateway.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		fmt.Println(rec.Code, rec.Header().Get("Content-Type"))
		return
	}
	fmt.Print(rec.Code, " ", rec.Body.String())
}

func ExampleNew() {
	_, err := coglex.New("too-short", &coglex.Options{BaseURL: "api.example.com"})
	fmt.Println(err)
	// Output:
	// coglex: API key (SERVER_SECRET): middleware: API key 1 of 1 has 9 bytes, and needs 32 or more
	// coglex: Options.BaseURL must look like https://api.example.com
}

func ExampleApp_Mount() {
	app, err := coglex.New(exampleKey, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := echo.New()
	if err := app.Mount(e, new(clock)); err != nil {
		fmt.Println(err)
		return
	}
	for _, route := range app.Routes() {
		fmt.Println(route.Route.Method, route.Path, "asks for a", route.Route.Need)
	}
	ask(e, "/service/clock/v1/now", exampleKey)
	ask(e, "/service/clock/v1/now/", "")
	// Output:
	// GET /service/clock/v1/now asks for a Key
	// 200 {"now":"noon"}
	// 401 application/problem+json
}

func ExampleApp_MountWith() {
	app, err := coglex.New(exampleKey, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := echo.New()
	if err := app.MountWith(e, new(clock), coglex.MountOptions{Prefix: "/time", Only: []string{"now"}}); err != nil {
		fmt.Println(err)
		return
	}
	ask(e, "/time/now", exampleKey)
	// Output:
	// 200 {"now":"noon"}
}

func ExampleApp_Protected() {
	app, err := coglex.New(exampleKey, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := echo.New()
	e.GET("/hello", func(c echo.Context) error {
		return c.String(http.StatusOK, "Hello, server.\n")
	}, app.Protected())

	ask(e, "/hello", exampleKey)
	ask(e, "/hello", "another key")
	// Output:
	// 200 Hello, server.
	// 401 application/problem+json
}
