package generation

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// headerFinish is Gemini's word for why an answer ended, such as "MAX_TOKENS": the
// parts do not tell.
const headerFinish = "X-Finish-Reason"

// HandleConverse asks Gemini: POST /converse.
func (s *Service) HandleConverse(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	var body converseBody
	if err := s.read(c, &body); err != nil {
		return err
	}
	req, err := s.request(body)
	if err != nil {
		return err
	}
	if wantsEvents(c.Request().Header) {
		return s.respondEvents(c, req)
	}
	reply, err := s.Converse(c.Request().Context(), req)
	if err != nil {
		return err
	}
	if reply.FinishReason != "" {
		c.Response().Header().Set(headerFinish, reply.FinishReason)
	}
	return respond(c, list(reply.Parts))
}

// request returns what a body asks for.
func (s *Service) request(body converseBody) (Request, error) {
	r := Request{System: body.System, Model: body.Model, Key: body.Key, Functions: body.Functions}
	var err error
	if r.Contents, err = parseContents(body.Contents, s.part); err != nil {
		return r, err
	}
	if r.Config, err = parseConfig(body.Config); err != nil {
		return r, err
	}
	tools := toolReader{allowed: s.opts.ServerTools}
	if err := tools.read(body.Tools); err != nil {
		return r, err
	}
	r.Tools, r.ServerTools = tools.declarations, tools.server
	if body.Functions != nil {
		r.Toolset = s.opts.Toolset
	}
	return r, nil
}

// list returns parts as a JSON array. They are JSON already, and go out as they came.
func list(parts []Part) []byte {
	raw := make([][]byte, len(parts))
	size := 2
	for i, p := range parts {
		raw[i], size = p, size+len(p)+1
	}
	out := append(make([]byte, 0, size), '[')
	out = append(out, bytes.Join(raw, []byte{','})...)
	return append(out, ']')
}

// answerRate is how many bytes of an answer a second a client must take, beside
// writeGrace: it is held in memory until then.
const answerRate = 64 << 10

// respond answers with JSON that is whole.
func respond(c echo.Context, text []byte) error {
	allowed := writeGrace + time.Duration(len(text)/answerRate)*time.Second
	control := http.NewResponseController(c.Response().Writer)
	if err := supported(control.SetWriteDeadline(time.Now().Add(allowed))); err != nil { //nolint:forbidigo // the connection's clock
		return fmt.Errorf("%w: %w", errClient, err)
	}
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(text)))
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, text)
}
