package execution

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// Start makes the index that expired keys are found by and begins to sweep them,
// where there is a database. Functions can be called without it. ctx bounds the
// start only. It is idempotent, and may be tried again after an error.
func (s *Service) Start(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.records == nil || s.worker != nil {
		return nil
	}
	if err := s.records.ensureIndexes(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &worker{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		s.sweep(ctx)
	}()
	s.worker = w
	return nil
}

// Stop ends what Start began and waits until no function runs, bounded by ctx: its
// error names how many still do. It is idempotent. Calls are not refused afterwards.
func (s *Service) Stop(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	err := s.flights.wait(ctx)
	if err != nil {
		err = fmt.Errorf("execution: stopping while %d functions run: %w", s.flights.count(), err)
	}
	if s.worker == nil {
		return err
	}
	s.worker.cancel()
	<-s.worker.done // at once: a canceled sweep waits for nothing
	s.worker = nil
	return err
}

// worker is what runs beside the requests.
type worker struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// sweep deletes expired keys until ctx ends.
func (s *Service) sweep(ctx context.Context) {
	ticker := time.NewTicker(s.opts.SweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.logger().LogAttrs(ctx, slog.LevelWarn, "execution: expired keys could not be swept", slog.Any("error", err))
			}
		}
	}
}

// Sweep deletes the keys that have expired, and returns how many there were. Start
// has it done from time to time; several instances may sweep at once.
func (s *Service) Sweep(ctx context.Context) (removed int64, err error) {
	if s.records == nil {
		return 0, nil
	}
	res, err := s.records.coll.DeleteMany(ctx, bson.D{{Key: "expires", Value: bson.D{{Key: "$lte", Value: s.records.time()}}}})
	if err != nil {
		return 0, fmt.Errorf("execution: sweeping: %w", err)
	}
	return res.DeletedCount, nil
}

// ensureIndexes makes the index that Sweep goes by. It is no TTL index: those go by
// the server's clock, and not every database has them.
func (r *records) ensureIndexes(ctx context.Context) error {
	_, err := r.coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "expires", Value: 1}}})
	if err != nil {
		return fmt.Errorf("execution: making the index: %w", err)
	}
	return nil
}
