package payment

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleSubscription makes a subscription that is paid by invoice: POST /subscription.
//
// Mounted alone it knows its callers by token or cookie only, and acts for the one who
// is signed in: nobody else has invoices mailed. Such a subscription is active before
// anything is paid for it, so a browser may ask for the default due and no other. Where
// that is too much trust, have users subscribe by [Service.HandleCheckout].
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
	if !holdsKey(ctx) {
		if err := refuseToWait(r); err != nil {
			return err
		}
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

// refuseToWait refuses what a browser may not ask for.
func refuseToWait(r SubscribeRequest) error {
	switch {
	case r.User == nil:
		return middleware.Unauthenticated()
	case r.Due != 0:
		return &service.Problem{
			Status: http.StatusForbidden, Code: "due_forbidden", Detail: "Without an API key due is not for the caller to choose.",
		}
	}
	return nil
}
