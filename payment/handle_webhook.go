package payment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// HandleWebhook takes what Stripe reports: POST /webhook. It answers as soon as the
// event is stored; 200 also where it was stored before. It asks for no API key: the
// signature says who is calling.
func (s *Service) HandleWebhook(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	sig, err := parseSignature(c.Request().Header)
	if err != nil {
		return err // before a byte of the body is read
	}
	body, err := s.readWebhook(c)
	if err != nil {
		return err
	}
	if err := s.verify(sig, body); err != nil {
		return err
	}
	e, err := parseEnvelope(body)
	if err != nil {
		return err
	}
	if _, err := s.store(c.Request().Context(), e, body); err != nil {
		return notStored(err)
	}
	return c.JSON(http.StatusOK, webhookAnswer{Received: true})
}

// readWebhook returns the body as it came. What the sender says of its length is
// believed up to 64 KiB only: memory is for bytes that came.
func (s *Service) readWebhook(c echo.Context) ([]byte, error) {
	r, limit := c.Request(), s.opts.MaxWebhookBytes
	if r.ContentLength > limit {
		return nil, tooLarge(c, limit)
	}
	buf := bytes.NewBuffer(make([]byte, 0, min(max(r.ContentLength, 0), 64<<10)+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1))
	if _, refused := errors.AsType[*http.MaxBytesError](err); refused || n > limit {
		return nil, tooLarge(c, limit)
	}
	if err != nil {
		return nil, &service.Problem{Status: http.StatusBadRequest, Code: "invalid", Detail: "The body ends too early.", Err: err}
	}
	return buf.Bytes(), nil
}

// tooLarge refuses the body, and has the connection closed rather than the rest of
// it read.
func tooLarge(c echo.Context, limit int64) error {
	if c.Request().ProtoMajor == 1 {
		c.Response().Header().Set("Connection", "close")
	}
	return &service.Problem{
		Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Detail: fmt.Sprintf("An event must not be larger than %d bytes.", limit),
	}
}
