package paymenttest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	stripe "github.com/stripe/stripe-go/v76"
)

// customer makes one with a card, unless card is empty.
func (b bench) customer(t *testing.T, card string) *stripe.Customer {
	t.Helper()
	params := &stripe.CustomerParams{Email: stripe.String("ada@example.com")}
	if card != "" {
		params.InvoiceSettings = &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: stripe.String(card)}
	}
	return must(b.sdk.Customers.New(params))(t)
}

// order asks for a subscription.
func order(customer *stripe.Customer, price string, changes ...func(*stripe.SubscriptionParams)) *stripe.SubscriptionParams {
	params := &stripe.SubscriptionParams{
		Customer: stripe.String(customer.ID), Items: []*stripe.SubscriptionItemsParams{{Price: stripe.String(price)}},
	}
	params.AddExpand("latest_invoice.payment_intent")
	for _, change := range changes {
		change(params)
	}
	return params
}

// current fetches a subscription with its latest invoice.
func (b bench) current(t *testing.T, id string) *stripe.Subscription {
	t.Helper()
	params := &stripe.SubscriptionParams{}
	params.AddExpand("latest_invoice.payment_intent")
	return must(b.sdk.Subscriptions.Get(id, params))(t)
}

func TestSubscriptionThatSendsInvoices(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	sub := must(b.sdk.Subscriptions.New(order(b.customer(t, ""), "price_basic", func(p *stripe.SubscriptionParams) {
		p.CollectionMethod, p.DaysUntilDue = stripe.String("send_invoice"), stripe.Int64(7)
	})))(t)
	invoice := sub.LatestInvoice
	if sub.Status != "active" || sub.DaysUntilDue != 7 || invoice.Status != "open" || invoice.AmountDue != 900 || invoice.DueDate != b.clock.Now().Unix()+7*86400 {
		t.Fatalf("%+v %+v", sub, invoice)
	}
	if err := b.PayInvoice(t.Context(), invoice.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.current(t, sub.ID).LatestInvoice; got.Status != "paid" || !got.Paid || got.AmountPaid != 900 || got.PaymentIntent.Status != "succeeded" {
		t.Fatalf("%+v", got)
	}
	want := []string{
		"customer.created", "customer.subscription.created", "invoice.created", "invoice.finalized", "invoice.sent",
		"charge.succeeded", "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded",
	}
	if diff := cmp.Diff(want, h.types()); diff != "" {
		t.Fatal(diff)
	}
	if err := b.PayInvoice(t.Context(), invoice.ID); err == nil {
		t.Fatal("paid twice")
	}
}

func TestSubscriptionThatCharges(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, row := range []struct {
		name, card, behavior string
		status               stripe.SubscriptionStatus
		invoice              stripe.InvoiceStatus
		payment              stripe.PaymentIntentStatus
	}{
		{"a good card", "pm_card_visa", "", "active", "paid", "succeeded"},
		{"a bad card", "pm_card_chargeDeclined", "", "incomplete", "open", "requires_payment_method"},
		{"nobody is asked yet", "", "default_incomplete", "incomplete", "open", "requires_payment_method"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			sub := must(b.sdk.Subscriptions.New(order(b.customer(t, row.card), "price_basic", func(p *stripe.SubscriptionParams) {
				if row.behavior != "" {
					p.PaymentBehavior = stripe.String(row.behavior)
				}
			})))(t)
			if sub.Status != row.status || sub.LatestInvoice.Status != row.invoice || sub.LatestInvoice.PaymentIntent.Status != row.payment {
				t.Fatalf("%s, invoice %s, payment %s", sub.Status, sub.LatestInvoice.Status, sub.LatestInvoice.PaymentIntent.Status)
			}
		})
	}
}

func TestSubscriptionIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	good, bad, none := b.customer(t, "pm_card_visa"), b.customer(t, "pm_card_chargeDeclined"), b.customer(t, "")
	type params = stripe.SubscriptionParams
	for _, row := range []struct {
		name        string
		params      *params
		status      int
		code, param string
	}{
		{"without customer", order(good, "price_basic", func(p *params) { p.Customer = nil }), 400, "parameter_missing", "customer"},
		{"unknown customer", order(&stripe.Customer{ID: "cus_x"}, "price_basic"), 400, "resource_missing", "customer"},
		{"without items", order(good, "price_basic", func(p *params) { p.Items = nil }), 400, "parameter_missing", "items"},
		{"unknown price", order(good, "price_x"), 400, "resource_missing", "items[0][price]"},
		{"price that is paid once", order(good, "price_mug"), 400, "", "items[0][price]"},
		{"invoices without a time to pay", order(good, "price_basic", func(p *params) { p.CollectionMethod = stripe.String("send_invoice") }), 400, "parameter_missing", "days_until_due"},
		{"a time to pay without invoices", order(good, "price_basic", func(p *params) { p.DaysUntilDue = stripe.Int64(7) }), 400, "", "days_until_due"},
		{"without a card", order(none, "price_basic"), 400, "resource_missing", ""},
		{"declined", order(bad, "price_basic", func(p *params) { p.PaymentBehavior = stripe.String("error_if_incomplete") }), 402, "card_declined", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := b.sdk.Subscriptions.New(row.params)
			if e := failure(t, err); e.HTTPStatusCode != row.status || string(e.Code) != row.code || e.Param != row.param {
				t.Fatalf("%+v", e)
			}
		})
	}
}

