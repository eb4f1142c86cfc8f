package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// till is a gateway that sells through a Stripe in the test's process.
type till struct {
	*gateway
	stripe *paymenttest.Server
}

func newTill(t *testing.T) till {
	t.Helper()
	stripe, err := paymenttest.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stripe.Close() })
	stripe.AddPrice(paymenttest.Price{ID: "price_mug", Product: "Mug", Amount: 1200, Currency: "eur"})
	stripe.AddPrice(paymenttest.Price{ID: "price_basic", Product: "Basic", Amount: 900, Currency: "eur", Interval: "month"})
	g, _ := startPayment(t, startDatabase(t), stripe.URL())
	stripe.SendTo(g.URL + paymentPath + "webhook")
	return till{g, stripe}
}

// checkout asks the gateway for a checkout of the user u1 and returns its id and
// the page to pay at.
func (s till) checkout(t *testing.T, mode, price string) (id, page string) {
	t.Helper()
	a := s.call(t, http.MethodPost, paymentPath+"checkout", fmt.Sprintf(`{
		"mode": %q, "success_url": "https://shop.test/ok?s={CHECKOUT_SESSION_ID}", "cancel_url": "https://shop.test/cart",
		"email": "ada@example.com", "linedata": [{"price": %q, "quantity": 1}], "metadata": {"order": "7"}, "user": {"id": "u1"}
	}`, mode, price), "X-API-Key: "+secret)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return a.field(t, "id"), a.field(t, "url")
}

// await waits until the subscribers were told a line, the ends of which are given.
func (s till) await(t *testing.T, prefix, suffix string) {
	t.Helper()
	soon(t, prefix+"…"+suffix, func() bool {
		return slices.ContainsFunc(s.told(t), func(line string) bool {
			return strings.HasPrefix(line, prefix) && strings.HasSuffix(line, suffix)
		})
	})
}

// handled waits until every event that was acknowledged was handled.
func (s till) handled(t *testing.T) {
	t.Helper()
	soon(t, "every event is handled", func() bool {
		done := s.ledger(t)
		return !slices.ContainsFunc(s.stripe.Deliveries(), func(d paymenttest.Delivery) bool { return d.Status == http.StatusOK && done[d.EventID] == 0 })
	})
}

// record is what the gateway knows of the only subscription of u1.
func (s till) record(t *testing.T) (id, status string) {
	t.Helper()
	var records []struct{ ID, Status string }
	s.read(t, "/subscriptions/u1", &records)
	if len(records) != 1 {
		t.Fatalf("%+v", records)
	}
	return records[0].ID, records[0].Status
}

// ids returns the ids of the events that happened, of these types in this order.
func (s till) ids(types ...string) (ids []string) {
	for _, typ := range types {
		for _, e := range s.stripe.Events() {
			if e.Type == typ {
				ids = append(ids, e.ID)
			}
		}
	}
	return ids
}

func TestPaymentFromCheckoutToRefund(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	id, page := s.checkout(t, "payment", "price_mug")
	customer := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := customer.Post(page, "application/x-www-form-urlencoded", nil) // "Pay"
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || to != "https://shop.test/ok?s="+id {
		t.Fatal(resp.Status, to)
	}
	s.await(t, "paid "+id, "1200 eur user=u1 order=7")

	refund, err := http.NewRequest(http.MethodPost, s.stripe.URL()+"/v1/refunds", strings.NewReader(url.Values{
		"payment_intent": {s.paymentOf(t, id)}, "amount": {"200"},
	}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	refund.SetBasicAuth(s.stripe.Key(), "")
	if resp, err = http.DefaultClient.Do(refund); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(err, resp)
	}
	resp.Body.Close()
	s.await(t, "refunded ch_", "200 of 200, full=false")
	s.handled(t)
	if told := s.told(t); len(told) != 2 {
		t.Errorf("told more than once: %q", told)
	}
}

// paymentOf is the payment of a checkout.
func (s till) paymentOf(t *testing.T, session string) string {
	t.Helper()
	text, _ := s.stripe.Object(session)
	var object struct {
		Payment string `json:"payment_intent"`
	}
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	return object.Payment
}

func TestPaymentThatNeverArrives(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	id, _ := s.checkout(t, "payment", "price_mug")
	if err := s.stripe.CompleteCheckoutLater(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.handled(t)
	if told := s.told(t); len(told) != 0 {
		t.Fatalf("told before there was money: %q", told)
	}
	if err := s.stripe.FailPayment(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.await(t, "failed "+id, "declined")
	s.handled(t)
	if told := s.told(t); len(told) != 1 {
		t.Errorf("%q", told)
	}
}

func TestPaymentOfASubscriptionOutOfOrder(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	session, _ := s.checkout(t, "subscription", "price_basic")
	s.stripe.Hold()
	if err := s.stripe.CompleteCheckout(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	late := s.ids("checkout.session.completed", "invoice.paid", "customer.subscription.updated", "customer.subscription.created")
	if err := s.stripe.Deliver(t.Context(), late...); err != nil {
		t.Fatal(err)
	}
	s.handled(t)
	id, status := s.record(t)
	if status != "active" {
		t.Fatalf("the created of long ago counts: %s", status)
	}
	s.await(t, "paid in_", "900 eur user=u1 order=7")

	// The renewal fails; the news of it overtakes that of the renewal's beginning.
	before := len(s.stripe.Events())
	if err := s.stripe.FailRenewal(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	var news []string
	for _, e := range s.stripe.Events()[before:] {
		news = append(news, e.ID)
	}
	slices.Reverse(news)
	if err := s.stripe.Deliver(t.Context(), news...); err != nil {
		t.Fatal(err)
	}
	s.await(t, "failed in_", "declined")
	s.handled(t)
	if _, status := s.record(t); status != "past_due" {
		t.Fatal(status)
	}

	// It ends; then what is old comes once more, twice.
	if err := s.stripe.CancelNow(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	end := s.ids("customer.subscription.deleted", "customer.subscription.updated", "customer.subscription.created")
	if err := s.stripe.Deliver(t.Context(), append(end, end...)...); err != nil {
		t.Fatal(err)
	}
	s.handled(t)
	if _, status := s.record(t); status != "canceled" {
		t.Fatal(status)
	}
	for event, n := range s.ledger(t) {
		if n != 1 {
			t.Errorf("%s was handled %d times", event, n)
		}
	}
}

func TestPaymentOfAnotherVersion(t *testing.T) {
	t.Parallel()
	s := newTill(t)
	session, _ := s.checkout(t, "subscription", "price_basic")
	s.stripe.Hold()
	if err := s.stripe.CompleteCheckout(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	newer := s.ids("customer.subscription.created", "invoice.paid", "checkout.session.completed")
	if err := s.stripe.DeliverAs(t.Context(), "2026-08-26.dahlia", newer...); err != nil {
		t.Fatal(err)
	}
	s.await(t, "paid in_", "900 eur user=u1 order=7")
	s.handled(t)
	if _, status := s.record(t); status != "active" {
		t.Fatal(status)
	}

	id, err := s.stripe.DeliverThin(t.Context(), "v1.billing.meter.error_report_triggered", "mtr_1")
	if err != nil {
		t.Fatal(err)
	}
	deliveries := s.stripe.Deliveries()
	if d := deliveries[len(deliveries)-1]; d.EventID != id || d.Status != http.StatusOK {
		t.Fatalf("a thin event: %+v", d)
	}
	s.handled(t)
	if s.ledger(t)[id] != 1 {
		t.Fatal("a thin event is not handled")
	}
}
