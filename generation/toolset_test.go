package generation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/generation"
)

// tools is a toolset: each function is given its arguments.
type tools map[string]func(ctx context.Context, args json.RawMessage) (json.RawMessage, error)

// order is in which order the functions of a test are declared.
var order = []string{"getWeather", "getTime", "fail", "panic", "exit"}

func (s tools) Names() []string {
	var names []string
	for _, name := range order {
		if s[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

func (s tools) Describe(name string) (description string, input, output json.RawMessage) {
	return "Does " + name + ".", json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`), nil
}

func (s tools) Call(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error) {
	return s[name](ctx, args)
}

// weather is the function of most tests: it says where it is 21 degrees.
func weather(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
	var in struct{ City string }
	if err := json.Unmarshal(args, &in); err != nil || in.City == "" {
		return nil, errors.New("invalid: city is missing")
	}
	return json.Marshal(map[string]any{"city": in.City, "degrees": 21})
}

func TestToolsetsCombine(t *testing.T) {
	t.Parallel()
	at := func(place string) func(context.Context, json.RawMessage) (json.RawMessage, error) {
		return func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			return json.RawMessage(fmt.Sprintf(`"%s %s"`, place, args)), nil
		}
	}
	both, err := generation.Combine(tools{"getWeather": at("a")}, tools{"getTime": at("b"), "fail": at("b")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"getWeather", "getTime", "fail"}, both.Names()); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"getWeather": `"a 1"`, "fail": `"b 1"`} {
		if got, err := both.Call(t.Context(), name, json.RawMessage("1")); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
		if description, input, _ := both.Describe(name); description != "Does "+name+"." || input == nil {
			t.Errorf("%s: described as %q", name, description)
		}
	}
	if _, err := both.Call(t.Context(), "panic", nil); err == nil {
		t.Error("a function that there is not was called")
	}
	if description, input, _ := both.Describe("panic"); description != "" || input != nil {
		t.Error("a function that there is not is described")
	}
	_, err = generation.Combine(tools{"getWeather": weather}, nil, tools{"getWeather": weather})
	if err == nil || !strings.Contains(err.Error(), `"getWeather"`) || !strings.Contains(err.Error(), "toolset 1 is nil") {
		t.Errorf("got %v", err)
	}
}