// running makes a subscription that is paid.
func (b bench) running(t *testing.T, price string) *stripe.Subscription {
	t.Helper()
	return must(b.sdk.Subscriptions.New(order(b.customer(t, "pm_card_visa"), price)))(t)
}

func TestSubscriptionSwapsItsPrice(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, price, proration string
		now, next              int64 // totals of the latest invoice after the swap, and after the renewal
	}{
		// Halfway through a month of 900, of which 450 are given back.
		{"the difference comes with the next invoice", "price_pro", "create_prorations", 900, 2900 + 1450 - 450},
		{"the difference comes at once", "price_pro", "always_invoice", 1450 - 450, 2900},
		{"there is no difference", "price_pro", "none", 900, 2900},
		{"another interval begins now", "price_year", "create_prorations", 29000 - 450, 29000},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			sub := b.running(t, "price_basic")
			half := (sub.CurrentPeriodEnd - sub.CurrentPeriodStart) / 2
			b.clock.Add(time.Duration(half) * time.Second)
			got := must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{
				Items:             []*stripe.SubscriptionItemsParams{{ID: stripe.String(sub.Items.Data[0].ID), Price: stripe.String(row.price)}},
				ProrationBehavior: stripe.String(row.proration),
			}))(t)
			if len(got.Items.Data) != 1 || got.Items.Data[0].Price.ID != row.price || got.Items.Data[0].ID != sub.Items.Data[0].ID {
				t.Fatalf("%+v", got.Items.Data)
			}
			if total := b.current(t, sub.ID).LatestInvoice.Total; total != row.now {
				t.Errorf("now %d, want %d", total, row.now)
			}
			if err := b.Renew(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
			if total := b.current(t, sub.ID).LatestInvoice.Total; total != row.next {
				t.Errorf("next %d, want %d", total, row.next)
			}
		})
	}
}

func TestSubscriptionChangeIsRefusedWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	events := len(b.Events())
	_, err := b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{
		Items: []*stripe.SubscriptionItemsParams{
			{ID: stripe.String(sub.Items.Data[0].ID), Price: stripe.String("price_pro")}, {ID: stripe.String("si_x"), Deleted: stripe.Bool(true)},
		},
	})
	if e := failure(t, err); e.Code != "resource_missing" || e.Param != "items[1][id]" {
		t.Fatalf("%+v", e)
	}
	if got := b.current(t, sub.ID).Items.Data[0].Price.ID; got != "price_basic" || len(b.Events()) != events {
		t.Fatalf("%s, %d events", got, len(b.Events())-events)
	}
}

func TestSubscriptionItemsComeAndGo(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	got := must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{
		Items: []*stripe.SubscriptionItemsParams{
			{ID: stripe.String(sub.Items.Data[0].ID), Deleted: stripe.Bool(true)}, {Price: stripe.String("price_pro"), Quantity: stripe.Int64(3)},
		},
		Metadata: map[string]string{"team": "a"},
	}))(t)
	if len(got.Items.Data) != 1 || got.Items.Data[0].Price.ID != "price_pro" || got.Items.Data[0].Quantity != 3 || got.Metadata["team"] != "a" {
		t.Fatalf("%+v", got)
	}
}

