package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Start makes the indexes and begins to handle events: first those that are due
// already, so subscribe before. In the background it asks Stripe for what was missed
// (see [Service.Reconcile]), until that has succeeded once or the service stops: a
// later Start asks from the then newest event on. ctx bounds the start only. It is idempotent, and may be tried again after an error. Before it, events
// are stored all the same.
func (s *Service) Start(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if w := s.worker.Load(); w != nil {
		if w.stopping {
			return errors.New("payment: the last Stop has not come to its end")
		}
		return nil
	}
	if err := s.EnsureIndexes(ctx); err != nil {
		return err
	}
	var missed time.Time
	if !s.opts.NoReconcile {
		var err error
		if missed, err = s.missedSince(ctx); err != nil { // before new events come
			s.log().LogAttrs(ctx, slog.LevelWarn, "payment: Stripe is not asked for missed events: the newest one could not be found", slog.Any("error", err))
		}
	}
	s.worker.Store(s.startWorker(ctx, missed))
	return nil
}

// Stop takes no more events, and waits for those in hand. When ctx is done, the
// context of their subscribers ends, and Stop returns the error of ctx; what was not
// handled to its end is pending again. It is idempotent, and may be tried again to
// wait for the rest.
func (s *Service) Stop(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	w := s.worker.Load()
	if w == nil {
		return nil
	}
	if err := w.stop(ctx); err != nil {
		return fmt.Errorf("payment: stopping: %w", err)
	}
	s.worker.Store(nil)
	return nil
}

// EnsureIndexes makes the indexes, as Start does. It is for those who prepare a
// database before they roll out.
func (s *Service) EnsureIndexes(ctx context.Context) error {
	sparse := options.Index().SetSparse(true)
	indexes := map[string][]mongo.IndexModel{
		EventsCollection: {
			{Keys: bson.D{{Key: "due", Value: 1}}, Options: sparse}, // what is to be done, and nothing else
			{Keys: bson.D{{Key: "state", Value: 1}, {Key: "finished", Value: 1}}},
			{Keys: bson.D{{Key: "created", Value: -1}, {Key: "_id", Value: -1}}},
		},
	}
	for name, models := range s.stripeIndexes() {
		indexes[name] = models
	}
	for name, models := range indexes {
		for _, model := range models { // one by one: the embedded database cannot see several again
			if _, err := s.db.Collection(name).Indexes().CreateOne(ctx, model); err != nil {
				return fmt.Errorf("payment: indexing %s: %w", name, err)
			}
		}
	}
	return nil
}
