package generationtest_test

import (
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// weather declares the function of most examples.
func weather() *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{
		Name: "getWeather", Description: "Get current weather.",
		ParametersJsonSchema: map[string]any{
			"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []any{"city"},
		},
	}}}}}
}

// respond returns the turn that answers each call of a content with the city in it.
func respond(c *genai.Content) *genai.Content {
	turn := &genai.Content{Role: genai.RoleUser}
	for _, p := range c.Parts {
		if call := p.FunctionCall; call != nil {
			turn.Parts = append(turn.Parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{
				ID: call.ID, Name: call.Name, Response: map[string]any{"output": map[string]any{"city": call.Args["city"], "degrees": 21}},
			}})
		}
	}
	return turn
}

func TestParallelCallsHaveOneSignature(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(generationtest.Chunk(
		generationtest.Call("getWeather", map[string]any{"city": "Paris"}),
		generationtest.Call("getWeather", map[string]any{"city": "Rome"}),
	))
	parts := generate(t, c, genai.Text("hi"), weather()).Candidates[0].Content.Parts
	if len(parts) != 2 || len(parts[0].ThoughtSignature) == 0 || len(parts[1].ThoughtSignature) != 0 {
		t.Fatalf("got %+v", parts)
	}
	if a, b := parts[0].FunctionCall.ID, parts[1].FunctionCall.ID; a == "" || a == b {
		t.Errorf("the ids are %q and %q", a, b)
	}
}

func TestSignaturesAreChecked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*genai.Content)
		want   string
	}{
		"intact":  {func(*genai.Content) {}, ""},
		"missing": {func(c *genai.Content) { c.Parts[0].ThoughtSignature = nil }, "Function call is missing a thought_signature in functionCall parts."},
		"changed": {func(c *genai.Content) { c.Parts[0].ThoughtSignature[3]++ }, "Corrupted thought signature."},
		"at the other call": {func(c *genai.Content) {
			c.Parts[0].ThoughtSignature, c.Parts[1].ThoughtSignature = nil, c.Parts[0].ThoughtSignature
		}, "Function call is missing a thought_signature in functionCall parts."},
		"with another argument": {func(c *genai.Content) { c.Parts[0].FunctionCall.Args["city"] = "Oslo" }, "Corrupted thought signature."},
		"the calls exchanged":   {func(c *genai.Content) { c.Parts[0], c.Parts[1] = c.Parts[1], c.Parts[0] }, "Function call is missing a thought_signature"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, nil)
			contents := genai.Text("How is the weather in Paris and Rome?")
			calls := generate(t, c, contents, weather()).Candidates[0].Content
			if len(calls.Parts) != 2 {
				t.Fatalf("got %+v", calls)
			}
			answered := respond(calls)
			test.change(calls)
			_, err := c.Models.GenerateContent(t.Context(), flash, append(contents, calls, answered), weather())
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "":
				if e := apiError(t, err); e.Code != 400 || !strings.Contains(e.Message, test.want) {
					t.Errorf("got %+v, want %q", e, test.want)
				}
			}
		})
	}
}

func TestSignaturesOfFormerTurnsAreNotNeeded(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	contents := genai.Text("How is the weather in Paris?")
	calls := generate(t, c, contents, weather()).Candidates[0].Content
	answered := respond(calls)
	calls.Parts[0].ThoughtSignature = nil
	contents = append(contents, calls, answered, genai.NewContentFromText("It is fine.", genai.RoleModel), genai.NewContentFromText("Thanks", genai.RoleUser))
	generate(t, c, contents, weather())
}

func TestOlderModelsNeedNoSignature(t *testing.T) {
	t.Parallel()
	_, c := start(t, &generationtest.Options{Unsigned: true})
	contents := genai.Text("How is the weather in Paris?")
	calls := generate(t, c, contents, weather()).Candidates[0].Content
	calls.Parts[0].ThoughtSignature = nil
	generate(t, c, append(contents, calls, respond(calls)), weather())
}

func TestASignatureOfTheScriptIsGood(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(generationtest.Part(map[string]any{
		"functionCall": map[string]any{"name": "getWeather", "args": map[string]any{"city": "Paris"}}, "thoughtSignature": "b3VycyBhbG9uZQ==",
	}))
	contents := genai.Text("hi")
	calls := generate(t, c, contents, weather()).Candidates[0].Content
	if string(calls.Parts[0].ThoughtSignature) != "ours alone" {
		t.Fatalf("got %q", calls.Parts[0].ThoughtSignature)
	}
	generate(t, c, append(contents, calls, respond(calls)), weather())
}

func TestEachCallIsAnswered(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	contents := genai.Text("How is the weather in Paris and Rome?")
	calls := generate(t, c, contents, weather()).Candidates[0].Content
	answered := respond(calls)
	answered.Parts = answered.Parts[:1]
	e := refused(t, c, append(contents, calls, answered), weather())
	if !strings.Contains(e.Message, "number of function response parts is equal") {
		t.Errorf("got %+v", e)
	}
}