func TestSubscriptionsAreListed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	customer := b.customer(t, "pm_card_visa")
	first := must(b.sdk.Subscriptions.New(order(customer, "price_basic")))(t)
	second := must(b.sdk.Subscriptions.New(order(customer, "price_pro")))(t)
	must(b.sdk.Subscriptions.Cancel(first.ID, nil))(t)
	b.running(t, "price_basic")
	for _, row := range []struct {
		name, status, price string
		want                []string
	}{
		{"those that run", "", "", []string{second.ID}},
		{"all", "all", "", []string{second.ID, first.ID}},
		{"those that ended", "ended", "", []string{first.ID}},
		{"by status", "canceled", "", []string{first.ID}},
		{"by price", "all", "price_basic", []string{first.ID}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			params := &stripe.SubscriptionListParams{Customer: stripe.String(customer.ID)}
			if row.status != "" {
				params.Status = stripe.String(row.status)
			}
			if row.price != "" {
				params.Price = stripe.String(row.price)
			}
			params.AddExpand("data.latest_invoice")
			var ids []string
			for i := b.sdk.Subscriptions.List(params); i.Next(); {
				ids = append(ids, i.Subscription().ID)
				if i.Subscription().LatestInvoice.Total == 0 {
					t.Error("not expanded")
				}
			}
			if diff := cmp.Diff(row.want, ids); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestMonthsEndOnTheirLastDay(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC)
	b := setup(t, nil)
	b.clock.Add(at.Sub(b.clock.Now()))
	sub := b.running(t, "price_basic")
	if got := time.Unix(sub.CurrentPeriodEnd, 0).UTC().Format(time.DateOnly); got != "2025-02-28" {
		t.Fatal(got)
	}
}

func TestSubscriptionIsMadeIncompleteWhereItIsPaidAtOnce(t *testing.T) {
	t.Parallel()
	type params = stripe.SubscriptionParams
	for _, row := range []struct {
		name   string
		change func(*params)
		want   []string // statuses that the events tell, in order
	}{
		{"a card is charged", func(*params) {}, []string{"incomplete", "active"}},
		{"a trial", func(p *params) { p.TrialPeriodDays = stripe.Int64(7) }, []string{"trialing"}},
		{"an invoice is sent", func(p *params) {
			p.CollectionMethod, p.DaysUntilDue = stripe.String("send_invoice"), stripe.Int64(7)
		}, []string{"active"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			must(b.sdk.Subscriptions.New(order(b.customer(t, "pm_card_visa"), "price_basic", row.change)))(t)
			told := []string{}
			for _, e := range b.Events() {
				var body struct {
					Data struct {
						Object struct{ Object, Status string }
					}
				}
				if err := json.Unmarshal(e.Body, &body); err != nil {
					t.Fatal(err)
				}
				if body.Data.Object.Object == "subscription" {
					told = append(told, body.Data.Object.Status)
				}
			}
			if diff := cmp.Diff(row.want, told); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestSubscriptionIsPausedAndResumed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	if err := b.Pause(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.current(t, sub.ID); got.Status != "paused" {
		t.Fatalf("%+v", got)
	}
	b.clock.Add(time.Hour)
	if got := must(b.sdk.Subscriptions.Resume(sub.ID, nil))(t); got.Status != "active" || got.CurrentPeriodStart != b.clock.Now().Unix() {
		t.Fatalf("%+v", got)
	}
	if got := b.current(t, sub.ID).LatestInvoice; !got.Paid || got.ID == sub.LatestInvoice.ID {
		t.Fatalf("%+v", got)
	}
	_, err := b.sdk.Subscriptions.Resume(sub.ID, nil)
	if e := failure(t, err); e.HTTPStatusCode != 400 {
		t.Fatalf("%+v", e)
	}
	if told := ids(b.Events(), "customer.subscription.paused", "customer.subscription.resumed"); len(told) != 2 {
		t.Fatal(told)
	}
}

func TestSubscriptionChangesItsTrialAndHowItIsPaid(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	end := b.clock.Now().Add(72 * time.Hour).Unix()
	got := must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{
		TrialEnd: stripe.Int64(end), CollectionMethod: stripe.String("send_invoice"), DaysUntilDue: stripe.Int64(3), Description: stripe.String("Club"),
	}))(t)
	if got.Status != "trialing" || got.TrialEnd != end || got.CurrentPeriodEnd != end || got.DaysUntilDue != 3 || got.Description != "Club" {
		t.Fatalf("%+v", got)
	}
	got = must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{TrialEndNow: stripe.Bool(true)}))(t)
	if got.Status != "active" || got.CurrentPeriodStart != b.clock.Now().Unix() {
		t.Fatalf("%+v", got)
	}
	at := b.clock.Now().Add(240 * time.Hour).Unix()
	got = must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{CancelAt: stripe.Int64(at), DefaultPaymentMethod: stripe.String("pm_card_visa")}))(t)
	if got.CancelAt != at || got.CancelAtPeriodEnd || got.CanceledAt == 0 || got.DefaultPaymentMethod == nil {
		t.Fatalf("%+v", got)
	}
	must(b.sdk.Subscriptions.Cancel(sub.ID, &stripe.SubscriptionCancelParams{
		CancellationDetails: &stripe.SubscriptionCancelCancellationDetailsParams{Comment: stripe.String("moving")},
	}))(t)
	_, err := b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)})
	if e := failure(t, err); e.HTTPStatusCode != 400 {
		t.Fatalf("%+v", e)
	}
	if got := b.current(t, sub.ID); got.CancellationDetails.Comment != "moving" {
		t.Fatalf("%+v", got.CancellationDetails)
	}
}
