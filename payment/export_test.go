package payment

import (
	"context"
	"net/http"
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// Observe has fn told of each try that has ended. Call it before Start.
func (s *Service) Observe(fn func(id string, state State)) { s.observe = fn }

// LookNow has the worker look for events that are due.
func (s *Service) LookNow() { signal(s.worker.Load().wake) }

// Remembered returns, and forgets, what the worker would try again at a time without
// looking for it.
func (s *Service) Remembered(at time.Time) []string { return s.worker.Load().later.take(at) }

// LargeBodies returns how many large webhooks are in memory, and may be.
func (s *Service) LargeBodies() (now, most int) { return len(s.large), cap(s.large) }

// SweepEvents removes old events, as the worker does every hour.
func (s *Service) SweepEvents(ctx context.Context) (int64, error) { return s.sweepEvents(ctx) }

// Resolve returns the options as New understands them.
func Resolve(o Options) Options { return o.withDefaults() }

// Delay returns how long after a try the next one is due.
func (o Options) Delay(attempt int) string { return o.withDefaults().delay(attempt).String() }

// Stopping returns a channel that is closed once Stop takes no more events.
func (s *Service) Stopping() <-chan struct{} { return s.worker.Load().taking }

// Lease gives an event to somebody else.
func (s *Service) Lease(ctx context.Context, id string, attempts int, due time.Time) error {
	_, err := s.events.UpdateOne(ctx, bson.D{{Key: fieldID, Value: id}}, bson.D{{Key: "$set", Value: bson.D{
		{Key: fieldState, Value: StateLeased},
		{Key: fieldLease, Value: "another's"},
		{Key: fieldAttempts, Value: attempts},
		{Key: fieldDue, Value: due},
	}}})
	return err
}

// DueEvents returns the ids of events that are due.
func (s *Service) DueEvents(ctx context.Context) ([]string, error) { return s.dueEvents(ctx) }

// Verify checks the signature of a webhook.
func (s *Service) Verify(h http.Header, body []byte) error {
	sig, err := parseSignature(h)
	if err != nil {
		return err
	}
	return s.verify(sig, body)
}

// ParseEnvelope reads an event.
func ParseEnvelope(body []byte) error {
	_, err := parseEnvelope(body)
	return err
}
