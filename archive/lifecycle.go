package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// Start makes what the store needs and the indexes, and begins to sweep in the
// background: see [Service.Sweep]. ctx bounds the start only. It is idempotent, and
// may be tried again after an error.
func (s *Service) Start(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.worker != nil {
		return nil
	}
	if err := s.store.Ready(ctx); err != nil {
		return wrap("the store", err)
	}
	if err := s.EnsureIndexes(ctx); err != nil {
		return err
	}
	s.worker = s.startWorker(ctx)
	return nil
}

// Stop ends what Start began and waits for it, bounded by ctx. It is idempotent.
func (s *Service) Stop(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.worker == nil {
		return nil
	}
	if err := s.worker.stop(ctx); err != nil {
		return wrap("stopping", err)
	}
	s.worker = nil
	return nil
}

// EnsureIndexes makes the indexes of the records, for those who prepare a database
// before they roll out. Nothing is wrong without them, but lists and sweeps are slow.
func (s *Service) EnsureIndexes(ctx context.Context) error {
	// One by one: the engine of the embedded database fails on two at once.
	for _, keys := range []bson.D{
		{{Key: fieldSpace, Value: 1}, {Key: fieldID, Value: 1}},
		{{Key: fieldKey, Value: 1}},
	} {
		if _, err := s.records().Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys}); err != nil {
			return wrap("indexing", err)
		}
	}
	return nil
}

// worker is what runs beside the requests.
type worker struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// startWorker sweeps now and then, until the worker is stopped; ctx is only where
// its values come from.
func (s *Service) startWorker(ctx context.Context) *worker {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &worker{cancel: cancel}
	if s.opts.SweepEvery > 0 {
		w.done.Go(func() { s.sweepOften(ctx) })
	}
	return w
}

// sweepOften sweeps, waits and sweeps again until ctx ends.
func (s *Service) sweepOften(ctx context.Context) {
	ticker := time.NewTicker(s.opts.SweepEvery)
	defer ticker.Stop()
	for {
		s.sweepQuietly(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweepQuietly sweeps and logs how it went.
func (s *Service) sweepQuietly(ctx context.Context) {
	report, err := s.Sweep(ctx, nil)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, ErrSweepRefused):
		s.logger().LogAttrs(ctx, slog.LevelWarn, "archive: the sweep refuses to delete more than it knows", slog.Any("error", err))
	case err != nil:
		s.logger().LogAttrs(ctx, slog.LevelWarn, "archive: the sweep failed", slog.Any("error", err))
	case report.Deleted > 0 || report.Partial > 0:
		s.logger().LogAttrs(ctx, slog.LevelInfo, "archive: swept bytes that no record is of",
			slog.Int("deleted", report.Deleted), slog.Int("partial", report.Partial), slog.Int64("bytes", report.Bytes))
	}
	if report.Missing > 0 && ctx.Err() == nil {
		s.logger().LogAttrs(ctx, slog.LevelError, "archive: there are records whose bytes are missing",
			slog.Int("missing", report.Missing), slog.String("first", fmt.Sprint(report.MissingIDs[:min(len(report.MissingIDs), 10)])))
	}
}

func (w *worker) stop(ctx context.Context) error {
	w.cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.done.Wait()
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
