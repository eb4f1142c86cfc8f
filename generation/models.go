package generation

import (
	"context"

	"google.golang.org/genai"
)

// Model is a model that Gemini has.
type Model struct {
	// Name is "models/x".
	Name string `json:"name"`
	// Title and Description are for people.
	Title       string `json:"title"`
	Description string `json:"description"`
	// InputTokens and OutputTokens are how much it takes and gives.
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
	// Methods are what it can do, as Gemini spells it: "generateContent",
	// "embedContent" …
	Methods []string `json:"methods"`
}

// maxPages is how many pages of models are asked for.
const maxPages = 20

// Models returns the models that a key may use, or the service's own key where it
// is "". Its errors are those of [Service.Converse].
func (s *Service) Models(ctx context.Context, key string) ([]Model, error) {
	key, own, err := s.keyOf(key)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	models, token := []Model{}, ""
	for range maxPages {
		var page genai.Page[genai.Model]
		err := s.ask(ctx, question{key: key, own: own, expect: "models"}, func(ctx context.Context) (err error) {
			page, err = s.gemini.Models.List(ctx, &genai.ListModelsConfig{PageSize: 1000, PageToken: token})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			models = append(models, Model{
				Name: m.Name, Title: m.DisplayName, Description: m.Description, Methods: append([]string{}, m.SupportedActions...),
				InputTokens: int64(m.InputTokenLimit), OutputTokens: int64(m.OutputTokenLimit),
			})
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	return models, nil
}
