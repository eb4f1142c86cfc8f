package payment_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// ignoreOrigin leaves out what says which event it was.
var ignoreOrigin = cmp.Options{cmpopts.IgnoreFields(payment.Origin{}, "EventID", "EventType")}

func TestACheckoutThatIsPaidIsTold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.checkout(payment.ModePayment, priceOnce, map[string]string{"order": "7"})
	s.must(s.stripe.CompleteCheckout(t.Context(), id))
	s.handled()
	got := one[payment.Paid](s)
	customer, err := s.pay.Customer(t.Context(), ann, "")
	s.must(err)
	want := payment.Paid{
		Origin: payment.Origin{Customer: customer, User: ann},
		ID:     id, Session: id, Amount: 1500, Currency: "eur", Metadata: map[string]string{"order": "7"},
	}
	if diff := cmp.Diff(want, got, ignoreOrigin, cmpopts.IgnoreFields(payment.Paid{}, "PaymentIntent")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.EventID != s.events("checkout.session.completed")[0] || got.EventType != "checkout.session.completed" || got.PaymentIntent == "" {
		t.Errorf("the event is %+v", got)
	}
	if n := len(toldOf[payment.Failed](s)); n != 0 {
		t.Errorf("%d failures were told", n)
	}
}

func TestAGuestsCheckoutHasNoUser(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	made, err := s.pay.Checkout(t.Context(), checkoutOf(payment.ModePayment, priceOnce, nil))
	s.must(err)
	s.must(s.stripe.CompleteCheckout(t.Context(), made.ID))
	s.handled()
	if got := one[payment.Paid](s); !got.User.IsZero() || got.ID != made.ID {
		t.Errorf("the event is %+v", got)
	}
}

func TestASlowPaymentIsToldWhenTheMoneyIsThere(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	paid, failed := s.checkout(payment.ModePayment, priceOnce, nil), s.checkout(payment.ModePayment, priceOnce, nil)
	for _, id := range []string{paid, failed} {
		s.must(s.stripe.CompleteCheckoutLater(t.Context(), id))
	}
	s.handled()
	if told := toldOf[payment.Paid](s); len(told) != 0 {
		t.Fatalf("told before the money is there: %+v", told)
	}
	s.must(s.stripe.SucceedPayment(t.Context(), paid))
	s.must(s.stripe.FailPayment(t.Context(), failed))
	s.handled()
	if got := one[payment.Paid](s); got.ID != paid || got.EventType != "checkout.session.async_payment_succeeded" {
		t.Errorf("paid: %+v", got)
	}
	if got := one[payment.Failed](s); got.ID != failed || got.Reason != payment.FailureDeclined || got.Amount != 1500 || got.User != ann {
		t.Errorf("failed: %+v", got)
	}
}

// Both events of a slow payment are late: each finds the session paid.
func TestLateEventsOfOnePaymentTellOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.checkout(payment.ModePayment, priceOnce, nil)
	s.stripe.Hold()
	s.must(s.stripe.CompleteCheckoutLater(t.Context(), id))
	s.must(s.stripe.SucceedPayment(t.Context(), id))
	s.must(s.stripe.Release(t.Context()))
	s.handled()
	if got := one[payment.Paid](s); got.ID != id {
		t.Errorf("paid: %+v", got)
	}
	events := append(s.events("checkout.session.completed"), s.events("checkout.session.async_payment_succeeded")...)
	for _, e := range events {
		s.must(s.stripe.Deliver(t.Context(), e, e))
	}
	report, err := s.pay.Replay(t.Context(), payment.ReplayFilter{EventFilter: payment.EventFilter{IDs: events}})
	if err != nil || len(report.Queued) != 2 {
		t.Fatalf("replayed: %+v, %v", report, err)
	}
	clear(s.done)
	s.handled(events...)
	one[payment.Paid](s)
}

func TestACheckoutThatNobodyCompletesFails(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.checkout(payment.ModePayment, priceOnce, map[string]string{"order": "7"})
	setup := s.checkout(payment.ModeSetup, "", nil)
	s.must(s.stripe.DeclineCheckout(t.Context(), id)) // which the customer sees and may repair
	s.must(s.stripe.ExpireCheckout(t.Context(), id))
	s.must(s.stripe.ExpireCheckout(t.Context(), setup))
	s.handled()
	if got := one[payment.Failed](s); got.ID != id || got.Reason != payment.FailureExpired || got.Metadata["order"] != "7" {
		t.Errorf("failed: %+v", got)
	}
}

