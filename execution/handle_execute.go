package execution

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

const (
	// headerKey is the header of draft-ietf-httpapi-idempotency-key-header.
	headerKey = "Idempotency-Key"
	// headerReplayed says that an answer is that of an earlier call.
	headerReplayed = "Idempotency-Replayed"
)

// HandleExecute executes a function: POST /execute/:function.
func (s *Service) HandleExecute(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	name, err := service.Param(c, "function")
	if err != nil {
		return err
	}
	f := s.functions[name]
	if f == nil {
		return ErrUnknown
	}
	r := c.Request()
	if _, err := strict.ParseQuery(r.URL); err != nil {
		return err
	}
	key, err := f.key(r.Header)
	if err != nil {
		return err
	}
	if err := f.admit(WithOrigin(r.Context(), OriginHTTP)); err != nil {
		return err // before the body is read
	}
	input, err := s.inputOf(c, f)
	if err != nil {
		return err
	}
	text, replayed, err := s.call(WithOrigin(r.Context(), OriginHTTP), name, input, key)
	if replayed {
		c.Response().Header().Set(headerReplayed, "true")
	}
	if err != nil {
		return err
	}
	return s.respond(c, text)
}

// inputOf returns the body, or nothing where the function takes nothing and the
// request has no body.
func (s *Service) inputOf(c echo.Context, f *function) (jsontext.Value, error) {
	if !strict.HasBody(c.Request()) && len(f.input.members) == 0 {
		return nil, nil
	}
	var body jsontext.Value
	if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
		return nil, err
	}
	return f.named(body)
}

// key returns the idempotency key of a request, "" where there is none.
func (f *function) key(h http.Header) (string, error) {
	values, given := h[headerKey]
	if !given {
		return "", nil
	}
	if !f.opts.Idempotent {
		return "", service.Invalid(headerKey, "is not taken by this function")
	}
	invisible := func(r rune) bool { return r < '!' || r > '~' }
	if len(values) != 1 || values[0] == "" || len(values[0]) > MaxKeyBytes || strings.ContainsFunc(values[0], invisible) {
		return "", service.Invalid(headerKey, "must be given once, with 1 to 255 visible ASCII characters")
	}
	return values[0], nil
}
