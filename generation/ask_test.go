package generation_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

func TestTokensAreCounted(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	a := g.post("/tokens", `{"contents": [{"parts": [{"text": "some words to count"}]}]}`).want(http.StatusOK)
	if !strings.HasPrefix(a.body, `{"tokens":`) || a.body == `{"tokens":0}` {
		t.Errorf("got %s", a.body)
	}
	g.post("/tokens", `{"contents": [{"parts": [{"text": "hi"}]}], "system": "be brief", "tools": [{"name": "f"}]}`).want(http.StatusOK)
	if body, ok := g.sent(generationtest.OpCountTokens)["generateContentRequest"].(map[string]any); !ok || body["systemInstruction"] == nil || body["tools"] == nil || body["model"] != "models/gemini-2.5-flash" {
		t.Errorf("Gemini was asked %v", g.sent(generationtest.OpCountTokens))
	}
	g.post("/tokens", `{"contents": []}`).refused(http.StatusBadRequest, "invalid", "contents")
	g.post("/tokens", `{"contents": [], "functions": []}`).refused(http.StatusBadRequest, "invalid", "functions")
	g.gemini.EnqueueFor(generationtest.OpCountTokens, generationtest.Fail(http.StatusServiceUnavailable, "no"))
	g.post("/tokens", hi).want(http.StatusOK)
	g.gemini.EnqueueFor(generationtest.OpCountTokens, generationtest.Raw(http.StatusOK, "application/json", `{}`))
	g.post("/tokens", hi).refused(http.StatusInternalServerError, "generation_failed", "")
}

func TestTextsBecomeVectors(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	a := g.post("/embed", `{"texts": ["one", "two"], "task": "RETRIEVAL_QUERY", "dimensions": 8}`).want(http.StatusOK)
	var body struct{ Embeddings [][]float32 }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || len(body.Embeddings) != 2 || len(body.Embeddings[0]) != 8 {
		t.Errorf("%v in %s", err, a.body)
	}
	sent, _ := json.Marshal(g.sent(generationtest.OpEmbed))
	for _, want := range []string{`"taskType":"RETRIEVAL_QUERY"`, `"outputDimensionality":8`, `"model":"models/gemini-embedding-001"`, `{"text":"two"}`} {
		if !strings.Contains(string(sent), want) {
			t.Errorf("Gemini was asked %s, want %s", sent, want)
		}
	}
	for body, field := range map[string]string{
		`{}`: "texts", `{"texts": []}`: "texts", `{"texts": [""]}`: "texts[0]", `{"texts": "a"}`: "texts", `{"texts": ["a"], "dimensions": -1}`: "dimensions",
		`{"texts": ["a"], "task": "no word"}`: "task", `{"texts": [` + strings.Repeat(`"a",`, 100) + `"a"]}`: "texts", `{"texts": [null]}`: "texts[0]",
	} {
		g.post("/embed", body).refused(http.StatusBadRequest, "invalid", `"field":"`+field+`"`)
	}
	for _, short := range []string{`{}`, `{"embeddings": []}`, `{"embeddings": [{"values": [1]}, {}]}`, `{"embeddings": [{"values": [1]}, null]}`} {
		g.gemini.EnqueueFor(generationtest.OpEmbed, generationtest.Raw(http.StatusOK, "application/json", short))
		g.post("/embed", `{"texts": ["one", "two"]}`).refused(http.StatusInternalServerError, "generation_failed", "")
	}
}

func TestModelsAreListed(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	models, err := g.gen.Models(t.Context(), "")
	if err != nil || len(models) == 0 || !strings.HasPrefix(models[0].Name, "models/") {
		t.Fatalf("got %v, %v", models, err)
	}
	a := g.do(http.MethodGet, "/models", "", nil).want(http.StatusOK)
	var listed []generation.Model
	if err := json.Unmarshal([]byte(a.body), &listed); err != nil || len(listed) != len(models) {
		t.Errorf("%v in %s", err, a.body)
	}
	g.gemini.EnqueueFor(
		generationtest.OpListModels,
		generationtest.Raw(http.StatusOK, "application/json", `{"models":[{"name":"models/a"}],"nextPageToken":"n"}`),
		generationtest.Raw(http.StatusOK, "application/json", `{"models":[{"name":"models/b"}]}`),
	)
	if models, err = g.gen.Models(t.Context(), ""); err != nil || len(models) != 2 || models[1].Name != "models/b" {
		t.Errorf("got %v, %v", models, err)
	}
	for _, odd := range []string{`{}`, `[]`, `{"models": null}`, `{"models": {}}`, ``} {
		g.gemini.EnqueueFor(generationtest.OpListModels, generationtest.Raw(http.StatusOK, "application/json", odd))
		a := g.do(http.MethodGet, "/models", "", nil)
		a.request = odd
		a.refused(http.StatusInternalServerError, "generation_failed", "")
	}
}
