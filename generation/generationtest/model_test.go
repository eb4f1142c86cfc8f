package generationtest_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

func TestModelsAreListed(t *testing.T) {
	t.Parallel()
	_, c := start(t, &generationtest.Options{Models: []string{"one", "two-embedding"}})
	models := map[string][]string{}
	for m, err := range c.Models.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		models[m.Name] = m.SupportedActions
	}
	want := map[string][]string{"models/one": {"generateContent", "countTokens"}, "models/two-embedding": {"embedContent", "countTokens"}}
	if diff := cmp.Diff(want, models); diff != "" {
		t.Error(diff)
	}
	if m, err := c.Models.Get(t.Context(), "one", nil); err != nil || m.Name != "models/one" || m.InputTokenLimit == 0 {
		t.Errorf("got %+v, %v", m, err)
	}
	_, err := c.Models.Get(t.Context(), "three", nil)
	if e := apiError(t, err); e.Code != 404 || e.Status != "NOT_FOUND" {
		t.Errorf("got %+v", e)
	}
}

func TestTokensAreCounted(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	res, err := c.Models.CountTokens(t.Context(), flash, genai.Text("twelve bytes"), nil)
	if err != nil || res.TotalTokens != 3 {
		t.Errorf("got %+v, %v", res, err)
	}
	s.EnqueueFor(generationtest.OpCountTokens, generationtest.Fail(500, "no"))
	_, err = c.Models.CountTokens(t.Context(), flash, genai.Text("a"), nil)
	apiError(t, err)
	_, err = c.Models.CountTokens(t.Context(), flash, nil, nil)
	apiError(t, err)
}

func TestEmbeddingsAreVectors(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	const model = "gemini-embedding-001"
	contents := []*genai.Content{genai.NewContentFromText("a", genai.RoleUser), genai.NewContentFromText("b", genai.RoleUser), genai.NewContentFromText("a", genai.RoleUser)}
	dimensions := int32(7)
	res, err := c.Models.EmbedContent(t.Context(), model, contents, &genai.EmbedContentConfig{OutputDimensionality: &dimensions})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Embeddings) != 3 || len(res.Embeddings[0].Values) != 7 {
		t.Fatalf("got %+v", res.Embeddings)
	}
	if !cmp.Equal(res.Embeddings[0].Values, res.Embeddings[2].Values) || cmp.Equal(res.Embeddings[0].Values, res.Embeddings[1].Values) {
		t.Error("the same text has not the same vector, or another one has")
	}
	sum := 0.0
	for _, v := range res.Embeddings[1].Values {
		sum += float64(v) * float64(v)
	}
	if math.Abs(sum-1) > 1e-5 {
		t.Errorf("the length is %v", math.Sqrt(sum))
	}
	if res, err := c.Models.EmbedContent(t.Context(), model, contents, nil); err != nil || len(res.Embeddings[0].Values) != 768 {
		t.Errorf("got %+v, %v", res, err)
	}
	if _, err := c.Models.EmbedContent(t.Context(), flash, contents, nil); apiError(t, err).Code != 404 {
		t.Errorf("got %v", err)
	}
	_, err = c.Models.EmbedContent(t.Context(), model, make([]*genai.Content, 101), nil)
	if e := apiError(t, err); !strings.Contains(e.Message, "at most 100") {
		t.Errorf("got %+v", e)
	}
}
