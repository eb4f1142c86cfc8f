package generation_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

func TestAStreamCallsFunctionsInBetween(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	usage := generationtest.Used(generationtest.Usage{Input: 10, Output: 5})
	g.gemini.Enqueue(
		generationtest.Stream(usage, generationtest.Text("Let me "), generationtest.Text("look."), generationtest.Call("getWeather", city("Rome")), generationtest.Call("getWeather", city("Oslo"))),
		generationtest.Stream(usage, generationtest.Text("21 "), generationtest.Text("degrees.")),
	)
	var got []string
	var total generation.Usage
	for chunk, err := range g.gen.Stream(t.Context(), ask(tools{"getWeather": weather})) {
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Usage != nil {
			total = *chunk.Usage
			continue
		}
		for _, p := range chunk.Parts {
			call, _ := p.FunctionCall()
			got = append(got, chunk.Role+": "+p.Text()+call.Name)
		}
	}
	want := []string{"model: Let me ", "model: look.", "model: getWeather", "model: getWeather", "user: ", "user: ", "model: 21 ", "model: degrees."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if total != (generation.Usage{Input: 20, Output: 10, Total: 30}) {
		t.Errorf("usage %+v", total)
	}
	// What goes back has the texts in one, and each call with its signature: the
	// double would refuse it else.
	var body struct{ Contents []generation.Content }
	if err := json.Unmarshal(g.gemini.Requests()[1].Body, &body); err != nil {
		t.Fatal(err)
	}
	if turn := body.Contents[1].Parts; len(turn) != 3 || turn[0].Text() != "Let me look." || !strings.Contains(string(turn[1]), "thoughtSignature") {
		t.Errorf("the turn is %s", turn)
	}
}

func TestASignatureInAPieceOfTextStaysThere(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(
		generationtest.Stream(
			generationtest.Text("a"), generationtest.Part(map[string]any{"text": "", "thoughtSignature": "c2lnbmVk"}), generationtest.Text("b"),
			generationtest.Thought("c"), generationtest.Thought("d"), generationtest.Text("e"), generationtest.Text("f"), generationtest.Call("getWeather", city("Rome")),
		),
		generationtest.Text("ok"),
	)
	for _, err := range g.gen.Stream(t.Context(), ask(tools{"getWeather": weather})) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var body struct{ Contents []generation.Content }
	if err := json.Unmarshal(g.gemini.Requests()[1].Body, &body); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range body.Contents[1].Parts[:6] {
		got = append(got, string(p))
	}
	want := []string{
		`{"text":"a"}`, `{"text":"","thoughtSignature":"c2lnbmVk"}`, `{"text":"b"}`,
		`{"text":"c","thought":true}`, `{"text":"d","thought":true}`, `{"text":"ef"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestALoopThatBreaksCallsNothingMore(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	calls := 0
	set := tools{"getWeather": func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
		calls++
		return weather(ctx, args)
	}}
	for _, role := range []string{generation.RoleModel, generation.RoleUser} {
		g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")))
		for chunk, err := range g.gen.Stream(t.Context(), ask(set)) {
			if err != nil {
				t.Fatal(err)
			}
			if chunk.Role == role {
				break
			}
		}
	}
	if n := len(g.gemini.Requests()); n != 2 || calls != 1 {
		t.Errorf("%d requests and %d calls", n, calls)
	}
}

func TestFunctionsAreNamedOverHTTP(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{Toolset: tools{"getWeather": weather, "getTime": weather}})
	g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")), generationtest.Text("21 degrees."))
	g.converse("hi", `, "functions": ["getWeather"]`).parts(`[{"text": "21 degrees."}]`)
	if body := string(g.gemini.Requests()[0].Body); !strings.Contains(body, `"getWeather"`) || strings.Contains(body, `"getTime"`) {
		t.Errorf("Gemini was offered %s", body)
	}
	g.converse("hi", `, "functions": ["getWeather", "inner"]`).refused(http.StatusBadRequest, "invalid", `"functions[1]"`)
	g.converse("hi", `, "functions": ["getTime", "getWeather", "getTime"]`).refused(http.StatusBadRequest, "invalid", `"functions[2]"`)
	g.converse("hi", `, "functions": ["getWeather"], "tools": [{"name": "getWeather"}]`).refused(http.StatusBadRequest, "invalid", `"tools[0]"`)
	newGateway(t, nil).converse("hi", `, "functions": ["getWeather"]`).refused(http.StatusBadRequest, "invalid", `"functions"`)

	// A client that declares a function of ours gets the call, and it is not made.
	g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")))
	a := g.converse("hi", `, "tools": [{"name": "getWeather"}]`).want(http.StatusOK)
	if !strings.Contains(a.body, `"functionCall"`) {
		t.Errorf("got %s", a.body)
	}
}

func TestFunctionsAreEventsOverHTTP(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{Toolset: tools{"getWeather": weather}})
	g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")), generationtest.Texts("21 ", "degrees."))
	a := g.converse("hi", `, "functions": ["getWeather"]`, "Accept", "text/event-stream").want(http.StatusOK)
	var names []string
	for line := range strings.Lines(a.body) {
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	if diff := cmp.Diff([]string{"part", "function", "part", "part", "usage", "done"}, names); diff != "" {
		t.Errorf("%s in %s", diff, a.body)
	}
}
