package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stripe/stripe-go/v76/client"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readpref"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"

	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// The collections that are the service's own.
const (
	// EventsCollection holds what Stripe has reported, by the id of the event.
	EventsCollection = "_EVENTS"
	// CustomersCollection holds which user is which customer of Stripe.
	CustomersCollection = "_CUSTOMERS"
	// SubscriptionsCollection holds the subscriptions of the users.
	SubscriptionsCollection = "_SUBSCRIPTIONS"
	// PaymentsCollection holds which payments and refunds were told of, and by which
	// event.
	PaymentsCollection = "_PAYMENTS"
)

// Service takes money through Stripe and keeps what Stripe reports. Make one with
// [New]. All methods are safe for concurrent use.
type Service struct {
	db       *mongo.Database
	opts     Options // resolved
	problems []service.Rule
	stripe   *client.API

	mode    mode          // of the key
	secrets [][]byte      // any of them may have signed a webhook
	large   chan struct{} // has one for each large webhook in memory
	events  *mongo.Collection
	breaker breaker // of what the worker asks Stripe

	host atomic.Pointer[service.Host]

	lifecycle sync.Mutex             // held while Start or Stop runs
	worker    atomic.Pointer[worker] // nil while none runs

	observe func(id string, s State) // tells tests of each try that has ended; nil otherwise
}

var _ service.Service = (*Service)(nil)

// New returns a service that calls Stripe with key (STRIPE_SECRET_KEY), believes
// webhooks that webhookSecret (STRIPE_WEBHOOK_SECRET) has signed, and keeps its
// records in db. A nil opts means all defaults. New does no input or output, and
// returns every mistake at once: a key or a secret that is empty among them, for a
// webhook without a secret could be sent by anyone. Call Start, or let an App do so,
// to have events handled.
func New(db *mongo.Database, key, webhookSecret string, opts *Options) (*Service, error) {
	o, err := resolve(key, webhookSecret, opts)
	if db == nil {
		err = errors.Join(errors.New("payment: the database is nil"), err)
	}
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, opts: o, problems: problems(), mode: modeOf(key)}
	s.large, s.events = make(chan struct{}, largeBodies), durable(db, EventsCollection)
	for _, secret := range append([]string{webhookSecret}, o.OldWebhookSecrets...) {
		s.secrets = append(s.secrets, []byte(secret))
	}
	s.stripe = newStripe(key, o)
	s.host.Store(&service.Host{})
	return s, nil
}

// durable returns a collection whose writes count once they survive the loss of a
// server, and whose reads see all of them, whatever the client's own settings are.
func durable(db *mongo.Database, name string) *mongo.Collection {
	journal := true
	concern := &writeconcern.WriteConcern{W: "majority", Journal: &journal}
	return db.Collection(name, options.Collection().SetWriteConcern(concern).SetReadPreference(readpref.Primary()))
}

// Name returns "payment".
func (s *Service) Name() string { return "payment" }

// Collections returns the collections that are the service's own.
func (s *Service) Collections() []service.Namespace {
	var spaces []service.Namespace
	for _, name := range []string{EventsCollection, CustomersCollection, SubscriptionsCollection, PaymentsCollection} {
		spaces = append(spaces, service.Namespace{Database: s.db.Name(), Collection: name})
	}
	return spaces
}

// Rules returns what the errors of the service mean over HTTP.
func (s *Service) Rules() []service.Rule { return s.problems }

// Adopt gives the service its host.
func (s *Service) Adopt(h service.Host) { s.host.Store(&h) }

// Ready returns nil when the service has started and its database answers within
// ctx. It does not ask Stripe, whose outage is no reason to take a gateway out.
func (s *Service) Ready(ctx context.Context) error {
	if s.worker.Load() == nil {
		return ErrNotStarted
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if err := s.db.Client().Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	return nil
}

// log returns where the service logs.
func (s *Service) log() *slog.Logger {
	for _, logger := range []*slog.Logger{s.opts.Logger, s.host.Load().Logger} {
		if logger != nil {
			return logger
		}
	}
	return slog.Default()
}

// bus returns where events go; nil has no subscribers.
func (s *Service) bus() *signals.Bus { return s.host.Load().Signals }

// now returns the time as the database keeps it.
func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Millisecond) }

// bound bounds an operation of the database.
func (s *Service) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.opts.Timeout)
}
