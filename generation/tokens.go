package generation

import (
	"context"

	"google.golang.org/genai"
)

// CountTokens returns how many tokens a request is, with its system instruction and
// its declarations. It costs nothing, and is in no account. Its errors are those of
// [Service.Converse].
func (s *Service) CountTokens(ctx context.Context, r Request) (int64, error) {
	c, err := s.check(ctx, r)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	config := &genai.CountTokensConfig{HTTPOptions: sendAs(c.countBody())}
	var res *genai.CountTokensResponse
	err = s.ask(ctx, question{key: c.key, own: c.ownKey, expect: "totalTokens"}, func(ctx context.Context) (err error) {
		res, err = s.gemini.Models.CountTokens(ctx, c.model, nil, config)
		return err
	})
	if err != nil {
		return 0, err
	}
	return int64(res.TotalTokens), nil
}

// countBody returns the request in Gemini's words. The SDK refuses to count more
// than contents; Gemini does not.
func (c *call) countBody() map[string]any {
	body := c.body()
	if len(body) == 1 {
		return body
	}
	body["model"] = c.model
	return map[string]any{"generateContentRequest": body}
}
