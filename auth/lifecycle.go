package auth

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Start makes the indexes, gives users that other programs stored or renamed the
// normalised form of their keys, for which it reads the keys of all, and begins to
// sweep the limits. Until it has succeeded,
// whatever goes by key is ErrNotStarted. It returns a *CollisionError where keys
// of stored users are the same once normalised. ctx bounds the start only. It is
// idempotent, and may be tried again after an error.
func (s *Service) Start(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.worker != nil {
		return nil
	}
	if err := s.EnsureIndexes(ctx); err != nil {
		return err
	}
	s.worker = s.startWorker(ctx)
	s.started.Store(true)
	return nil
}

// Stop ends what Start began and waits for it, bounded by ctx. It is idempotent.
func (s *Service) Stop(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	s.started.Store(false)
	if s.worker == nil {
		return nil
	}
	if err := s.worker.stop(ctx); err != nil {
		return fmt.Errorf("auth: stopping: %w", err)
	}
	s.worker = nil
	return nil
}

// EnsureIndexes does what Start does to the database: it fills in the normalised
// keys and makes the indexes. It is for those who prepare a database before they
// roll out.
func (s *Service) EnsureIndexes(ctx context.Context) error {
	for _, name := range s.opts.Collections {
		coll := s.collections[name]
		if err := fillIdentities(ctx, coll, fillBatch); err != nil {
			return fmt.Errorf("auth: preparing %s: %w", name, err)
		}
		_, err := coll.Indexes().CreateOne(ctx, mongo.IndexModel{
			Keys: bson.D{{Key: fieldIdentity, Value: 1}}, Options: options.Index().SetUnique(true),
		})
		if err != nil {
			return fmt.Errorf("auth: indexing %s: %w", name, explain(ctx, coll, err))
		}
	}
	if limiter, ok := s.limiter.(interface{ EnsureIndexes(context.Context) error }); ok {
		if err := limiter.EnsureIndexes(ctx); err != nil {
			return fmt.Errorf("auth: %w", err)
		}
	}
	return nil
}

// worker is what runs beside the requests.
type worker struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// startWorker sweeps the limiter, if it can be swept, until the worker is
// stopped; ctx is only where its values come from.
func (s *Service) startWorker(ctx context.Context) *worker {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &worker{cancel: cancel}
	if limiter, ok := s.limiter.(sweeper); ok {
		w.done.Go(func() { s.sweep(ctx, limiter) })
	}
	return w
}

// sweeper is a limiter that forgets what counts no more when it is told to.
type sweeper interface {
	Sweep(ctx context.Context) (removed int64, err error)
}

func (s *Service) sweep(ctx context.Context, limiter sweeper) {
	ticker := time.NewTicker(s.opts.SweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := limiter.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log().LogAttrs(ctx, slog.LevelWarn, "auth: the limits could not be swept", slog.Any("error", err))
			}
		}
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
