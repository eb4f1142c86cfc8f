package paymenttest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// ids returns the ids of events of some types, in order.
func ids(events []paymenttest.Event, types ...string) []string {
	var found []string
	for _, typ := range types {
		for _, e := range events {
			if e.Type == typ {
				found = append(found, e.ID)
			}
		}
	}
	return found
}

func TestWebhooksAreAcceptedByTheSDK(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	b.running(t, "price_basic")
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(h.errs) > 0 || len(h.bodies) != len(b.Events()) || len(h.bodies) == 0 {
		t.Fatal(h.errs, len(h.bodies))
	}
	for _, d := range b.Deliveries() {
		if _, err := webhook.ConstructEvent(d.Body, d.Signature, b.WebhookSecret()); err != nil {
			t.Error(err) // of the SDK's own version
		}
		if d.Status != 200 || d.Attempt != 1 || d.Err != nil {
			t.Errorf("%+v", d)
		}
	}
	if _, err := webhook.ConstructEvent(h.bodies[0], paymenttest.Sign(h.bodies[0], b.clock.Now(), "other"), b.WebhookSecret()); err == nil {
		t.Error("the wrong secret will do")
	}
}

func TestEventsTellWhatChanged(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	sub := b.running(t, "price_basic")
	must(b.sdk.Subscriptions.Update(sub.ID, &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)}))(t)
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := h.events[len(h.events)-1]
	if last.Type != "customer.subscription.updated" || last.Data.PreviousAttributes["cancel_at_period_end"] != false || last.Request.ID == "" || last.Request.IdempotencyKey == "" {
		t.Fatalf("%+v", last)
	}
	var told stripe.Subscription
	if err := json.Unmarshal(last.Data.Raw, &told); err != nil || !told.CancelAtPeriodEnd || told.CurrentPeriodEnd == 0 {
		t.Fatal(err, told)
	}
}

func TestWebhooksLateAndOutOfOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	b.Hold()
	b.running(t, "price_basic")
	if err := b.Settle(t.Context()); err != nil || len(h.types()) > 0 {
		t.Fatal(err, h.types())
	}
	disordered := ids(b.Events(), "customer.subscription.updated", "customer.subscription.created")
	if err := b.Deliver(t.Context(), disordered...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"customer.subscription.updated", "customer.subscription.created"}, h.types()); diff != "" {
		t.Fatal(diff)
	}
	if err := b.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(h.types()) != len(b.Events()) {
		t.Fatalf("%d of %d", len(h.types()), len(b.Events()))
	}
}

func TestWebhooksDoubled(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	b.customer(t, "")
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := b.Events()[0].ID
	if err := b.Deliver(t.Context(), id, id); err != nil {
		t.Fatal(err)
	}
	if err := b.DeliverAtOnce(t.Context(), id, 20); err != nil {
		t.Fatal(err)
	}
	attempts := []int{}
	for _, d := range b.Deliveries() {
		attempts = append(attempts, d.Attempt)
	}
	if len(h.types()) != 23 || slices.Max(attempts) != 23 {
		t.Fatal(len(h.types()), attempts)
	}
	if err := b.Deliver(t.Context(), "evt_x"); err == nil {
		t.Fatal("sent what did not happen")
	}
}

func TestWebhooksAreSentAgainUntilAcknowledged(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, func(n int) int {
		if n <= 2 {
			return 500
		}
		return 204
	})
	b.SendTo(h.URL)
	b.customer(t, "")
	statuses := func() []int {
		got := []int{}
		for _, d := range b.Deliveries() {
			got = append(got, d.Status)
		}
		return got
	}
	missed := func() int {
		n := 0
		params := &stripe.EventListParams{DeliverySuccess: stripe.Bool(false)}
		for i := b.sdk.Events.List(params); i.Next(); {
			n++
		}
		return n
	}
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := missed(); n != 1 {
		t.Fatalf("%d missed", n)
	}
	for range 4 {
		if err := b.Redeliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{500, 500, 204}, statuses()); diff != "" || missed() != 0 {
		t.Fatal(diff, missed())
	}
}

func TestWebhookThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.SendTo("http://127.0.0.1:1/webhook")
	b.customer(t, "")
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := b.Deliveries(); len(d) != 1 || d[0].Err == nil || d[0].Status != 0 {
		t.Fatalf("%+v", d)
	}
}

func TestWebhooksInANewerVersion(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	b.Hold()
	sub := b.running(t, "price_basic")
	if err := b.DeliverAs(t.Context(), "2025-03-31.basil", ids(b.Events(), "customer.subscription.created", "invoice.paid")...); err != nil {
		t.Fatal(err)
	}
	type newer struct {
		APIVersion string `json:"api_version"`
		Data       struct {
			Object struct {
				CurrentPeriodEnd *int64 `json:"current_period_end"`
				Paid             *bool  `json:"paid"`
				Subscription     any    `json:"subscription"`
				Status           string `json:"status"`
				Items            struct {
					Data []struct {
						CurrentPeriodEnd int64 `json:"current_period_end"`
					} `json:"data"`
				} `json:"items"`
				Parent struct {
					SubscriptionDetails struct {
						Subscription string `json:"subscription"`
					} `json:"subscription_details"`
				} `json:"parent"`
			} `json:"object"`
		} `json:"data"`
	}
	var created, paid newer
	if err := json.Unmarshal(h.bodies[0], &created); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(h.bodies[1], &paid); err != nil {
		t.Fatal(err)
	}
	if o := created.Data.Object; created.APIVersion != "2025-03-31.basil" || o.CurrentPeriodEnd != nil || o.Items.Data[0].CurrentPeriodEnd != sub.CurrentPeriodEnd {
		t.Errorf("%s", h.bodies[0])
	}
	if o := paid.Data.Object; o.Paid != nil || o.Subscription != nil || o.Status != "paid" || o.Parent.SubscriptionDetails.Subscription != sub.ID {
		t.Errorf("%s", h.bodies[1])
	}
	if strings.Contains(string(h.bodies[1]), `"_`) {
		t.Errorf("hidden fields are sent: %s", h.bodies[1])
	}
}

func TestThinEvent(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	customer := b.customer(t, "")
	id, err := b.DeliverThin(t.Context(), "v1.customer.poked", customer.ID)
	if err != nil {
		t.Fatal(err)
	}
	var thin struct {
		ID, Object, Created string
		Related             struct{ ID, Type string } `json:"related_object"`
	}
	if err := json.Unmarshal(h.bodies[1], &thin); err != nil {
		t.Fatal(err)
	}
	if thin.ID != id || thin.Object != "v2.core.event" || thin.Created == "" || thin.Related.ID != customer.ID || thin.Related.Type != "customer" {
		t.Fatalf("%s", h.bodies[1])
	}
	if len(h.errs) != 1 { // v76 can not read a created that is a text: a trap for gateways
		t.Fatal(h.errs)
	}
}

func TestWebhooksThatAreGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	stuck := make(chan struct{})
	h := receive(t, b.WebhookSecret, func(int) int { <-stuck; return 200 })
	t.Cleanup(func() { close(stuck) })
	b.SendTo(h.URL)
	b.customer(t, "")
	b.Stripe.Close()
	if d := b.Deliveries(); len(d) > 1 || (len(d) == 1 && d[0].Err == nil) {
		t.Fatalf("%+v", d)
	}
}
