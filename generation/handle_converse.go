package generation

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleConverse asks Gemini: POST /converse.
func (s *Service) HandleConverse(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	var body converseBody
	if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
		return err
	}
	req, err := s.request(body)
	if err != nil {
		return err
	}
	reply, err := s.Converse(c.Request().Context(), req)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, reply.Parts)
}

// request returns what a body asks for.
func (s *Service) request(body converseBody) (Request, error) {
	contents, err := parseContents(body.Contents, s.origins)
	if err != nil {
		return Request{}, err
	}
	r := Request{Contents: contents, System: body.System, Model: body.Model, Key: body.Key, Functions: body.Functions}
	if body.Functions != nil {
		r.Toolset = s.opts.Toolset
	}
	return r, nil
}
