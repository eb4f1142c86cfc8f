package paymenttest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	stripe "github.com/stripe/stripe-go/v76"
)

func TestCheckoutOfAMugIsPaid(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	session := must(b.sdk.CheckoutSessions.New(&stripe.CheckoutSessionParams{
		Mode: stripe.String("payment"), SuccessURL: stripe.String("https://shop.test/ok?s={CHECKOUT_SESSION_ID}"),
		CustomerEmail: stripe.String("ada@example.com"), ClientReferenceID: stripe.String("u1"),
		LineItems: []*stripe.CheckoutSessionLineItemParams{{Price: stripe.String("price_mug"), Quantity: stripe.Int64(2)}},
		Params:    stripe.Params{Metadata: map[string]string{"order": "7"}},
	}))(t)
	if session.Status != "open" || session.PaymentStatus != "unpaid" || session.AmountTotal != 2400 || session.Metadata["order"] != "7" {
		t.Fatalf("session %+v", session)
	}
	if err := b.CompleteCheckout(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	params := &stripe.CheckoutSessionParams{}
	params.AddExpand("payment_intent.latest_charge")
	session = must(b.sdk.CheckoutSessions.Get(session.ID, params))(t)
	if session.Status != "complete" || session.PaymentStatus != "paid" || session.PaymentIntent.LatestCharge.Amount != 2400 {
		t.Fatalf("session %+v", session)
	}
	want := []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}
	if diff := cmp.Diff(want, h.types()); diff != "" || len(h.errs) > 0 {
		t.Fatal(diff, h.errs)
	}
}

func TestCheckoutOfASubscription(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	session := must(b.sdk.CheckoutSessions.New(&stripe.CheckoutSessionParams{
		Mode: stripe.String("subscription"), SuccessURL: stripe.String("https://shop.test/ok"),
		LineItems:        []*stripe.CheckoutSessionLineItemParams{{Price: stripe.String("price_basic"), Quantity: stripe.Int64(1)}},
		SubscriptionData: &stripe.CheckoutSessionSubscriptionDataParams{Metadata: map[string]string{"user": "u1"}},
	}))(t)
	if err := b.CompleteCheckout(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	params := &stripe.CheckoutSessionParams{}
	params.AddExpand("subscription.latest_invoice")
	params.AddExpand("customer")
	session = must(b.sdk.CheckoutSessions.Get(session.ID, params))(t)
	sub := session.Subscription
	if sub.Status != "active" || !sub.LatestInvoice.Paid || sub.Metadata["user"] != "u1" || session.Customer.Email != "buyer@example.com" {
		t.Fatalf("subscription %+v", sub)
	}
	if got := sub.Items.Data[0].Price.ID; got != "price_basic" || sub.CurrentPeriodEnd <= sub.CurrentPeriodStart {
		t.Fatalf("item %s, period %d to %d", got, sub.CurrentPeriodStart, sub.CurrentPeriodEnd)
	}
}
