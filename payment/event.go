package payment

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/signals"
)

// StripeWebhookReceived tells what Stripe has reported: the signal
// "stripe_webhook_received" of Coglex for Flask. It is an inbox event: it was stored
// before it is told, and is told again until every subscriber is done with it.
type StripeWebhookReceived struct {
	signals.Inbox
	// ID is the id of the event at Stripe, such as "evt_1Nv0FG".
	ID string
	// Type is what happened, such as "invoice.paid".
	Type string
	// APIVersion is the version that Object is written in, empty where Stripe did
	// not say.
	APIVersion string
	// Livemode says that it is about real money.
	Livemode bool
	// Account is the connected account that it is about, empty for one's own.
	Account string
	// Created is when it happened, by Stripe's clock.
	Created time.Time
	// Object is what it is about, as JSON: the data.object of the event, as it was
	// when that was sent. It is nil where there is none, as in thin events. It must
	// not be changed.
	Object json.RawMessage
	// Payload is the whole event as JSON. It must not be changed.
	Payload json.RawMessage
	// Attempt counts the tries of this event, from 1.
	Attempt int
}

// Object returns what the event is about as a type of the SDK:
//
//	charge, err := payment.Object[stripe.Charge](e)
//
// The SDK reads its own version of Stripe's API only, and would leave fields of
// another one empty without a word, such as the period of a subscription: the error
// is [ErrAPIVersion] then. [Service.EnsureWebhookEndpoint] has Stripe send the SDK's.
func Object[T any](e StripeWebhookReceived) (*T, error) {
	if e.APIVersion != stripe.APIVersion {
		return nil, fmt.Errorf("%w: %s has %q, the SDK reads %q", ErrAPIVersion, e.ID, e.APIVersion, stripe.APIVersion)
	}
	object := new(T)
	if err := json.Unmarshal(e.Object, object); err != nil {
		return nil, fmt.Errorf("payment: decoding the object of %s: %w", e.ID, err)
	}
	return object, nil
}

// EventDead tells that an event has failed as often as Options.Attempts says. It is
// left alone until it is replayed: see [Service.Replay].
type EventDead struct {
	signals.Fact
	// Event is what could not be handled.
	Event StripeWebhookReceived
	// Faults are the subscribers that failed at the last try.
	Faults []Fault
}
