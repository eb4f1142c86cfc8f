package payment_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// isSubscribed fails the test unless ann's subscriptions are as wanted.
func (s *shop) isSubscribed(want bool, prices ...string) {
	s.Helper()
	got, err := s.pay.IsSubscribed(s.Context(), ann, prices...)
	if err != nil || got != want {
		s.Errorf("subscribed to %v: %v, %v; want %v", prices, got, err, want)
	}
}

// status fails the test unless the record of a subscription has this status.
func (s *shop) status(id, want string) payment.Subscription {
	s.Helper()
	subs, err := s.pay.Subscriptions(s.Context(), ann)
	s.must(err)
	i := slices.IndexFunc(subs, func(sub payment.Subscription) bool { return sub.ID == id })
	if i < 0 || subs[i].Status != want {
		s.Fatalf("the subscriptions are %+v, want %s to be %s", subs, id, want)
	}
	return subs[i]
}

func TestTheLifeOfASubscription(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.isSubscribed(false)
	id := s.subscribed(priceBasic)
	sub := s.status(id, "active")
	if sub.User != ann || sub.Customer == "" || !sub.PeriodStart.Equal(noon) || !sub.PeriodEnd.Equal(noon.AddDate(0, 1, 0)) ||
		len(sub.Items) != 1 || sub.Items[0].Price != priceBasic || sub.Items[0].Quantity != 1 || !sub.CancelAt.IsZero() || !sub.EndedAt.IsZero() {
		t.Errorf("the subscription is %+v", sub)
	}
	s.isSubscribed(true)
	s.isSubscribed(true, pricePro, priceBasic)
	s.isSubscribed(false, pricePro)
	if subscribed, err := s.pay.IsSubscribed(t.Context(), payment.User{ID: "bob"}); err != nil || subscribed {
		t.Errorf("bob is subscribed: %v, %v", subscribed, err)
	}

	asked := len(s.stripe.Requests())
	s.isSubscribed(true)
	if n := len(s.stripe.Requests()); n != asked {
		t.Errorf("Stripe was asked %d times", n-asked)
	}

	s.must(s.stripe.FailRenewal(t.Context(), id))
	s.handled()
	s.status(id, "past_due")
	s.isSubscribed(false)
	s.must(s.stripe.PayInvoice(t.Context(), one[payment.Failed](s).Invoice))
	s.handled()
	s.isSubscribed(true)

	s.must(s.stripe.CancelNow(t.Context(), id))
	s.handled()
	if sub := s.status(id, "canceled"); !sub.EndedAt.Equal(noon) {
		t.Errorf("the subscription is %+v", sub)
	}
	s.isSubscribed(false)
	told := toldOf[payment.SubscriptionChanged](s)
	last := told[len(told)-1]
	if last.Subscription.ID != id || last.Subscription.Status != "canceled" || last.User != ann || last.EventType != "customer.subscription.deleted" {
		t.Errorf("told at last: %+v", last)
	}
}

func TestASubscriptionByInvoice(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	due := payment.SubscribeRequest{
		Email: "ann@example.com", Items: []payment.Item{{Price: priceBasic}}, User: &ann, Due: 14,
		Metadata: map[string]string{"seats.of": "$1", "x": "y"}, // names that no field of a document can have
	}
	made, err := s.pay.Subscribe(t.Context(), due)
	s.must(err)
	if made.CollectionMethod != "send_invoice" || made.DaysUntilDue != 14 || len(made.LastResponse.RawJSON) == 0 {
		t.Errorf("the subscription is %+v", made)
	}
	sub := s.status(made.ID, "active")
	if diff := cmp.Diff(due.Metadata, sub.Metadata); diff != "" {
		t.Errorf("the metadata (-want +got):\n%s", diff)
	}
	s.handled()
	s.status(made.ID, "active")
	invoices, err := s.pay.Invoices(t.Context(), ann)
	s.must(err)
	if len(invoices) != 1 || invoices[0].Status != "open" || invoices[0].Due != 900 || invoices[0].Subscription != made.ID || invoices[0].URL == "" ||
		!invoices[0].DueAt.Equal(noon.AddDate(0, 0, 14)) {
		t.Errorf("the invoices are %+v", invoices)
	}
	s.must(s.stripe.PayInvoice(t.Context(), invoices[0].ID))
	s.handled()
	if paid := one[payment.Paid](s); paid.Invoice != invoices[0].ID || paid.Metadata["seats.of"] != "$1" || paid.Metadata["coglex_user"] != "" {
		t.Errorf("paid: %+v", paid)
	}
	none, err := s.pay.Invoices(t.Context(), payment.User{ID: "bob"})
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("bob's invoices are %v, %v", none, err)
	}
}

