package payment

import (
	"context"
	"time"

	"github.com/imadelakhaldev/coglex/signals"
)

// CheckingOut is asked before a checkout session is made, after the request was found
// well-formed. An interceptor may change the request, or refuse it. Where browsers call
// the handler, all of the request but the user is theirs to choose: here is the place
// to see to it that what they buy is for sale, that the URLs lead back to the gateway's
// own pages, and that the metadata names what is theirs.
type CheckingOut struct {
	signals.Intent
	Request *CheckoutRequest
}

// Subscribing is asked before a subscription is made by [Service.Subscribe], as
// CheckingOut is before a checkout. The email, to which Stripe sends invoices, is the
// browser's to choose as well.
type Subscribing struct {
	signals.Intent
	Request *SubscribeRequest
}

// ask asks the interceptors of E about a request.
func ask[E any, P signals.IntentOf[E]](ctx context.Context, s *Service, e P) error {
	return signals.Ask[E, P](ctx, s.bus(), e)
}

// Origin is where a normalised event comes from.
type Origin struct {
	// EventID is the id of Stripe's event, EventType its type.
	EventID, EventType string
	// Livemode says that it is about real money.
	Livemode bool
	// Account is the connected account that it is about, empty for one's own.
	Account string
	// Customer is the id of the customer at Stripe, empty for a guest.
	Customer string
	// User is whom our records have for that customer, nobody where they have none.
	User User
}

// Paid tells that money was received: by a checkout in [ModePayment], or for an
// invoice, which all payments of subscriptions are, the first one included. It is told
// once for each ID, however many events Stripe sends about it. So a subscriber that
// must not act twice even where its process dies keeps the ID with what it does.
//
// That something was paid does not say that it was enough. The Metadata comes from
// whoever asked for the checkout: one that names an order may be for another, cheaper
// thing. So compare Amount and Currency with what is due.
//
// What it says was fetched from Stripe and is as of now, whichever version of the API
// the event was written in. The Amount may be zero: for a checkout or an invoice that
// costs nothing.
type Paid struct {
	signals.Inbox
	Origin
	// ID is the checkout session ("cs_…") or the invoice ("in_…") that was paid.
	ID string
	// Session, Invoice and Subscription are ids of what it was paid for; each is empty
	// where there is none. The payments of a subscription have no Session.
	Session, Invoice, Subscription string
	// PaymentIntent is the payment itself, for [Service.Refund]; empty where no money
	// moved through Stripe.
	PaymentIntent string
	// Amount is in the smallest unit of Currency, such as cents.
	Amount int64
	// Currency is an ISO 4217 code in lower case.
	Currency string
	// Metadata is that of the session or the subscription, and of the invoice, without
	// the names of the service's own: what a client says, where clients ask for
	// checkouts. It must not be changed.
	Metadata map[string]string
}

// Failure is why a payment was not made.
type Failure string

// The reasons of Failed.
const (
	// FailureDeclined is a payment that a bank refused.
	FailureDeclined Failure = "declined"
	// FailureExpired is a checkout that nobody completed in time.
	FailureExpired Failure = "expired"
)

// Failed tells that a payment was not made: an attempt to pay an invoice failed, a
// checkout was completed with a slow means of payment which then failed, or nobody
// completed it in time. It is told once for each attempt, and not at all where the
// money has come by the time the event is handled. An invoice is mostly tried again,
// so Paid may follow.
type Failed struct {
	signals.Inbox
	Origin
	// ID is the checkout session or the invoice.
	ID string
	// Reason is why.
	Reason Failure
	// Session, Invoice and Subscription are ids of what it was for.
	Session, Invoice, Subscription string
	// Attempt counts the attempts to pay an invoice, from 1; it is zero for a session.
	Attempt int64
	// NextAttempt is when Stripe tries again, zero for never.
	NextAttempt time.Time
	// Amount is what was due, in the smallest unit of Currency.
	Amount int64
	// Currency is an ISO 4217 code in lower case.
	Currency string
	// Metadata is as in Paid.
	Metadata map[string]string
}

// SubscriptionChanged tells of a subscription that has begun, changed or ended, and
// how it is now. It is told for each of Stripe's events about it, so two may say the
// same; the last one told says what [Service.Subscriptions] does.
type SubscriptionChanged struct {
	signals.Inbox
	Origin
	// Subscription is how it is now.
	Subscription Subscription
}

// Refunded tells that money goes back to a customer, all of a payment or a part. It is
// told once for each ID, and once more where the refund fails afterwards.
type Refunded struct {
	signals.Inbox
	Origin
	// ID is the refund ("re_…").
	ID string
	// Status is "succeeded", "pending" or "requires_action"; or "failed" or "canceled"
	// where the money did not go back after all.
	Status string
	// Charge and PaymentIntent are the payment that it is of.
	Charge, PaymentIntent string
	// Amount is what goes back by this refund, Total by all refunds of the payment, in
	// the smallest unit of Currency. Full says that nothing of the payment is left.
	Amount, Total int64
	Full          bool
	// Currency is an ISO 4217 code in lower case.
	Currency string
	// Metadata is that of the payment, as in Paid.
	Metadata map[string]string
}