func TestASetupIsNoPayment(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.must(s.stripe.CompleteCheckout(t.Context(), s.checkout(payment.ModeSetup, "", nil)))
	s.handled()
	if told := toldOf[any](s); len(told) != 0 {
		t.Errorf("told: %+v", told)
	}
}

// A checkout of a subscription makes a completed session and a paid invoice: one
// payment.
func TestASubscriptionIsPaidByItsInvoices(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.must(s.stripe.CompleteCheckout(t.Context(), s.checkout(payment.ModeSubscription, priceBasic, map[string]string{"plan": "basic"})))
	s.handled()
	first := one[payment.Paid](s)
	subs, err := s.pay.Subscriptions(t.Context(), ann)
	s.must(err)
	sub := subs[0].ID
	if first.Invoice == "" || first.ID != first.Invoice || first.Session != "" || first.Subscription != sub || first.Amount != 900 ||
		first.User != ann || first.EventType != "invoice.paid" || first.Metadata["plan"] != "basic" || first.PaymentIntent == "" {
		t.Errorf("paid: %+v", first)
	}
	s.must(s.stripe.Renew(t.Context(), sub))
	s.handled()
	paid := toldOf[payment.Paid](s)
	if len(paid) != 2 || paid[1].ID == first.ID || paid[1].Subscription != sub {
		t.Errorf("paid: %+v", paid)
	}
	s.must(s.stripe.FailRenewal(t.Context(), sub))
	s.handled()
	failed := one[payment.Failed](s)
	if failed.Subscription != sub || failed.Attempt != 1 || failed.Reason != payment.FailureDeclined || failed.Amount != 900 || failed.Invoice == "" {
		t.Errorf("failed: %+v", failed)
	}
	s.must(s.stripe.PayInvoice(t.Context(), failed.Invoice))
	s.handled()
	if paid := toldOf[payment.Paid](s); len(paid) != 3 || paid[2].ID != failed.Invoice {
		t.Errorf("paid: %+v", paid)
	}
}

func TestAFailureThatWasHealedMeanwhileIsNotTold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	sub := s.subscribed(priceBasic)
	s.stripe.Hold()
	s.must(s.stripe.FailRenewal(t.Context(), sub))
	invoices, err := s.pay.Invoices(t.Context(), ann)
	s.must(err)
	s.must(s.stripe.PayInvoice(t.Context(), invoices[0].ID))
	s.must(s.stripe.Release(t.Context()))
	s.handled()
	if told := toldOf[payment.Failed](s); len(told) != 0 {
		t.Errorf("failed: %+v", told)
	}
	if paid := toldOf[payment.Paid](s); len(paid) != 2 {
		t.Errorf("paid: %+v", paid)
	}
}

// The same events, in the shape that Stripe's API has since 2025, make the same
// normalised ones.
func TestEventsOfEveryVersionSayTheSame(t *testing.T) {
	t.Parallel()
	told := map[string][]any{}
	for _, version := range []string{paymenttest.APIVersion, "2022-08-01", "2025-03-31.basil", "2026-08-26.dahlia"} {
		s := newShop(t)
		s.stripe.Hold()
		s.must(s.stripe.CompleteCheckout(t.Context(), s.checkout(payment.ModeSubscription, priceBasic, map[string]string{"plan": "basic"})))
		s.must(s.stripe.CompleteCheckout(t.Context(), s.checkout(payment.ModePayment, priceOnce, nil)))
		subs := s.events("customer.subscription.created")
		for _, e := range s.stripe.Events() {
			s.must(s.stripe.DeliverAs(t.Context(), version, e.ID))
			s.handled(e.ID)
		}
		if len(subs) != 1 {
			t.Fatalf("%d subscriptions", len(subs))
		}
		told[version] = toldOf[any](s)
		if sub := toldOf[payment.SubscriptionChanged](s)[0].Subscription; sub.PeriodEnd.IsZero() || sub.Status != "active" {
			t.Errorf("%s: the subscription is %+v", version, sub)
		}
	}
	want := told[paymenttest.APIVersion]
	if len(want) < 3 {
		t.Fatalf("told: %+v", want)
	}
	for version, got := range told {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", version, diff)
		}
	}
}

