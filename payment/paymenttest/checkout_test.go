package paymenttest_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	stripe "github.com/stripe/stripe-go/v76"
)

// cart asks for a checkout of a price; changes are made to what is asked.
func cart(mode, price string, changes ...func(*stripe.CheckoutSessionParams)) *stripe.CheckoutSessionParams {
	params := &stripe.CheckoutSessionParams{
		Mode: stripe.String(mode), SuccessURL: stripe.String("https://shop.test/ok?s={CHECKOUT_SESSION_ID}"),
		CancelURL: stripe.String("https://shop.test/cart"),
		LineItems: []*stripe.CheckoutSessionLineItemParams{{Price: stripe.String(price), Quantity: stripe.Int64(1)}},
	}
	for _, change := range changes {
		change(params)
	}
	return params
}

// checkout makes a session.
func (b bench) checkout(t *testing.T, params *stripe.CheckoutSessionParams) *stripe.CheckoutSession {
	t.Helper()
	return must(b.sdk.CheckoutSessions.New(params))(t)
}

// session fetches one with what it leads to.
func (b bench) session(t *testing.T, id string) *stripe.CheckoutSession {
	t.Helper()
	params := &stripe.CheckoutSessionParams{}
	for _, path := range []string{"payment_intent.latest_charge", "subscription.latest_invoice", "customer", "line_items", "setup_intent"} {
		params.AddExpand(path)
	}
	return must(b.sdk.CheckoutSessions.Get(id, params))(t)
}

func TestCheckoutOfAMugIsPaid(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	made := b.checkout(t, cart("payment", "price_mug", func(p *stripe.CheckoutSessionParams) {
		p.CustomerEmail, p.ClientReferenceID = stripe.String("ada@example.com"), stripe.String("u1")
		p.LineItems[0].Quantity, p.Metadata = stripe.Int64(2), map[string]string{"order": "7"}
		p.PaymentIntentData = &stripe.CheckoutSessionPaymentIntentDataParams{Metadata: map[string]string{"order": "8"}}
	}))
	if made.Status != "open" || made.PaymentStatus != "unpaid" || made.AmountTotal != 2400 || made.Currency != "eur" ||
		made.Metadata["order"] != "7" || made.ClientReferenceID != "u1" || made.URL != b.URL()+"/pay/"+made.ID || made.LineItems != nil {
		t.Fatalf("made %+v", made)
	}
	if err := b.CompleteCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	got := b.session(t, made.ID)
	if got.Status != "complete" || got.PaymentStatus != "paid" || got.CustomerDetails.Email != "ada@example.com" || got.URL != "" {
		t.Fatalf("paid %+v", got)
	}
	if pi := got.PaymentIntent; pi.Status != "succeeded" || pi.LatestCharge.Amount != 2400 || !pi.LatestCharge.Paid || pi.Metadata["order"] != "8" {
		t.Fatalf("payment %+v", pi)
	}
	if item := got.LineItems.Data[0]; item.Description != "Mug" || item.Quantity != 2 || item.AmountTotal != 2400 || item.Price.ID != "price_mug" {
		t.Fatalf("item %+v", item)
	}
	want := []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}
	if diff := cmp.Diff(want, h.types()); diff != "" || len(h.errs) > 0 {
		t.Fatal(diff, h.errs)
	}
}

