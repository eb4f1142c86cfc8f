package payment

import (
	"context"
	"fmt"

	"github.com/stripe/stripe-go/v76"
)

// Of each movement of money one object tells: the invoice where there is one, else the
// checkout session. So a subscription that begins by a checkout is paid by its invoice,
// as all its later periods are, and the session is silent.

// silent reports whether a session tells of no payment: because an invoice does, or
// because there is none.
func silent(session *stripe.CheckoutSession) bool {
	return session.Mode != stripe.CheckoutSessionModePayment || session.InvoiceCreation != nil && session.InvoiceCreation.Enabled
}

// settled reports whether nothing is left to be paid. A word of Stripe's that is not
// known is not taken for it.
func settled(session *stripe.CheckoutSession) bool {
	return session.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid ||
		session.PaymentStatus == stripe.CheckoutSessionPaymentStatusNoPaymentRequired
}

// derivePaidSession tells of a checkout that is paid. One that was completed with a
// slow means of payment is not yet.
func (s *Service) derivePaidSession(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error) {
	session, err := s.fetchSession(ctx, e.Account, id)
	if err != nil || silent(session) || !settled(session) {
		return nil, err
	}
	origin, err := s.origin(ctx, e, idOf(session.Customer))
	if err != nil {
		return nil, err
	}
	return once(ctx, s, e, id, Paid{
		Origin: origin, ID: id, Session: id, PaymentIntent: idOf(session.PaymentIntent),
		Amount: session.AmountTotal, Currency: string(session.Currency), Metadata: withoutOurs(session.Metadata),
	})
}

// deriveFailedSession tells of a checkout that will never be paid.
func (s *Service) deriveFailedSession(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error) {
	session, err := s.fetchSession(ctx, e.Account, id)
	if err != nil || session.Mode == stripe.CheckoutSessionModeSetup || session.PaymentStatus != stripe.CheckoutSessionPaymentStatusUnpaid {
		return nil, err
	}
	var reason Failure
	switch {
	case session.Status == stripe.CheckoutSessionStatusExpired:
		reason = FailureExpired
	case session.Status == stripe.CheckoutSessionStatusComplete && !silent(session): // else the invoice tells
		reason = FailureDeclined
	default:
		return nil, nil
	}
	origin, err := s.origin(ctx, e, idOf(session.Customer))
	if err != nil {
		return nil, err
	}
	return once(ctx, s, e, id+"/failed", Failed{
		Origin: origin, ID: id, Reason: reason, Session: id, Amount: session.AmountTotal, Currency: string(session.Currency),
		Metadata: withoutOurs(session.Metadata),
	})
}

// derivePaidInvoice tells of an invoice that is paid.
func (s *Service) derivePaidInvoice(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error) {
	invoice, err := s.fetchInvoice(ctx, e.Account, id)
	if err != nil || invoice.Status != stripe.InvoiceStatusPaid {
		return nil, err
	}
	origin, err := s.origin(ctx, e, idOf(invoice.Customer))
	if err != nil {
		return nil, err
	}
	return once(ctx, s, e, id, Paid{
		Origin: origin, ID: id, Invoice: id, Subscription: idOf(invoice.Subscription), PaymentIntent: idOf(invoice.PaymentIntent),
		Amount: invoice.AmountPaid, Currency: string(invoice.Currency), Metadata: invoiceMetadata(invoice),
	})
}

// deriveFailedInvoice tells of an attempt that failed, unless a later one succeeded.
func (s *Service) deriveFailedInvoice(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error) {
	invoice, err := s.fetchInvoice(ctx, e.Account, id)
	if err != nil || invoice.Status == stripe.InvoiceStatusPaid {
		return nil, err
	}
	origin, err := s.origin(ctx, e, idOf(invoice.Customer))
	if err != nil {
		return nil, err
	}
	return once(ctx, s, e, fmt.Sprintf("%s/failed/%d", id, invoice.AttemptCount), Failed{
		Origin: origin, ID: id, Reason: FailureDeclined, Invoice: id, Subscription: idOf(invoice.Subscription),
		Attempt: invoice.AttemptCount, NextAttempt: timeOf(invoice.NextPaymentAttempt),
		Amount: invoice.AmountDue, Currency: string(invoice.Currency), Metadata: invoiceMetadata(invoice),
	})
}

// invoiceMetadata is that of the subscription and that of the invoice, which counts
// where both have a name.
func invoiceMetadata(invoice *stripe.Invoice) map[string]string {
	if invoice.SubscriptionDetails == nil {
		return withoutOurs(invoice.Metadata)
	}
	return withoutOurs(invoice.SubscriptionDetails.Metadata, invoice.Metadata)
}
