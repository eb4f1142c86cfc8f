package payment

import (
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleSubscription makes a subscription that is paid by invoice: POST /subscription.
//
// Mounted alone it knows its callers by token or cookie only, and acts for the one who
// is signed in: nobody else has invoices mailed.
func (s *Service) HandleSubscription(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	var r SubscribeRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if r.User, err = actingFor(ctx, r.User); err != nil {
		return err
	}
	if r.User == nil && !holdsKey(ctx) {
		return middleware.Unauthenticated()
	}
	if r.IdempotencyKey, err = idempotencyKey(c.Request().Header); err != nil {
		return err
	}
	subscription, err := s.Subscribe(ctx, r)
	if err != nil {
		return err
	}
	return writeStripe(c, subscription.LastResponse.RawJSON)
}
