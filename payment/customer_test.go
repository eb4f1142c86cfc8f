package payment_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func TestTwoFirstCheckoutsAtOnceMakeOneCustomer(t *testing.T) {
	t.Parallel()
	c, db := newClock(), dbtest.Database(t)
	stripe := newStripe(t, &paymenttest.Options{Now: c.Now})
	stripe.SetLatency(20 * time.Millisecond)
	shops := []*shop{newShopOn(t, db, stripe, c), newShopOn(t, db, stripe, c)}
	if err := shops[0].pay.EnsureIndexes(t.Context()); err != nil {
		t.Fatal(err)
	}
	customers := make([]string, 8)
	var racing sync.WaitGroup
	for i := range customers {
		racing.Go(func() {
			r := checkoutOf(payment.ModePayment, priceOnce, &ann)
			r.Email = fmt.Sprintf("ann+%d@example.com", i) // those who race need not agree
			made, err := shops[i%2].pay.Checkout(t.Context(), r)
			if err != nil {
				t.Error(err)
				return
			}
			customers[i] = made.Customer.ID
		})
	}
	racing.Wait()
	for _, customer := range customers {
		if customer == "" || customer != customers[0] {
			t.Fatalf("the customers are %v", customers)
		}
	}
	if n := len(made(t, stripe)); n != 1 {
		t.Errorf("Stripe has %d customers", n)
	}
	if doc := shops[0].stored(payment.CustomersCollection, "_USERS/ann"); doc["customer"] != customers[0] {
		t.Errorf("the record is %v", doc)
	}
}

// made returns the ids of the customers that Stripe has made.
func made(t *testing.T, stripe *paymenttest.Server) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for _, e := range stripe.Events() {
		if e.Type != "customer.created" {
			continue
		}
		var event struct {
			Data struct{ Object struct{ ID string } }
		}
		if err := json.Unmarshal(e.Body, &event); err != nil {
			t.Fatal(err)
		}
		ids[event.Data.Object.ID] = true
	}
	return ids
}

func TestACustomerWhoseAnswerWasLostIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	// The SDK repeats the call, and gives up; then the gateway tries again.
	s.stripe.FailNext(3, paymenttest.Failure{Path: "/v1/customers", Lost: true})
	if _, err := s.pay.Customer(t.Context(), ann, "ann@example.com"); err != nil {
		t.Logf("the first time: %v", err)
	}
	first, err := s.pay.Customer(t.Context(), ann, "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if customers := made(t, s.stripe); len(customers) != 1 || !customers[first] {
		t.Errorf("Stripe has the customers %v, ours is %s", customers, first)
	}
}

// Stripe repeats for a day what it answered under a key, its own crashes too.
func TestACrashOfStripesLocksNoUserOut(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stripe.FailNext(1, paymenttest.Failure{Path: "/v1/customers", Status: 500})
	if _, err := s.pay.Customer(t.Context(), ann, ""); err == nil {
		t.Fatal("Stripe did not crash")
	}
	const racers = 4
	found := make([]string, racers)
	var racing sync.WaitGroup
	for i := range racers {
		racing.Go(func() {
			var err error
			if found[i], err = s.pay.Customer(t.Context(), ann, ""); err != nil {
				t.Error(err)
			}
		})
	}
	racing.Wait()
	if customers := made(t, s.stripe); len(customers) != 1 || !customers[found[0]] {
		t.Errorf("Stripe has the customers %v, ours are %v", customers, found)
	}
}

func TestACustomerThatWasDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.checkout(payment.ModePayment, priceOnce, nil)
	first, err := s.pay.Customer(t.Context(), ann, "")
	s.must(err)
	s.deleteCustomer(first)
	const racers = 4
	var racing sync.WaitGroup
	for range racers {
		racing.Go(func() {
			made, err := s.pay.Checkout(t.Context(), checkoutOf(payment.ModePayment, priceOnce, &ann))
			if err != nil || made.Customer.ID == first {
				t.Errorf("%+v, %v", made, err)
			}
		})
	}
	racing.Wait()
	if customers := made(t, s.stripe); len(customers) != 2 {
		t.Errorf("Stripe has the customers %v", customers)
	}
	second, err := s.pay.Customer(t.Context(), ann, "")
	s.must(err)
	s.must(s.pay.RenewCustomer(t.Context(), ann, first)) // by one who found that out long ago
	if now, err := s.pay.Customer(t.Context(), ann, ""); err != nil || now != second {
		t.Errorf("the customer was %s and is %s, %v", second, now, err)
	}
	r := checkoutOf(payment.ModePayment, priceOnce, &ann)
	r.Email = "other@example.com" // which finds out by itself
	s.deleteCustomer(second)
	if made, err := s.pay.Checkout(t.Context(), r); err != nil || made.Customer.ID == second {
		t.Errorf("%+v, %v", made, err)
	}
}

// deleteCustomer deletes a customer as someone at Stripe's dashboard does.
func (s *shop) deleteCustomer(id string) {
	s.Helper()
	s.must(s.raw("DELETE", "/v1/customers/"+id, ""))
}

func TestTheEmailFollows(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id, err := s.pay.Customer(t.Context(), ann, "")
	s.must(err)
	email := func() string {
		object, _ := s.stripe.Object(id)
		var c struct{ Email string }
		s.must(json.Unmarshal(object, &c))
		return c.Email
	}
	if got := email(); got != "" {
		t.Errorf("the email is %q", got)
	}
	for _, want := range []string{"a@example.com", "b@example.com"} {
		again, err := s.pay.Customer(t.Context(), ann, want)
		s.must(err)
		if got := email(); got != want || again != id {
			t.Errorf("the email of %s is %q, want that of %s to be %q", again, got, id, want)
		}
	}
	before := len(s.stripe.Requests())
	if _, err := s.pay.Customer(t.Context(), ann, "b@example.com"); err != nil || len(s.stripe.Requests()) != before {
		t.Errorf("what is known already was told Stripe again, %v", err)
	}
}

func TestUsersOfOneIDInTwoCollectionsAreTwoCustomers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ids := map[string]bool{}
	for _, user := range []payment.User{{ID: "x"}, {ID: "x", Collection: "staff"}, {ID: "staff/x"}, {ID: "x/y", Collection: "staff"}} {
		id, err := s.pay.Customer(t.Context(), user, "same@example.com") // by which nobody is found
		s.must(err)
		ids[id] = true
	}
	if len(ids) != 4 {
		t.Errorf("the customers are %v", ids)
	}
	for _, user := range []payment.User{{}, {Collection: "x"}, {ID: "y", Collection: "staff/x"}, {ID: "a\x00b"}, {ID: "a\xffb"}} {
		if _, err := s.pay.Customer(context.Background(), user, ""); err == nil {
			t.Errorf("%+v is a customer", user)
		}
	}
}
