package payment

import (
	"context"
	"errors"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// Invoice is an invoice as Stripe has it. Amounts are in the smallest unit of the
// currency; times are zero where there is none.
type Invoice struct {
	// ID is the invoice's id at Stripe, Number what is printed on it.
	ID     string `json:"id"`
	Number string `json:"number"`
	// Status is "draft", "open", "paid", "uncollectible" or "void".
	Status string `json:"status"`
	// Subscription is what it is for, empty for something else.
	Subscription string `json:"subscription,omitempty"`
	// Currency is an ISO 4217 code in lower case.
	Currency string `json:"currency"`
	Total    int64  `json:"total"`
	Paid     int64  `json:"paid"`
	Due      int64  `json:"due"`
	// Created is when it was made, DueAt until when it is to be paid.
	Created time.Time `json:"created"`
	DueAt   time.Time `json:"due_at,omitzero"`
	// URL is a page to see and pay it, PDF a file; both are empty for a draft, and open
	// to whoever has them.
	URL string `json:"url,omitempty"`
	PDF string `json:"pdf,omitempty"`
}

// Invoices returns the newest 100 invoices of the user, asked of Stripe. It is empty for
// a user who is no customer.
func (s *Service) Invoices(ctx context.Context, user User) ([]Invoice, error) {
	customer, err := s.customerOf(ctx, user)
	if errors.Is(err, ErrNoCustomer) {
		return []Invoice{}, nil
	}
	if err != nil {
		return nil, err
	}
	return call(ctx, s, "list invoices", func(ctx context.Context) ([]Invoice, error) {
		p := &stripe.InvoiceListParams{Customer: &customer}
		p.Context, p.Limit, p.Single = ctx, stripe.Int64(maxPage), true
		invoices := []Invoice{}
		list := s.stripe.Invoices.List(p)
		for list.Next() {
			invoices = append(invoices, normalInvoice(list.Invoice()))
		}
		return invoices, list.Err()
	})
}

// normalInvoice turns Stripe's invoice into ours.
func normalInvoice(i *stripe.Invoice) Invoice {
	return Invoice{
		ID: i.ID, Number: i.Number, Status: string(i.Status), Subscription: idOf(i.Subscription), Currency: string(i.Currency),
		Total: i.Total, Paid: i.AmountPaid, Due: i.AmountRemaining, Created: timeOf(i.Created), DueAt: timeOf(i.DueDate),
		URL: i.HostedInvoiceURL, PDF: i.InvoicePDF,
	}
}

// fetchInvoice fetches an invoice in the version that the SDK reads.
func (s *Service) fetchInvoice(ctx context.Context, account, id string) (*stripe.Invoice, error) {
	return call(ctx, s, "fetch an invoice", func(ctx context.Context) (*stripe.Invoice, error) {
		return s.stripe.Invoices.Get(id, &stripe.InvoiceParams{Params: in(account, params(ctx, ""))})
	})
}

// fetchSession fetches a checkout session in the version that the SDK reads.
func (s *Service) fetchSession(ctx context.Context, account, id string) (*stripe.CheckoutSession, error) {
	return call(ctx, s, "fetch a checkout session", func(ctx context.Context) (*stripe.CheckoutSession, error) {
		return s.stripe.CheckoutSessions.Get(id, &stripe.CheckoutSessionParams{Params: in(account, params(ctx, ""))})
	})
}