func TestCheckoutOfASubscription(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("subscription", "price_basic", func(p *stripe.CheckoutSessionParams) {
		p.SubscriptionData = &stripe.CheckoutSessionSubscriptionDataParams{Metadata: map[string]string{"user": "u1"}}
		p.LineItems = append(p.LineItems, &stripe.CheckoutSessionLineItemParams{Price: stripe.String("price_mug"), Quantity: stripe.Int64(1)})
	}))
	if err := b.CompleteCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	got := b.session(t, made.ID)
	sub := got.Subscription
	if sub.Status != "active" || sub.Metadata["user"] != "u1" || got.Customer.Email != "buyer@example.com" || got.PaymentStatus != "paid" {
		t.Fatalf("subscription %+v", sub)
	}
	if invoice := sub.LatestInvoice; !invoice.Paid || invoice.Total != 2100 || len(invoice.Lines.Data) != 2 || invoice.BillingReason != "subscription_create" {
		t.Fatalf("invoice %+v", invoice)
	}
	start, end := time.Unix(sub.CurrentPeriodStart, 0).UTC(), time.Unix(sub.CurrentPeriodEnd, 0).UTC()
	if days := end.Sub(start).Hours() / 24; sub.Items.Data[0].Price.ID != "price_basic" || days < 28 || days > 31 {
		t.Fatalf("%v to %v of %+v", start, end, sub.Items.Data[0])
	}
}

func TestCheckoutWithATrial(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("subscription", "price_basic", func(p *stripe.CheckoutSessionParams) {
		p.SubscriptionData = &stripe.CheckoutSessionSubscriptionDataParams{TrialPeriodDays: stripe.Int64(7)}
	}))
	if err := b.CompleteCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	got := b.session(t, made.ID)
	if got.PaymentStatus != "no_payment_required" || got.Subscription.Status != "trialing" || got.Subscription.LatestInvoice.Total != 0 {
		t.Fatalf("%s %s %+v", got.PaymentStatus, got.Subscription.Status, got.Subscription.LatestInvoice)
	}
	if err := b.Renew(t.Context(), got.Subscription.ID); err != nil {
		t.Fatal(err)
	}
	if sub := b.session(t, made.ID).Subscription; sub.Status != "active" || sub.LatestInvoice.AmountPaid != 900 {
		t.Fatalf("%s %+v", sub.Status, sub.LatestInvoice)
	}
}

func TestCheckoutForSetup(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	customer := must(b.sdk.Customers.New(&stripe.CustomerParams{}))(t)
	made := b.checkout(t, cart("setup", "", func(p *stripe.CheckoutSessionParams) {
		p.LineItems, p.Customer = nil, stripe.String(customer.ID)
	}))
	if err := b.CompleteCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.session(t, made.ID); got.PaymentStatus != "no_payment_required" || got.SetupIntent.Status != "succeeded" || got.SetupIntent.Customer.ID != customer.ID {
		t.Fatalf("%+v", got)
	}
}

func TestCheckoutWithAPriceMadeUp(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("subscription", "", func(p *stripe.CheckoutSessionParams) {
		p.LineItems[0].Price = nil
		p.LineItems[0].PriceData = &stripe.CheckoutSessionLineItemPriceDataParams{
			Currency: stripe.String("EUR"), UnitAmount: stripe.Int64(500),
			ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("Club")},
			Recurring:   &stripe.CheckoutSessionLineItemPriceDataRecurringParams{Interval: stripe.String("week")},
		}
	}))
	got := b.session(t, made.ID).LineItems.Data[0]
	if got.Price.Currency != "eur" || got.Price.Recurring.Interval != "week" || got.Description != "Club" || got.AmountTotal != 500 {
		t.Fatalf("%+v", got)
	}
}

