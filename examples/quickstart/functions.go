package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/imadelakhaldev/coglex/execution"
)

// functions are what clients may call by name, over HTTP and MCP, and Gemini too.
func functions() []execution.Function {
	return []execution.Function{
		execution.Func("example_function", "Greets somebody by name.", greet, nil),
		execution.Func("getWeather", "Says what the weather is like in a city.", weather, nil),
	}
}

type person struct {
	Name string `json:"name" jsonschema:"who is greeted"`
}

type greeting struct {
	Message string `json:"message"`
}

func greet(_ context.Context, p person) (greeting, error) {
	return greeting{Message: "Hello, " + p.Name + "!"}, nil
}

type place struct {
	City string `json:"city" jsonschema:"the name of a city"`
}

type report struct {
	City    string `json:"city"`
	Sky     string `json:"sky"`
	Celsius int    `json:"celsius"`
}

// weather makes the weather up, the same for a city each time.
func weather(_ context.Context, p place) (report, error) {
	city := strings.TrimSpace(p.City)
	if city == "" {
		return report{}, execution.Errorf(http.StatusBadRequest, "city_unknown", "a city without a name has no weather")
	}
	skies := []string{"sunny", "cloudy", "rainy", "foggy"}
	return report{City: city, Sky: skies[len(city)%len(skies)], Celsius: 10 + len(city)}, nil
}
