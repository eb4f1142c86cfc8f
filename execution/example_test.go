package execution_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/middleware"
)

// Two functions, one of which refuses what it does not know, called over HTTP.
func Example() {
	type greetingIn struct {
		Name string `json:"name" jsonschema:"Whom to greet."`
	}
	type greetingOut struct {
		Greeting string `json:"greeting"`
	}
	exampleFunction := func(_ context.Context, in greetingIn) (greetingOut, error) {
		return greetingOut{"Hello, " + in.Name + "!"}, nil
	}

	type weatherIn struct {
		City string `json:"city" jsonschema:"Name of the city."`
	}
	type weatherOut struct {
		City        string  `json:"city"`
		Conditions  string  `json:"conditions"`
		Temperature float64 `json:"temperature" jsonschema:"In degrees Celsius."`
	}
	// The weather is made up.
	weather := map[string]weatherOut{
		"Casablanca": {"Casablanca", "sunny", 24},
		"Paris":      {"Paris", "cloudy", 14.5},
	}
	getWeather := func(_ context.Context, in weatherIn) (weatherOut, error) {
		out, ok := weather[in.City]
		if !ok {
			return out, execution.Errorf(http.StatusNotFound, "city_unknown", "No weather is known for that city.")
		}
		return out, nil
	}

	fns, err := execution.New([]execution.Function{
		execution.Func("example_function", "Greets somebody by name.", exampleFunction, nil),
		execution.Func("getWeather", "Current weather of a city.", getWeather, nil),
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	const key = "0123456789abcdef0123456789abcdef"
	app, err := coglex.New(key, &coglex.Options{NoAccessLog: true})
	if err != nil {
		log.Fatal(err)
	}
	e := echo.New()
	if err := app.Mount(e, fns); err != nil {
		log.Fatal(err)
	}

	for _, call := range []struct{ function, body string }{
		{"example_function", `{"name":"Ada"}`}, {"getWeather", `{"city":"Paris"}`}, {"getWeather", `{"city":7}`},
	} {
		r := httptest.NewRequest(http.MethodPost, "/service/execution/v1/execute/"+call.function, strings.NewReader(call.body))
		r.Header.Set("X-API-Key", key)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		fmt.Printf("%d %.77s\n", w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 200 {"greeting":"Hello, Ada!"}
	// 200 {"city":"Paris","conditions":"cloudy","temperature":14.5}
	// 400 {"code":"invalid","detail":"The input is invalid.","errors":[{"field":"city",
}

// A function that needs a signed-in user, called by the gateway's own code.
func ExampleService_Call() {
	whoami := execution.Func("whoami", "Tells who calls.", func(ctx context.Context, _ struct{}) (string, error) {
		id, _ := middleware.FromContext(ctx)
		return id.UserID(), nil
	}, &execution.FuncOptions{User: true})
	fns, err := execution.New([]execution.Function{whoami}, nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = fns.Call(context.Background(), "whoami", nil)
	fmt.Println(err)
	text, err := fns.Call(middleware.NewContext(context.Background(), user("ann")), "whoami", nil)
	fmt.Println(string(text), err)
	// Output:
	// unauthenticated: Sign in first: this route needs a bearer token or a session cookie.
	// "ann" <nil>
}

// Functions for a language model: what it is told, and what it may call.
func ExampleService_Tools() {
	type in struct {
		N int `json:"n"`
	}
	double := execution.Func("double", "Doubles a number.", func(_ context.Context, in in) (int, error) { return 2 * in.N, nil }, nil)
	fns, err := execution.New([]execution.Function{double}, nil)
	if err != nil {
		log.Fatal(err)
	}
	tools, err := fns.Tools("double")
	if err != nil {
		log.Fatal(err)
	}
	description, input, _ := tools.Describe("double")
	fmt.Println(description, string(input))
	text, err := tools.Call(context.Background(), "double", []byte(`{"n":21}`))
	fmt.Println(string(text), err)
	_, err = tools.Call(context.Background(), "double", []byte(`{"n":"21"}`))
	fmt.Println(err)
	// Output:
	// Doubles a number. {"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}
	// 42 <nil>
	// invalid: The input is invalid. n must be an integer
}
