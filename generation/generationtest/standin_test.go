package generationtest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

func TestTheStandInRepeatsAndSaysSo(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	got := generate(t, c, genai.Text("Good morning"), nil).Text()
	if got != "This is a stand-in for Gemini, not a model. You said: “Good morning”" {
		t.Errorf("got %q", got)
	}
	if again := generate(t, c, genai.Text("Good morning"), nil).Text(); again != got {
		t.Errorf("the second time %q", again)
	}
	if got := generate(t, c, genai.Text(strings.Repeat("é", 1000)), nil).Text(); len(got) > 500 || !strings.HasSuffix(got, "é…”") {
		t.Errorf("a long one: %d bytes, %q", len(got), got)
	}
}

func TestTheStandInStreams(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	pieces, text := 0, ""
	for res, err := range c.Models.GenerateContentStream(t.Context(), flash, genai.Text("Good morning"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		pieces, text = pieces+1, text+res.Text()
	}
	if pieces < 3 || text != "This is a stand-in for Gemini, not a model. You said: “Good morning”" {
		t.Errorf("%d pieces: %q", pieces, text)
	}
}

func TestTheStandInStopsWhereItMustNotGoOn(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	res := generate(t, c, genai.Text("hi"), &genai.GenerateContentConfig{MaxOutputTokens: 2})
	if res.Text() != "This is " || res.Candidates[0].FinishReason != genai.FinishReasonMaxTokens {
		t.Errorf("got %q, %q", res.Text(), res.Candidates[0].FinishReason)
	}
}

func TestTheStandInFillsASchema(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	schema := `{"type":"object","properties":{"name":{"type":"string"},"kind":{"enum":["a","b"]},"tags":{"type":"array","items":{"type":["null","integer"]}},
		"ok":{"type":"boolean"},"either":{"anyOf":[{"const":"x"}]}},"required":["name"],"additionalProperties":false}`
	got := generate(t, c, genai.Text("hi"), &genai.GenerateContentConfig{ResponseMIMEType: "application/json", ResponseJsonSchema: json.RawMessage(schema)}).Text()
	if want := `{"either":"x","kind":"a","name":"stand-in","ok":false,"tags":[0]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// tools declares functions with these JSON Schemas.
func tools(schemas map[string]string) *genai.GenerateContentConfig {
	var tool genai.Tool
	for _, name := range []string{"example_function", "getWeather", "add", "setLight"} {
		if s, ok := schemas[name]; ok {
			tool.FunctionDeclarations = append(tool.FunctionDeclarations, &genai.FunctionDeclaration{Name: name, ParametersJsonSchema: json.RawMessage(s)})
		}
	}
	return &genai.GenerateContentConfig{Tools: []*genai.Tool{&tool}}
}

func TestTheStandInCallsWhatAPromptSpeaksOf(t *testing.T) {
	t.Parallel()
	schemas := map[string]string{
		"example_function": `{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}`,
		"getWeather":       `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`,
		"add":              `{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"integer"}},"required":["a","b"]}`,
		"setLight":         `{"type":"object","properties":{"state":{"type":"string","enum":["on","off"]},"room":{"type":"string"}},"required":["state"]}`,
	}
	tests := map[string]struct {
		prompt string
		want   []string
	}{
		"a word of the name":      {"How is the weather in Paris?", []string{`getWeather {"city":"Paris"}`}},
		"no capital letter":       {"weather in oslo please", []string{`getWeather {"city":"oslo"}`}},
		"the last word":           {"weather lisbon", []string{`getWeather {"city":"lisbon"}`}},
		"a name of several words": {"What is the weather in New York today?", []string{`getWeather {"city":"New York"}`}},
		"several values":          {"Tell me the weather in Paris and Rome.", []string{`getWeather {"city":"Paris"}`, `getWeather {"city":"Rome"}`}},
		"at most four":            {"The weather in Aa, Bb, Cc, Dd, Ee?", []string{`getWeather {"city":"Aa"}`, `getWeather {"city":"Bb"}`, `getWeather {"city":"Cc"}`, `getWeather {"city":"Dd"}`}},
		"a quotation":             {"Call example_function for “ada lovelace”.", []string{`example_function {"name":"ada lovelace"}`}},
		"numbers":                 {"Please add( 2.5 and 3.0 ) for me", []string{`add {"a":2.5,"b":3}`}},
		"an enumeration":          {"Turn the light off in the Kitchen", []string{`setLight {"room":"Kitchen","state":"off"}`}},
		"an argument missing":     {"Which light?", nil},
		"nothing of the kind":     {"Good morning, Ada", nil},
		"a common word only":      {"Call me an example function", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, nil)
			var got []string
			for _, call := range generate(t, c, genai.Text(test.prompt), tools(schemas)).FunctionCalls() {
				args, err := json.Marshal(call.Args)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, call.Name+" "+string(args))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheStandInDoesAsItsConfigSays(t *testing.T) {
	t.Parallel()
	schemas := map[string]string{"getWeather": `{"type":"object"}`, "setLight": `{"type":"object"}`}
	tests := map[string]struct {
		mode    genai.FunctionCallingConfigMode
		allowed []string
		prompt  string
		want    int
	}{
		"none":                 {genai.FunctionCallingConfigModeNone, nil, "getWeather", 0},
		"any":                  {genai.FunctionCallingConfigModeAny, nil, "good morning", 2},
		"any of those allowed": {genai.FunctionCallingConfigModeAny, []string{"setLight"}, "good morning", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, nil)
			config := tools(schemas)
			config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: test.mode, AllowedFunctionNames: test.allowed}}
			if got := len(generate(t, c, genai.Text(test.prompt), config).FunctionCalls()); got != test.want {
				t.Errorf("%d calls, want %d", got, test.want)
			}
		})
	}
}

func TestTheStandInPutsResultsIntoWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		response map[string]any
		want     string
	}{
		"an output":         {map[string]any{"output": map[string]any{"city": "Paris", "degrees": 21}}, "getWeather says: city Paris, degrees 21."},
		"an object":         {map[string]any{"sky": []any{"blue", nil}}, "getWeather says: sky blue, null."},
		"an error":          {map[string]any{"error": "no such city"}, "getWeather failed: no such city."},
		"an error that has": {map[string]any{"error": map[string]any{"code": "x"}}, "getWeather failed: code x."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, nil)
			contents := genai.Text("How is the weather in Paris?")
			calls := generate(t, c, contents, weather()).Candidates[0].Content
			answered := respond(calls)
			answered.Parts[0].FunctionResponse.Response = test.response
			got := generate(t, c, append(contents, calls, answered), weather()).Text()
			if want := "This is a stand-in for Gemini, not a model. " + test.want; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	const n = 100
	done := make(chan string, n)
	for range n {
		go func() {
			res, err := c.Models.GenerateContent(t.Context(), flash, genai.Text("hi"), nil)
			if err != nil {
				done <- err.Error()
				return
			}
			done <- res.Text()
		}()
	}
	for range n {
		if got := <-done; !strings.HasSuffix(got, "“hi”") {
			t.Errorf("got %q", got)
		}
	}
	if got := len(s.Requests(generationtest.OpGenerate)); got != n {
		t.Errorf("%d requests", got)
	}
}