func TestRefundsAreToldOneByOne(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.checkout(payment.ModePayment, priceOnce, map[string]string{"order": "7"})
	s.must(s.stripe.CompleteCheckout(t.Context(), id))
	s.handled()
	first, err := s.pay.Refund(t.Context(), payment.RefundRequest{Payment: id, Amount: 500, IdempotencyKey: "1"})
	s.must(err)
	again, err := s.pay.Refund(t.Context(), payment.RefundRequest{Payment: id, Amount: 500, IdempotencyKey: "1"})
	s.must(err)
	if again.ID != first.ID {
		t.Errorf("refunds %s and %s of one key", first.ID, again.ID)
	}
	s.handled()
	got := one[payment.Refunded](s)
	paid := one[payment.Paid](s)
	want := payment.Refunded{
		Origin: paid.Origin, ID: first.ID, Status: "succeeded", PaymentIntent: paid.PaymentIntent,
		Amount: 500, Total: 500, Currency: "eur", Metadata: map[string]string{"order": "7"},
	}
	if diff := cmp.Diff(want, got, ignoreOrigin, cmpopts.IgnoreFields(payment.Refunded{}, "Charge")); diff != "" || got.Charge == "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	rest, err := s.pay.Refund(t.Context(), payment.RefundRequest{Payment: paid.PaymentIntent, Reason: "requested_by_customer"})
	s.must(err)
	s.handled()
	told := toldOf[payment.Refunded](s)
	if len(told) != 2 || told[1].ID != rest.ID || told[1].Amount != 1000 || told[1].Total != 1500 || !told[1].Full {
		t.Errorf("told: %+v", told)
	}
	if _, err := s.pay.Refund(t.Context(), payment.RefundRequest{Payment: got.Charge}); err == nil {
		t.Error("more was paid back than was paid")
	}
}

// Refunds whose events come late and in disorder are each told once all the same.
func TestDisorderedRefundsAreToldOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.checkout(payment.ModePayment, priceOnce, nil)
	s.must(s.stripe.CompleteCheckout(t.Context(), id))
	s.handled()
	s.stripe.Hold()
	for i := range 3 {
		_, err := s.pay.Refund(t.Context(), payment.RefundRequest{Payment: id, Amount: int64(100 * (i + 1))})
		s.must(err)
	}
	events := s.events("charge.refunded")
	s.must(s.stripe.Deliver(t.Context(), events[2], events[0], events[1], events[0]))
	s.must(s.stripe.Release(t.Context()))
	s.handled()
	amounts := map[int64]int{}
	for _, e := range toldOf[payment.Refunded](s) {
		amounts[e.Amount]++
	}
	if diff := cmp.Diff(map[int64]int{100: 1, 200: 1, 300: 1}, amounts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsGoneOrForeignIsNoFailure(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) {
		o.APIBase = newStripe(t, &paymenttest.Options{Key: stripeKey}).URL()
	}).start()
	for i, tt := range []struct{ kind, object string }{
		{"checkout.session.completed", `{"id": "cs_nowhere", "payment_status": "paid"}`},
		{"checkout.session.expired", `{"id": "cs_nowhere"}`},
		{"invoice.paid", `{"id": "in_nowhere"}`},
		{"invoice.payment_failed", `{"id": "in_nowhere"}`},
		{"customer.subscription.updated", `{"id": "sub_nowhere", "status": "active"}`},
		{"charge.refunded", `{"id": "ch_nowhere"}`},
		{"refund.updated", `{"id": "re_nowhere"}`},
		{"invoice.paid", `{"id": "../customers"}`},
		{"invoice.paid", `{"id": 7}`},
		{"invoice.paid", `{}`},
		{"invoice.paid", `[]`},
		{"invoice.paid", `null`},
		{"charge.updated", `{"id": "ch_nowhere"}`},
		{"something.new", `{"id": "x"}`},
	} {
		id := fmt.Sprintf("evt_%d", i)
		in.deliver(fmt.Sprintf(`{"id": %q, "object": "event", "api_version": "2023-10-16", "created": %d, "type": %q, "data": {"object": %s}}`,
			id, noon.Unix(), tt.kind, tt.object)).received()
		in.want(id, payment.StateDone)
	}
}

func TestAStripeThatIsDownDelaysWhatFollows(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.checkout(payment.ModePayment, priceOnce, nil)
	s.stripe.FailNext(1, paymenttest.Failure{Status: 400, Path: "/v1/checkout/sessions/"})
	s.must(s.stripe.CompleteCheckout(t.Context(), id))
	completed := s.events("checkout.session.completed")[0]
	for {
		if o := receive(s.TB, s.outcomes); o.id == completed {
			if o.state != payment.StatePending {
				t.Fatalf("the event is %s", o.state)
			}
			break
		}
	}
	s.clock.add(time.Minute)
	s.pay.LookNow()
	s.handled(completed)
	one[payment.Paid](s)
}
