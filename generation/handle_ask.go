package generation

import (
	"encoding/json"
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleTokens counts the tokens of a request: POST /tokens.
func (s *Service) HandleTokens(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	var body tokensBody
	if err := s.read(c, &body); err != nil {
		return err
	}
	r, err := s.request(converseBody{Contents: body.Contents, System: body.System, Tools: body.Tools, Model: body.Model, Key: body.Key})
	if err != nil {
		return err
	}
	n, err := s.CountTokens(c.Request().Context(), r)
	if err != nil {
		return err
	}
	return respondJSON(c, tokensAnswer{n})
}

// HandleEmbed makes vectors of texts: POST /embed.
func (s *Service) HandleEmbed(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	var body embedBody
	if err := s.read(c, &body); err != nil {
		return err
	}
	vectors, err := s.Embed(c.Request().Context(), EmbedRequest(body))
	if err != nil {
		return err
	}
	return respondJSON(c, embedAnswer{vectors})
}

// HandleModels lists the models that the gateway's key may use: GET /models.
func (s *Service) HandleModels(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	models, err := s.Models(c.Request().Context(), "")
	if err != nil {
		return err
	}
	return respondJSON(c, models)
}

// read reads the body of a request that has no query.
func (s *Service) read(c echo.Context, body any) error {
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	return strict.Body(c, s.opts.BodyLimit, body)
}

// respondJSON answers with a value as JSON.
func respondJSON(c echo.Context, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("generation: %w", err)
	}
	return respond(c, text)
}