func TestCheckoutPaidLater(t *testing.T) {
	t.Parallel()
	succeed := func(ctx context.Context, b bench, id string) error { return b.SucceedPayment(ctx, id) }
	fail := func(ctx context.Context, b bench, id string) error { return b.FailPayment(ctx, id) }
	for _, row := range []struct {
		name, mode, price string
		end               func(context.Context, bench, string) error
		last              string
		status            stripe.CheckoutSessionPaymentStatus
	}{
		{"the money comes", "payment", "price_mug", succeed, "checkout.session.async_payment_succeeded", "paid"},
		{"the money never comes", "payment", "price_mug", fail, "checkout.session.async_payment_failed", "unpaid"},
		{"the money of a subscription comes", "subscription", "price_basic", succeed, "checkout.session.async_payment_succeeded", "paid"},
		{"the money of a subscription never comes", "subscription", "price_basic", fail, "checkout.session.async_payment_failed", "unpaid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			made := b.checkout(t, cart(row.mode, row.price))
			if err := b.CompleteCheckoutLater(t.Context(), made.ID); err != nil {
				t.Fatal(err)
			}
			if got := b.session(t, made.ID); got.Status != "complete" || got.PaymentStatus != "unpaid" {
				t.Fatalf("%+v", got)
			}
			if err := row.end(t.Context(), b, made.ID); err != nil {
				t.Fatal(err)
			}
			events := b.Events()
			if last := events[len(events)-1].Type; last != row.last || b.session(t, made.ID).PaymentStatus != row.status {
				t.Fatalf("%s, %s", last, b.session(t, made.ID).PaymentStatus)
			}
			if err := row.end(t.Context(), b, made.ID); (err == nil) != (row.status == "unpaid") {
				t.Fatalf("again: %v", err) // a customer may try again after a failure
			}
		})
	}
}

func TestCheckoutDeclinedThenPaid(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("payment", "price_mug"))
	if err := b.DeclineCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.session(t, made.ID); got.Status != "open" {
		t.Fatalf("%+v", got)
	}
	if err := b.CompleteCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.session(t, made.ID); got.PaymentStatus != "paid" {
		t.Fatalf("%+v", got)
	}
	if err := b.CompleteCheckout(t.Context(), made.ID); err == nil {
		t.Fatal("paid twice")
	}
}

func TestCheckoutExpires(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	byTime, byCall := b.checkout(t, cart("payment", "price_mug")), b.checkout(t, cart("payment", "price_mug"))
	if err := b.ExpireCheckout(t.Context(), byTime.ID); err != nil {
		t.Fatal(err)
	}
	if got := must(b.sdk.CheckoutSessions.Expire(byCall.ID, nil))(t); got.Status != "expired" {
		t.Fatalf("%+v", got)
	}
	for _, id := range []string{byTime.ID, byCall.ID} {
		if err := b.CompleteCheckout(t.Context(), id); err == nil {
			t.Fatal("paid after its end")
		}
		if got := b.session(t, id); got.Status != "expired" || got.PaymentStatus != "unpaid" {
			t.Fatalf("%+v", got)
		}
	}
	if _, err := b.sdk.CheckoutSessions.Expire(byCall.ID, nil); failure(t, err).HTTPStatusCode != 400 {
		t.Fatal(err)
	}
}

func TestCheckoutIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	type params = stripe.CheckoutSessionParams
	for _, row := range []struct {
		name        string
		params      *params
		code, param string
	}{
		{"without mode", cart("payment", "price_mug", func(p *params) { p.Mode = nil }), "parameter_missing", "mode"},
		{"unknown mode", cart("gift", "price_mug"), "", "mode"},
		{"without success_url", cart("payment", "price_mug", func(p *params) { p.SuccessURL = nil }), "parameter_missing", "success_url"},
		{"a success_url that is none", cart("payment", "price_mug", func(p *params) { p.SuccessURL = stripe.String("javascript:alert(1)") }), "url_invalid", "success_url"},
		{"without lines", cart("payment", "price_mug", func(p *params) { p.LineItems = nil }), "parameter_missing", "line_items"},
		{"lines in setup", cart("setup", "price_mug"), "", "line_items"},
		{"unknown price", cart("payment", "price_x"), "resource_missing", "line_items[0][price]"},
		{"recurring price in payment", cart("payment", "price_basic"), "", "mode"},
		{"once in subscription", cart("subscription", "price_mug"), "", "mode"},
		{"without quantity", cart("payment", "price_mug", func(p *params) { p.LineItems[0].Quantity = nil }), "parameter_missing", "line_items[0][quantity]"},
		{"no quantity", cart("payment", "price_mug", func(p *params) { p.LineItems[0].Quantity = stripe.Int64(0) }), "parameter_invalid_integer", "line_items[0][quantity]"},
		{"two currencies", cart("payment", "price_mug", func(p *params) {
			p.LineItems = append(p.LineItems, &stripe.CheckoutSessionLineItemParams{Price: stripe.String("price_dollars"), Quantity: stripe.Int64(1)})
		}), "", "line_items[1]"},
		{"unknown customer", cart("payment", "price_mug", func(p *params) { p.Customer = stripe.String("cus_x") }), "resource_missing", "customer"},
		{"bad e-mail", cart("payment", "price_mug", func(p *params) { p.CustomerEmail = stripe.String("ada") }), "email_invalid", "customer_email"},
		{"too short", cart("payment", "price_mug", func(p *params) { p.ExpiresAt = stripe.Int64(b.clock.Now().Unix() + 60) }), "", "expires_at"},
		{"price_data without currency", cart("payment", "", func(p *params) {
			p.LineItems[0].Price = nil
			p.LineItems[0].PriceData = &stripe.CheckoutSessionLineItemPriceDataParams{UnitAmount: stripe.Int64(1)}
		}), "parameter_missing", "line_items[0][price_data][currency]"},
		{"price_data without product", cart("payment", "", func(p *params) {
			p.LineItems[0].Price = nil
			p.LineItems[0].PriceData = &stripe.CheckoutSessionLineItemPriceDataParams{UnitAmount: stripe.Int64(1), Currency: stripe.String("eur")}
		}), "parameter_missing", "line_items[0][price_data][product]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := b.sdk.CheckoutSessions.New(row.params)
			e := failure(t, err)
			if e.HTTPStatusCode != 400 || e.Type != "invalid_request_error" || string(e.Code) != row.code || e.Param != row.param || e.Msg == "" || e.RequestID == "" {
				t.Fatalf("%+v", e)
			}
		})
	}
	t.Cleanup(func() {
		if len(b.Events()) > 0 {
			t.Error("what was refused had effects")
		}
	})
}

func TestCheckoutThatIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, err := b.sdk.CheckoutSessions.Get("cs_test_x", nil)
	if e := failure(t, err); e.HTTPStatusCode != 404 || e.Code != "resource_missing" || e.Param != "session" {
		t.Fatalf("%+v", e)
	}
	if err := b.CompleteCheckout(t.Context(), "cs_test_x"); err == nil {
		t.Fatal("completed")
	}
}

func TestCheckoutsAreListedAPageAtATime(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	var want []string
	for range 7 {
		want = append([]string{b.checkout(t, cart("payment", "price_mug")).ID}, want...)
	}
	list := func(params *stripe.CheckoutSessionListParams) []string {
		params.Limit = stripe.Int64(3)
		var ids []string
		for i := b.sdk.CheckoutSessions.List(params); i.Next(); {
			ids = append(ids, i.CheckoutSession().ID)
		}
		return ids
	}
	if diff := cmp.Diff(want, list(&stripe.CheckoutSessionListParams{})); diff != "" {
		t.Fatal(diff)
	}
	backwards := &stripe.CheckoutSessionListParams{}
	backwards.EndingBefore = stripe.String(want[5])
	backwards.Single = true
	if diff := cmp.Diff([]string{want[4], want[3], want[2]}, list(backwards)); diff != "" {
		t.Fatal("ending_before:", diff) // the SDK turns such pages around
	}
	i := b.sdk.CheckoutSessions.List(&stripe.CheckoutSessionListParams{ListParams: stripe.ListParams{StartingAfter: stripe.String("cs_test_x")}})
	if i.Next() || failure(t, i.Err()).Code != "resource_missing" {
		t.Fatal(i.Err())
	}
	items := b.sdk.CheckoutSessions.ListLineItems(&stripe.CheckoutSessionListLineItemsParams{Session: stripe.String(want[0])})
	if !items.Next() || items.LineItem().Price.ID != "price_mug" || items.Next() {
		t.Fatal(items.Err())
	}
}
