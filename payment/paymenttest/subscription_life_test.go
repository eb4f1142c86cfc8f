package paymenttest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	stripe "github.com/stripe/stripe-go/v76"
)

func TestSubscriptionRenews(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	if err := b.Renew(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	next := b.current(t, sub.ID)
	if next.CurrentPeriodStart != sub.CurrentPeriodEnd || next.CurrentPeriodEnd <= next.CurrentPeriodStart || next.Status != "active" ||
		next.LatestInvoice.ID == sub.LatestInvoice.ID || !next.LatestInvoice.Paid || next.LatestInvoice.BillingReason != "subscription_cycle" {
		t.Fatalf("%+v", next)
	}
}

func TestSubscriptionFailsToRenewAndHeals(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	if err := b.FailRenewal(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	got := b.current(t, sub.ID)
	if got.Status != "past_due" || got.LatestInvoice.Status != "open" || got.LatestInvoice.AttemptCount != 1 || got.LatestInvoice.NextPaymentAttempt == 0 {
		t.Fatalf("%+v %+v", got, got.LatestInvoice)
	}
	paid := must(b.sdk.Invoices.Pay(got.LatestInvoice.ID, nil))(t)
	if got := b.current(t, sub.ID); !paid.Paid || got.Status != "active" {
		t.Fatalf("%+v", got)
	}
}

func TestSubscriptionEnds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		end  func(context.Context, bench, *stripe.Subscription) error
	}{
		{"by a call", func(_ context.Context, b bench, sub *stripe.Subscription) error {
			_, err := b.sdk.Subscriptions.Cancel(sub.ID, nil)
			return err
		}},
		{"at the dashboard", func(ctx context.Context, b bench, sub *stripe.Subscription) error { return b.CancelNow(ctx, sub.ID) }},
		{"with its period", func(ctx context.Context, b bench, sub *stripe.Subscription) error {
			got, err := b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)})
			if err == nil && (got.Status != "active" || got.CancelAt != got.CurrentPeriodEnd || !got.CancelAtPeriodEnd) {
				err = fmt.Errorf("%+v", got)
			}
			return errors.Join(err, b.Renew(ctx, sub.ID))
		}},
		{"with its customer", func(_ context.Context, b bench, sub *stripe.Subscription) error {
			_, err := b.sdk.Customers.Del(sub.Customer.ID, nil)
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			sub := b.running(t, "price_basic")
			if err := row.end(t.Context(), b, sub); err != nil {
				t.Fatal(err)
			}
			got := must(b.sdk.Subscriptions.Get(sub.ID, nil))(t)
			if got.Status != "canceled" || got.EndedAt == 0 || got.CanceledAt == 0 {
				t.Fatalf("%+v", got)
			}
			_, err := b.sdk.Subscriptions.Cancel(sub.ID, nil)
			if e := failure(t, err); e.HTTPStatusCode != 404 || e.Code != "resource_missing" {
				t.Fatalf("%+v", e)
			}
			if err := b.Renew(t.Context(), sub.ID); err == nil {
				t.Fatal("renewed after its end")
			}
			count := 0
			for _, e := range b.Events() {
				if e.Type == "customer.subscription.deleted" {
					count++
				}
			}
			if count != 1 {
				t.Fatalf("told %d times", count)
			}
		})
	}
}

func TestSubscriptionIsKeptAfterAll(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	for _, ends := range []bool{true, false} {
		must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(ends)}))(t)
	}
	if err := b.Renew(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.current(t, sub.ID); got.Status != "active" || got.CancelAt != 0 || got.CanceledAt != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestInvoicesThatNobodyPaysAreOverdue(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := must(b.sdk.Subscriptions.New(order(b.customer(t, ""), "price_basic", func(p *stripe.SubscriptionParams) {
		p.CollectionMethod, p.DaysUntilDue = stripe.String("send_invoice"), stripe.Int64(7)
	})))(t)
	if err := b.FailRenewal(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	got := b.current(t, sub.ID)
	if got.Status != "past_due" || got.LatestInvoice.Status != "open" || got.LatestInvoice.AttemptCount != 0 {
		t.Fatalf("%+v %+v", got, got.LatestInvoice)
	}
	if err := b.PayInvoice(t.Context(), got.LatestInvoice.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.current(t, sub.ID); got.Status != "active" {
		t.Fatalf("%+v", got)
	}
}

// As Stripe's portal has it in flexible billing: no cancel_at_period_end, but a date.
func TestSubscriptionEndsAtADate(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{CancelAt: stripe.Int64(sub.CurrentPeriodEnd)}))(t)
	if got := must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(false)}))(t); got.CancelAt == 0 {
		t.Errorf("the date is gone: %+v", got)
	}
	if err := b.Renew(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.current(t, sub.ID); got.Status != "canceled" {
		t.Errorf("%+v", got)
	}
}
