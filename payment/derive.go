package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/signals"
)

// derived delivers one further event to those of its subscribers that are not in
// done, as [signals.DeliverEach] does; the names begin with its type and its id.
type derived func(ctx context.Context, bus *signals.Bus, done []string) iter.Seq2[string, error]

// further returns the derived of an event that is told under a name of its own.
func further[E any, P signals.InboxOf[E]](name string, e E) derived {
	return func(ctx context.Context, bus *signals.Bus, done []string) iter.Seq2[string, error] {
		prefix := name + "/"
		var own []string
		for _, subscriber := range done {
			if rest, ok := strings.CutPrefix(subscriber, prefix); ok {
				own = append(own, rest)
			}
		}
		return func(yield func(string, error) bool) {
			for subscriber, err := range signals.DeliverEach[E, P](ctx, bus, e, own) {
				if subscriber != "" {
					subscriber = prefix + subscriber
				}
				if !yield(subscriber, err) {
					return
				}
			}
		}
	}
}

// deriver derives from an event about the object with this id.
type deriver func(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error)

// derivers returns what is derived from the events of each type: all types that the
// service handles.
func (s *Service) derivers() map[string]deriver {
	return map[string]deriver{
		"checkout.session.completed":               s.derivePaidSession,
		"checkout.session.async_payment_succeeded": s.derivePaidSession,
		"checkout.session.async_payment_failed":    s.deriveFailedSession,
		"checkout.session.expired":                 s.deriveFailedSession,
		"invoice.paid":                             s.derivePaidInvoice,
		"invoice.payment_failed":                   s.deriveFailedInvoice,
		"customer.subscription.created":            s.deriveSubscription,
		"customer.subscription.updated":            s.deriveSubscription,
		"customer.subscription.paused":             s.deriveSubscription,
		"customer.subscription.resumed":            s.deriveSubscription,
		"customer.subscription.deleted":            s.deriveSubscription,
		"charge.refunded":                          s.deriveRefunds,
		"charge.refund.updated":                    s.deriveRefund,
		"refund.created":                           s.deriveRefund,
		"refund.updated":                           s.deriveRefund,
	}
}

// handledTypes returns the types of events that the service handles, sorted.
func (s *Service) handledTypes() []string { return slices.Sorted(maps.Keys(s.derivers())) }

// derive is asked by the worker before an event is delivered: it refetches what the
// event is about, brings our own records up to date and returns the further events to
// deliver. It is called again on a retry, and returns the same ones but for what has
// changed at Stripe.
//
// Of the event only the id of its object is believed: it is where it is in every
// version of the API, and all else may be out of date. An object that is gone is no
// failure: nothing can be said about it any more.
func (s *Service) derive(ctx context.Context, e StripeWebhookReceived) ([]derived, error) {
	deriver, ok := s.derivers()[e.Type]
	if !ok {
		return nil, nil
	}
	var object struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(e.Object, &object); err != nil || !idPattern.MatchString(object.ID) {
		return nil, nil // a test event, or none of Stripe's own
	}
	events, err := deriver(ctx, e, object.ID)
	if missing(err, "") {
		return nil, nil
	}
	return events, err
}

// origin returns where an event comes from.
func (s *Service) origin(ctx context.Context, e StripeWebhookReceived, customer string) (Origin, error) {
	user, err := s.userOfCustomer(ctx, e.Account, customer)
	return Origin{
		EventID: e.ID, EventType: e.Type, Livemode: e.Livemode, Account: e.Account, Customer: customer, User: user,
	}, err
}

// tells reports whether an event is the one to tell of something: the first one that
// asks is, again on each retry. Stripe may send two events about one payment, of two
// types or of the same.
func (s *Service) tells(ctx context.Context, what string, e StripeWebhookReceived) (bool, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	payments := durable(s.db, PaymentsCollection)
	_, err := payments.InsertOne(ctx, bson.D{{Key: "_id", Value: what}, {Key: "event", Value: e.ID}, {Key: "_inserted", Value: s.now()}})
	if err == nil {
		return true, nil
	}
	if !mongo.IsDuplicateKeyError(err) {
		return false, fmt.Errorf("payment: recording what is told: %w", err)
	}
	var record struct {
		Event string `bson:"event"`
	}
	if err := payments.FindOne(ctx, bson.D{{Key: "_id", Value: what}}).Decode(&record); err != nil {
		return false, fmt.Errorf("payment: reading what was told: %w", err)
	}
	return record.Event == e.ID, nil
}

// once returns the event that e tells of, unless another event of Stripe's has.
func once[E any, P signals.InboxOf[E]](ctx context.Context, s *Service, e StripeWebhookReceived, what string, event E) ([]derived, error) {
	mine, err := s.tells(ctx, what, e)
	if err != nil || !mine {
		return nil, err
	}
	return []derived{further[E, P](fmt.Sprintf("%T/%s", event, what), event)}, nil
}

// withoutOurs returns metadata without the names of the service's own; nil where
// there is none.
func withoutOurs(metadata ...map[string]string) map[string]string {
	var out map[string]string
	for _, m := range metadata {
		for name, value := range m {
			if strings.HasPrefix(name, reservedPrefix) {
				continue
			}
			if out == nil {
				out = map[string]string{}
			}
			out[name] = value
		}
	}
	return out
}

// deriveSubscription brings our record up to date and tells how it is.
func (s *Service) deriveSubscription(ctx context.Context, e StripeWebhookReceived, id string) ([]derived, error) {
	sub, err := s.refresh(ctx, e.Account, id)
	if errors.Is(err, ErrNoSubscription) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	origin, err := s.origin(ctx, e, sub.Customer)
	if err != nil {
		return nil, err
	}
	return []derived{further("payment.SubscriptionChanged", SubscriptionChanged{Origin: origin, Subscription: sub})}, nil
}
