package payment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleCheckout makes a checkout session: POST /checkout.
//
// Mounted alone it knows its callers by token or cookie only. It then acts for the one
// who is signed in, or for a guest, and for nobody else; and it takes prices of
// Stripe's only, so that nobody makes up their own. What else a browser may choose is
// for the interceptors of [CheckingOut].
func (s *Service) HandleCheckout(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	var r CheckoutRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if r.User, err = actingFor(ctx, r.User); err != nil {
		return err
	}
	if r.IdempotencyKey, err = idempotencyKey(c.Request().Header); err != nil {
		return err
	}
	if !holdsKey(ctx) {
		if err := refuseMadeUp(r.Linedata); err != nil {
			return err
		}
	}
	session, err := s.Checkout(ctx, r)
	if err != nil {
		return err
	}
	return writeStripe(c, session.LastResponse.RawJSON)
}

// refuseMadeUp refuses prices that a browser brings.
func refuseMadeUp(lines []Line) error {
	for _, line := range lines {
		if line.PriceData != nil {
			return &service.Problem{
				Status: http.StatusForbidden, Code: "price_data_forbidden",
				Detail: "Without an API key linedata has prices that Stripe knows.",
			}
		}
	}
	return nil
}

// read reads the body of a request that has no query.
func (s *Service) read(c echo.Context, dst any) error {
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	return strict.Body(c, s.opts.BodyLimit, dst)
}

// writeStripe answers with what Stripe answered, in one line.
func writeStripe(c echo.Context, text []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		return fmt.Errorf("payment: Stripe's answer is no JSON: %w", err)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, line.Bytes())
}

// keyHeld marks the context of requests that presented an API key.
type keyHeld struct{}

// keyed returns a handler for the route table: its routes ask for an API key, whose
// holder may act for any user.
func keyed(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), keyHeld{}, true)))
		return h(c)
	}
}

func holdsKey(ctx context.Context) bool { return ctx.Value(keyHeld{}) != nil }

// actingFor returns whom a request acts for: the one who is signed in, else the one
// whom a holder of the API key names, else nobody.
func actingFor(ctx context.Context, named *User) (*User, error) {
	signedIn, ok := UserFrom(ctx)
	switch {
	case ok && named != nil && named.normal() != signedIn:
		return nil, service.Invalid("user", "is not the one who is signed in")
	case ok:
		return &signedIn, nil
	case named != nil && !holdsKey(ctx):
		return nil, middleware.Unauthenticated()
	}
	return named, nil
}

// idempotencyKey returns the header that makes a repeated request count once, "" where
// there is none.
func idempotencyKey(h http.Header) (string, error) {
	values := h.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || values[0] == "" {
		return "", service.Invalid("Idempotency-Key", "must be given once, and not be empty")
	}
	return values[0], nil
}
