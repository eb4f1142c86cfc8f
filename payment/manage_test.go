package payment_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func TestCancelledAtItsEndASubscriptionLastsUntilThen(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.subscribed(priceBasic)
	sub, err := s.pay.Cancel(t.Context(), id)
	if err != nil || sub.Status != "active" || !sub.CancelAt.Equal(sub.PeriodEnd) {
		t.Fatalf("%+v, %v", sub, err)
	}
	if got := s.status(id, "active"); !got.CancelAt.Equal(sub.CancelAt) { // before any event of it
		t.Errorf("the record is %+v", got)
	}
	s.isSubscribed(true)
	sub, err = s.pay.Resume(t.Context(), id)
	if err != nil || !sub.CancelAt.IsZero() {
		t.Errorf("%+v, %v", sub, err)
	}
	again, err := s.pay.Resume(t.Context(), id)
	again.Sequence = sub.Sequence // which counts that it was asked for
	if diff := cmp.Diff(sub, again); diff != "" || err != nil {
		t.Errorf("resumed again: %v\n%s", err, diff)
	}
	s.clock.add(32 * 24 * time.Hour)
	s.isSubscribed(true) // its renewal is late, and so is the event
	_, err = s.pay.Cancel(t.Context(), id)
	s.must(err)
	s.isSubscribed(false) // even if no event ever came
	s.handled()
}

// Stripe's portal sets a date instead, where a subscription is billed the newer way.
func TestASubscriptionThatEndsAtADateIsResumed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.subscribed(priceBasic)
	s.must(s.raw("POST", "/v1/subscriptions/"+id, fmt.Sprintf("cancel_at=%d", s.clock.Now().Add(time.Hour).Unix())))
	s.handled()
	if s.status(id, "active").CancelAt.IsZero() {
		t.Fatal("it does not end")
	}
	sub, err := s.pay.Resume(t.Context(), id)
	if err != nil || !sub.CancelAt.IsZero() {
		t.Errorf("%+v, %v", sub, err)
	}
	s.handled()
}

func TestNothingIsResumedThatIsOver(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.subscribed(priceBasic)
	_, err := s.pay.CancelNow(t.Context(), id)
	s.must(err)
	if sub, err := s.pay.Resume(t.Context(), id); !errors.Is(err, payment.ErrNoSubscription) {
		t.Errorf("%+v, %v", sub, err)
	}
	s.handled()
}

func TestCancelNow(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.subscribed(priceBasic)
	sub, err := s.pay.CancelNow(t.Context(), id)
	if err != nil || sub.Status != "canceled" || sub.User != ann {
		t.Errorf("%+v, %v", sub, err)
	}
	s.status(id, "canceled")
	s.isSubscribed(false)
	for name, change := range map[string]func() (payment.Subscription, error){
		"CancelNow": func() (payment.Subscription, error) { return s.pay.CancelNow(t.Context(), id) },
		"Cancel":    func() (payment.Subscription, error) { return s.pay.Cancel(t.Context(), id) },
		"unknown":   func() (payment.Subscription, error) { return s.pay.Cancel(t.Context(), "sub_nowhere") },
		"Resume":    func() (payment.Subscription, error) { return s.pay.Resume(t.Context(), "sub_nowhere") },
		"Swap": func() (payment.Subscription, error) {
			return s.pay.Swap(t.Context(), "sub_nowhere", payment.SwapRequest{Items: []payment.Item{{Price: pricePro}}})
		},
	} {
		if _, err := change(); !errors.Is(err, payment.ErrNoSubscription) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if doc := s.stored(payment.SubscriptionsCollection, "sub_nowhere"); doc != nil {
		t.Errorf("the record of what never was: %v", doc)
	}
	s.status(id, "canceled")
	for _, id := range []string{"", "../customers/x", "sub x"} {
		if _, err := s.pay.CancelNow(t.Context(), id); err == nil {
			t.Errorf("%q was cancelled", id)
		}
	}
	s.handled()
}

func TestSwapKeepsWhatStays(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stripe.AddPrice(paymenttest.Price{ID: "price_seat", Amount: 300, Currency: "eur", Interval: "month"})
	id := s.subscribed(priceBasic)
	old := s.status(id, "active").Items[0].ID
	five := int64(5)
	sub, err := s.pay.Swap(t.Context(), id, payment.SwapRequest{Items: []payment.Item{{Price: pricePro}, {Price: "price_seat", Quantity: &five}}})
	s.must(err)
	if len(sub.Items) != 2 || sub.Items[0].ID != old || sub.Items[0].Price != pricePro || sub.Items[1].Price != "price_seat" || sub.Items[1].Quantity != 5 {
		t.Fatalf("the items are %+v", sub.Items)
	}
	seat := sub.Items[1].ID
	sub, err = s.pay.Swap(t.Context(), id, payment.SwapRequest{Items: []payment.Item{{Price: "price_seat"}}, Proration: payment.ProrateNever})
	s.must(err)
	if len(sub.Items) != 1 || sub.Items[0].ID != seat || sub.Items[0].Quantity != 5 {
		t.Errorf("the items are %+v", sub.Items)
	}
	if diff := cmp.Diff(sub.Items, s.status(id, "active").Items); diff != "" {
		t.Errorf("the record differs:\n%s", diff)
	}
	s.isSubscribed(true, "price_seat")
	s.isSubscribed(false, priceBasic)
	if _, err := s.pay.Swap(t.Context(), id, payment.SwapRequest{Items: []payment.Item{{Price: "price_nowhere"}}}); err == nil || errors.Is(err, payment.ErrNoSubscription) {
		t.Errorf("swapped for a price that is none: %v", err)
	}
	s.status(id, "active") // not recorded as gone
	if _, err := s.pay.Swap(t.Context(), id, payment.SwapRequest{}); err == nil {
		t.Error("swapped for nothing")
	}
	s.handled()
}

// A client that did not hear the answer asks again, when the items are others already.
func TestASwapIsRepeatedUnderItsKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stripe.AddPrice(paymenttest.Price{ID: "price_seat", Amount: 300, Currency: "eur", Interval: "month"})
	id, two := s.subscribed(priceBasic), int64(2)
	swap := func(items ...payment.Item) payment.Subscription {
		t.Helper()
		sub, err := s.pay.Swap(t.Context(), id, payment.SwapRequest{Items: items, Proration: payment.ProrateNow, IdempotencyKey: "upgrade"})
		s.must(err)
		return sub
	}
	first := swap(payment.Item{Price: pricePro}, payment.Item{Price: "price_seat", Quantity: &two})
	invoices := len(s.events("invoice.created"))
	again := swap(payment.Item{Price: pricePro}, payment.Item{Price: "price_seat", Quantity: &two})
	if diff := cmp.Diff(first.Items, again.Items); diff != "" || len(s.events("invoice.created")) != invoices {
		t.Errorf("swapped again:\n%s", diff)
	}
	for name, items := range map[string][]payment.Item{
		"another quantity": {{Price: pricePro}, {Price: "price_seat", Quantity: new(int64(3))}},
		"one less":         {{Price: pricePro}},
	} {
		sub, err := s.pay.Swap(t.Context(), id, payment.SwapRequest{Items: items})
		if err != nil || len(sub.Items) != len(items) || cmp.Equal(sub.Items, first.Items) {
			t.Errorf("%s: %+v, %v", name, sub.Items, err)
		}
	}
	s.handled()
}