func TestAGuestsSubscriptionMakesOneCustomerForEachKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := payment.SubscribeRequest{Email: "g@example.com", Items: []payment.Item{{Price: priceBasic}}, IdempotencyKey: "7"}
	first, err := s.pay.Subscribe(t.Context(), r)
	s.must(err)
	again, err := s.pay.Subscribe(t.Context(), r)
	s.must(err)
	if again.ID != first.ID || again.Customer.ID != first.Customer.ID {
		t.Errorf("%s of %s, then %s of %s", first.ID, first.Customer.ID, again.ID, again.Customer.ID)
	}
	r.IdempotencyKey = "8"
	other, err := s.pay.Subscribe(t.Context(), r)
	s.must(err)
	if other.Customer.ID == first.Customer.ID { // an email that someone typed finds nobody
		t.Error("two guests are one customer")
	}
}

// Events in the wrong order, at once, on two instances: the records end as Stripe is.
func TestDisorderedEventsEndInTheTrueState(t *testing.T) {
	t.Parallel()
	c, db := newClock(), dbtest.Database(t)
	stripe := newStripe(t, &paymenttest.Options{Now: c.Now})
	a, b := newShopOn(t, db, stripe, c).open(), newShopOn(t, db, stripe, c).open()
	stripe.Hold()
	id := a.checkout(payment.ModeSubscription, priceBasic, nil)
	a.must(stripe.CompleteCheckout(t.Context(), id))
	created := a.events("customer.subscription.created")
	sub := objectID(t, stripe, created[0])
	for range 3 {
		a.must(stripe.Renew(t.Context(), sub))
	}
	updated := a.events("customer.subscription.updated")
	a.must(stripe.CancelNow(t.Context(), sub))
	deleted := a.events("customer.subscription.deleted")
	if len(updated) < 3 || len(deleted) != 1 {
		t.Fatalf("the events are %v, %v, %v", created, updated, deleted)
	}
	order := slices.Concat(deleted, updated, created)
	slices.Reverse(updated)
	order = append(order, updated...)
	var racing sync.WaitGroup
	for _, e := range order {
		racing.Go(func() { a.must(stripe.DeliverAtOnce(t.Context(), e, 3)) })
	}
	racing.Wait()
	handledBy(a, b, slices.Concat(created, updated, deleted)...)
	a.status(sub, "canceled")
	for _, e := range append(toldOf[payment.SubscriptionChanged](a), toldOf[payment.SubscriptionChanged](b)...) {
		if e.Subscription.Status != "canceled" {
			t.Errorf("told what was not so any more: %+v", e)
		}
	}
}

// handledBy waits until events are handled by either of two shops.
func handledBy(a, b *shop, ids ...string) {
	a.Helper()
	left := map[string]bool{}
	for _, id := range ids {
		left[id] = true
	}
	for len(left) > 0 {
		select {
		case o := <-a.outcomes:
			delete(left, o.id)
		case o := <-b.outcomes:
			delete(left, o.id)
		case <-time.After(patience):
			a.Fatalf("not handled: %v", left)
		}
	}
}

