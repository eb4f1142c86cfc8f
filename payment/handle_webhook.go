package payment

import (
	"bytes"
	"context"
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
	body, release, err := s.readWebhook(c)
	defer release()
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

// What anyone who knows the URL may have in our memory.
const (
	// believedBytes is how far the sender is believed how long the body is: further
	// memory is for bytes that came.
	believedBytes = 16 << 10
	// smallBody is how long a body may be without waiting for its turn. Stripe's are
	// seldom longer.
	smallBody = 64 << 10
	// largeBodies is how many longer ones are read and stored at once.
	largeBodies = 16
)

// readWebhook returns the body as it came, and what to call when it is done with.
func (s *Service) readWebhook(c echo.Context) (body []byte, release func(), err error) {
	r, limit, release := c.Request(), s.opts.MaxWebhookBytes, func() {}
	if r.ContentLength > limit {
		return nil, release, tooLarge(c, limit)
	}
	small := min(limit, smallBody)
	buf := bytes.NewBuffer(make([]byte, 0, min(max(r.ContentLength, 0), believedBytes)+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(r.Body, small+1))
	if err == nil && n > small && small < limit {
		if err := s.takeTurn(r.Context()); err != nil {
			return nil, release, notStored(err)
		}
		release = func() { <-s.large }
		buf.Grow(int(max(r.ContentLength-n, 0)) + bytes.MinRead)
		n, err = buf.ReadFrom(io.LimitReader(r.Body, limit-small))
		n += small + 1
	}
	if _, refused := errors.AsType[*http.MaxBytesError](err); refused || n > limit {
		return nil, release, tooLarge(c, limit)
	}
	if err != nil {
		return nil, release, &service.Problem{Status: http.StatusBadRequest, Code: "invalid", Detail: "The body ends too early.", Err: err}
	}
	return buf.Bytes(), release, nil
}

// takeTurn waits until there is room for a large body.
func (s *Service) takeTurn(ctx context.Context) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	select {
	case s.large <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("payment: waiting for one of %d large events to be stored: %w", largeBodies, ctx.Err())
	}
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
