package paymenttest

import (
	"fmt"
	"slices"
)

// kind is what an id names; it is its prefix too.
type kind string

const (
	kindCheckout     kind = "cs_test"
	kindCharge       kind = "ch"
	kindCustomer     kind = "cus"
	kindEndpoint     kind = "we"
	kindEvent        kind = "evt"
	kindInvoice      kind = "in"
	kindInvoiceLine  kind = "il"
	kindLineItem     kind = "li"
	kindPayment      kind = "pi"
	kindMethod       kind = "pm"
	kindPortal       kind = "bps"
	kindPrice        kind = "price"
	kindProduct      kind = "prod"
	kindRefund       kind = "re"
	kindRequest      kind = "req"
	kindSetup        kind = "seti"
	kindSubscription kind = "sub"
	kindItem         kind = "si"
)

// noun is what Stripe calls a kind in its messages.
func (k kind) noun() string {
	switch k {
	case kindCheckout:
		return "checkout.session"
	case kindCharge:
		return "charge"
	case kindCustomer:
		return "customer"
	case kindEndpoint:
		return "webhook endpoint"
	case kindEvent:
		return "event"
	case kindInvoice:
		return "invoice"
	case kindMethod:
		return "PaymentMethod"
	case kindPayment:
		return "payment_intent"
	case kindPrice:
		return "price"
	case kindProduct:
		return "product"
	case kindRefund:
		return "refund"
	case kindSubscription:
		return "subscription"
	case kindItem:
		return "subscription item"
	default:
		return string(k)
	}
}

// state is all that Stripe knows. Its methods are called under the lock of the
// [Stripe] that owns it.
type state struct {
	seed    string
	version string // of the account
	now     int64  // of the operation under way
	base    string // where pages are, "http://127.0.0.1:4242"
	request object // what caused the operation, as events tell it

	made    map[kind]int
	objects map[string]object
	order   map[kind][]string // ids, oldest first
	events  []string          // of the operation under way
}

func newState(seed, version string) state {
	return state{
		seed: seed, version: version, base: "https://stripe.invalid",
		made: map[kind]int{}, objects: map[string]object{}, order: map[kind][]string{},
	}
}

// id makes the next id of a kind.
func (s *state) id(k kind) string {
	s.made[k]++
	return fmt.Sprintf("%s_%s%08d", k, s.seed, s.made[k])
}

// add keeps a new object under its id.
func (s *state) add(k kind, o object) object {
	id := o.str("id")
	o["_kind"] = k
	if s.objects[id] == nil {
		s.order[k] = append(s.order[k], id)
	}
	s.objects[id] = o
	return o
}

// find returns the object of a kind with an id, nil where there is none.
func (s *state) find(k kind, id string) object {
	if o := s.objects[id]; o != nil && o["_kind"] == k {
		return o
	}
	return nil
}

// all returns the objects of a kind, newest first.
func (s *state) all(k kind) []object {
	ids := s.order[k]
	all := make([]object, 0, len(ids))
	for i := len(ids) - 1; i >= 0; i-- {
		all = append(all, s.objects[ids[i]])
	}
	return all
}

// remove takes an object away.
func (s *state) remove(k kind, id string) {
	delete(s.objects, id)
	s.order[k] = slices.DeleteFunc(s.order[k], func(other string) bool { return other == id })
}
