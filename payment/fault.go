package payment

import (
	"context"
	"errors"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/signals"
)

// Fault is a subscriber that failed at the latest try.
type Fault struct {
	// Subscriber is its name, with the type of the event before it for one of another
	// event than [StripeWebhookReceived]. It is empty where the subscriber has none,
	// or where what the event is about could not be fetched.
	Subscriber string `bson:"subscriber" json:"subscriber,omitempty"`
	// Class is how it failed: "error", "panic", "timeout", "canceled", "stripe",
	// "database", or "abandoned" where the instance died. The words of the error are
	// in the log only.
	Class string `bson:"class" json:"class"`
}

// The classes of faults.
const (
	classError     = "error"
	classPanic     = "panic"
	classTimeout   = "timeout"
	classCanceled  = "canceled"
	classStripe    = "stripe"
	classDatabase  = "database"
	classAbandoned = "abandoned"
)

// classOf returns how a subscriber failed.
func classOf(err error) string {
	if _, ok := errors.AsType[*signals.PanicError](err); ok {
		return classPanic
	}
	if _, ok := errors.AsType[*StripeError](err); ok {
		return classStripe
	}
	switch {
	case errors.Is(err, errAbandoned):
		return classAbandoned
	case errors.Is(err, errStripeAway), errors.As(err, new(*stripe.Error)): // the latter of a subscriber's own call
		return classStripe
	case mongoerr.IsUnavailable(err):
		return classDatabase
	case errors.Is(err, context.DeadlineExceeded):
		return classTimeout
	case errors.Is(err, context.Canceled), errors.Is(err, errLeaseLost):
		return classCanceled
	}
	return classError
}
