package payment

import (
	"context"
	"sync"
)

// worker handles events beside the requests.
type worker struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// startWorker starts the worker; ctx is only where its values come from.
func (s *Service) startWorker(ctx context.Context) *worker {
	_, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &worker{cancel: cancel}
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
