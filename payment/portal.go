package payment

import (
	"context"
	"errors"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/service"
)

// PortalRequest is what [Service.Portal] asks of Stripe. Of Customer and User one is
// enough; where both are given, the customer must be the user's, as our records say.
type PortalRequest struct {
	// Customer is the id of a customer at Stripe.
	Customer string `json:"customer"`
	// User is whose customer it is.
	User *User `json:"user"`
	// ReturnURL is where the link back leads to: an absolute http or https URL.
	ReturnURL string `json:"return_url"`
	// IdempotencyKey is as in [CheckoutRequest].
	IdempotencyKey string `json:"-"`
}

// Portal makes a session of Stripe's billing portal, to whose URL the customer is
// sent: whoever has it may see the invoices of the customer, cancel subscriptions and
// change cards, for a short time. It returns [ErrNoCustomer] for a user who is none,
// and [ErrForeignCustomer].
func (s *Service) Portal(ctx context.Context, r PortalRequest) (*stripe.BillingPortalSession, error) {
	if r.Customer == "" && r.User == nil {
		return nil, service.Invalid("customer", "is missing")
	}
	for _, err := range []error{checkURL("return_url", r.ReturnURL), checkUser(r.User), checkIdempotencyKey(r.IdempotencyKey)} {
		if err != nil {
			return nil, err
		}
	}
	customer, err := s.portalCustomer(ctx, r)
	if err != nil {
		return nil, err
	}
	return call(ctx, s, "create a portal session", func(ctx context.Context) (*stripe.BillingPortalSession, error) {
		return s.stripe.BillingPortalSessions.New(&stripe.BillingPortalSessionParams{
			Params:   params(ctx, derivedKey(r.IdempotencyKey, "portal", userKey(r.User), customer)),
			Customer: &customer, ReturnURL: &r.ReturnURL,
		})
	})
}

func (s *Service) portalCustomer(ctx context.Context, r PortalRequest) (string, error) {
	if r.User == nil {
		return r.Customer, nil
	}
	own, err := s.customerOf(ctx, *r.User)
	if r.Customer == "" {
		return own, err
	}
	if errors.Is(err, ErrNoCustomer) || err == nil && own != r.Customer {
		return "", ErrForeignCustomer
	}
	return own, err
}