// Someone fetches, is held up, and writes after someone else who fetched later.
func TestAnOlderFetchDoesNotOverwriteANewer(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.subscribed(priceBasic)
	s.stripe.Hold()
	old := s.status(id, "active")
	late, err := s.pay.TakeTicket(t.Context(), id)
	s.must(err)
	canceled, err := s.pay.CancelNow(t.Context(), id)
	s.must(err)
	told, err := s.pay.WriteSubscription(t.Context(), old, late)
	s.must(err)
	if diff := cmp.Diff(canceled, told); diff != "" || canceled.Sequence <= old.Sequence {
		t.Errorf("what is told is not what is written (-want +got):\n%s", diff)
	}
	s.status(id, "canceled")
	next, err := s.pay.TakeTicket(t.Context(), id)
	s.must(err)
	_, err = s.pay.WriteSubscription(t.Context(), old, next)
	s.must(err)
	s.status(id, "active") // for that would have been fetched later
	s.must(s.pay.Sync(t.Context(), ann))
	s.status(id, "canceled")
	if err := s.pay.Sync(t.Context(), payment.User{ID: "bob"}); !errors.Is(err, payment.ErrNoCustomer) {
		t.Errorf("bob is in sync: %v", err)
	}
}

func TestSyncFindsWhatWasMissed(t *testing.T) {
	t.Parallel()
	c := newClock()
	stripe := newStripe(t, &paymenttest.Options{Now: c.Now})
	s := newShopOn(t, dbtest.Database(t), stripe, c) // no webhook ever arrives
	s.must(stripe.CompleteCheckout(t.Context(), s.checkout(payment.ModeSubscription, priceBasic, nil)))
	s.must(stripe.CompleteCheckout(t.Context(), s.checkout(payment.ModeSubscription, pricePro, nil)))
	s.isSubscribed(false)
	s.must(s.pay.Sync(t.Context(), ann))
	s.isSubscribed(true, priceBasic)
	s.isSubscribed(true, pricePro)
}

// The subscriptions of a customer that was deleted are not listed with the new one's.
func TestSyncEndsWhatEndedWithACustomer(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.subscribed(priceBasic)
	customer, err := s.pay.Customer(t.Context(), ann, "")
	s.must(err)
	s.handled()
	s.stripe.Hold() // no webhook arrives from now on
	s.deleteCustomer(customer)
	s.checkout(payment.ModePayment, priceOnce, nil) // makes a new one
	s.must(s.pay.Sync(t.Context(), ann))
	s.status(id, "canceled")
	s.isSubscribed(false)
}

func TestAUserWhoseCustomerWasDeletedKeepsTheirRecords(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.subscribed(priceBasic)
	customer, err := s.pay.Customer(t.Context(), ann, "")
	s.must(err)
	s.deleteCustomer(customer)
	s.checkout(payment.ModePayment, priceOnce, nil) // makes a new one
	s.handled()
	s.must(s.db.Collection(payment.SubscriptionsCollection).Drop(t.Context()))
	for _, e := range s.events("customer.subscription.deleted") {
		s.replay(e)
	}
	if sub := s.status(id, "canceled"); sub.Customer != customer {
		t.Errorf("the subscription is %+v", sub)
	}
}

// replay has an event handled again.
func (s *shop) replay(id string) {
	s.Helper()
	_, err := s.pay.Replay(s.Context(), payment.ReplayFilter{EventFilter: payment.EventFilter{IDs: []string{id}}})
	s.must(err)
	delete(s.done, id)
	s.handled(id)
}

// objectID returns the id of the object that an event is about.
func objectID(t *testing.T, stripe *paymenttest.Server, event string) string {
	t.Helper()
	for _, e := range stripe.Events() {
		if e.ID != event {
			continue
		}
		var body bson.M
		if err := bson.UnmarshalExtJSON(e.Body, false, &body); err != nil {
			t.Fatal(err)
		}
		return body["data"].(bson.M)["object"].(bson.M)["id"].(string)
	}
	t.Fatalf("there is no event %s", event)
	return ""
}
