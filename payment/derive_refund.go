package payment

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// deriveRefunds tells of the refunds of a charge that were not told of yet.
func (s *Service) deriveRefunds(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error) {
	charge, err := s.fetchCharge(ctx, e.Account, id)
	if err != nil {
		return nil, err
	}
	refunds, err := call(ctx, s, "list refunds", func(ctx context.Context) ([]*stripe.Refund, error) {
		p := &stripe.RefundListParams{Charge: &id}
		p.Context, p.Limit = ctx, stripe.Int64(maxPage)
		if e.Account != "" {
			p.StripeAccount = &e.Account
		}
		var refunds []*stripe.Refund
		list := s.stripe.Refunds.List(p)
		for list.Next() {
			refunds = append(refunds, list.Refund())
		}
		return refunds, list.Err()
	})
	if err != nil {
		return nil, err
	}
	var out []derived
	for _, refund := range refunds {
		events, err := s.tellRefund(ctx, e, refund, charge)
		if err != nil {
			return nil, err
		}
		out = append(out, events...)
	}
	return out, nil
}

// deriveRefund tells of one refund.
func (s *Service) deriveRefund(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error) {
	refund, err := call(ctx, s, "fetch a refund", func(ctx context.Context) (*stripe.Refund, error) {
		return s.stripe.Refunds.Get(id, &stripe.RefundParams{Params: in(e.Account, params(ctx, ""))})
	})
	if err != nil {
		return nil, err
	}
	charge := &stripe.Charge{}
	if refund.Charge != nil {
		if charge, err = s.fetchCharge(ctx, e.Account, refund.Charge.ID); err != nil {
			return nil, err
		}
	}
	return s.tellRefund(ctx, e, refund, charge)
}

// tellRefund tells of a refund once, and once more where it failed.
func (s *Service) tellRefund(ctx context.Context, e StripeWebhookReceived, refund *stripe.Refund, charge *stripe.Charge) ([]derived, error) {
	what := refund.ID
	if refund.Status == stripe.RefundStatusFailed || refund.Status == stripe.RefundStatusCanceled {
		what += "/failed"
	}
	origin, err := s.origin(ctx, e, idOf(charge.Customer))
	if err != nil {
		return nil, err
	}
	return once(ctx, s, e, what, Refunded{
		Origin: origin, ID: refund.ID, Status: string(refund.Status), Charge: charge.ID, PaymentIntent: idOf(refund.PaymentIntent),
		Amount: refund.Amount, Total: charge.AmountRefunded, Full: charge.Refunded, Currency: string(refund.Currency),
		Metadata: withoutOurs(charge.Metadata),
	})
}

func (s *Service) fetchCharge(ctx context.Context, account, id string) (*stripe.Charge, error) {
	return call(ctx, s, "fetch a charge", func(ctx context.Context) (*stripe.Charge, error) {
		return s.stripe.Charges.Get(id, &stripe.ChargeParams{Params: in(account, params(ctx, ""))})
	})
}
