package payment

import (
	"context"
	"errors"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/service"
)

// ErrNotPaid is returned for a checkout session or an invoice through which no money
// came.
var ErrNotPaid = errors.New("payment: no money was paid")

// RefundRequest is what [Service.Refund] pays back.
type RefundRequest struct {
	// Payment is what was paid: the ID or the PaymentIntent of [Paid], or a charge.
	Payment string
	// Amount is in the smallest unit of the currency. Defaults to all that is left.
	Amount int64
	// Reason is "duplicate", "fraudulent", "requested_by_customer" or nothing.
	Reason string
	// Metadata is kept with the refund.
	Metadata map[string]string
	// IdempotencyKey is as in [CheckoutRequest]. Give one: two refunds of a part pay it
	// back twice.
	IdempotencyKey string
}

// Refund pays money back. Stripe refuses more than was paid.
func (s *Service) Refund(ctx context.Context, r RefundRequest) (*stripe.Refund, error) {
	if !idPattern.MatchString(r.Payment) {
		return nil, service.Invalid("payment", "must be an id of Stripe")
	}
	if r.Amount < 0 {
		return nil, service.Invalid("amount", "must not be negative")
	}
	for _, err := range []error{checkMetadata("metadata", r.Metadata, nil), checkIdempotencyKey(r.IdempotencyKey)} {
		if err != nil {
			return nil, err
		}
	}
	p := &stripe.RefundParams{Amount: optional(r.Amount), Reason: optional(r.Reason), Metadata: r.Metadata}
	if err := s.refundOf(ctx, r.Payment, p); err != nil {
		return nil, err
	}
	return call(ctx, s, "refund a payment", func(ctx context.Context) (*stripe.Refund, error) {
		p.Params = params(ctx, derivedKey(r.IdempotencyKey, "refund", r.Payment))
		return s.stripe.Refunds.New(p)
	})
}

// refundOf says which payment or charge is meant.
func (s *Service) refundOf(ctx context.Context, payment string, p *stripe.RefundParams) error {
	switch prefix, _, _ := strings.Cut(payment, "_"); prefix {
	case "cs":
		session, err := s.fetchSession(ctx, "", payment)
		if err != nil {
			return err
		}
		p.PaymentIntent = optional(idOf(session.PaymentIntent))
	case "in":
		invoice, err := s.fetchInvoice(ctx, "", payment)
		if err != nil {
			return err
		}
		p.PaymentIntent, p.Charge = optional(idOf(invoice.PaymentIntent)), optional(idOf(invoice.Charge))
		if p.PaymentIntent != nil {
			p.Charge = nil
		}
	case "ch", "py":
		p.Charge = &payment
	default:
		p.PaymentIntent = &payment
	}
	if p.PaymentIntent == nil && p.Charge == nil {
		return ErrNotPaid
	}
	return nil
}
