package generation

import (
	"cmp"
	"context"
	"fmt"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/service"
)

// maxTexts is how many texts one request may embed; Gemini takes no more.
const maxTexts = 100

// EmbedRequest says what is made a vector of.
type EmbedRequest struct {
	// Texts are 1 to 100 texts.
	Texts []string
	// Task is what the vectors are for, as Gemini spells it: "RETRIEVAL_DOCUMENT",
	// "RETRIEVAL_QUERY", "SEMANTIC_SIMILARITY" … or "".
	Task string
	// Dimensions is how long a vector is; 0 is the model's own length.
	Dimensions int32
	// Model is "models/x" or "x"; "" is Options.EmbeddingModel.
	Model string
	// Key is the Gemini key to use, or "" for the service's own.
	Key string
}

// Embed returns a vector for each text, in their order. Gemini does not say how many
// tokens it took, and so it counts as a call without any. Its errors are those of
// [Service.Converse].
func (s *Service) Embed(ctx context.Context, r EmbedRequest) (vectors [][]float32, err error) {
	model, err := modelName(cmp.Or(r.Model, s.opts.EmbeddingModel))
	if err != nil {
		return nil, err
	}
	key, own, err := s.keyOf(r.Key)
	if err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	c, began := &call{model: model, key: key, ownKey: own, user: userOf(ctx)}, s.opts.Now()
	defer func() { s.settle(ctx, c, began, Usage{}, err, false) }()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	config := &genai.EmbedContentConfig{HTTPOptions: sendAs(r.body(model))}
	err = s.ask(ctx, question{key: key, own: own}, func(ctx context.Context) error {
		res, err := s.gemini.Models.EmbedContent(ctx, model, nil, config)
		if err == nil {
			vectors, err = vectorsOf(res, len(r.Texts))
		}
		return err
	})
	return vectors, err
}

// check returns what is wrong with a request.
func (r *EmbedRequest) check() error {
	if len(r.Texts) == 0 {
		return service.Invalid("texts", "must not be empty")
	}
	if len(r.Texts) > maxTexts {
		return service.Invalid("texts", fmt.Sprintf("has more than %d elements", maxTexts))
	}
	for i, text := range r.Texts {
		if text == "" {
			return service.Invalid(at("texts", i), "must not be empty")
		}
	}
	if r.Dimensions < 0 {
		return service.Invalid("dimensions", "must not be negative")
	}
	if r.Task != "" && word(r.Task) == "" {
		return service.Invalid("task", `must be a word such as "RETRIEVAL_QUERY"`)
	}
	return nil
}

// body returns the request in Gemini's words.
func (r *EmbedRequest) body(model string) map[string]any {
	requests := make([]map[string]any, len(r.Texts))
	for i, text := range r.Texts {
		one := map[string]any{"model": model, "content": map[string]any{"parts": []Part{Text(text)}}}
		if r.Task != "" {
			one["taskType"] = r.Task
		}
		if r.Dimensions != 0 {
			one["outputDimensionality"] = r.Dimensions
		}
		requests[i] = one
	}
	return map[string]any{"requests": requests}
}

// vectorsOf returns the vectors of an answer, of which there must be n.
func vectorsOf(res *genai.EmbedContentResponse, n int) ([][]float32, error) {
	if len(res.Embeddings) != n {
		return nil, errVectors
	}
	vectors := make([][]float32, n)
	for i, e := range res.Embeddings {
		if e == nil || len(e.Values) == 0 {
			return nil, errVectors
		}
		vectors[i] = e.Values
	}
	return vectors, nil
}
