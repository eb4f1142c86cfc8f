package coglex

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrStopped is what Start returns once the App was stopped.
var ErrStopped = errors.New("coglex: the App was stopped and cannot start again")

// Start starts the services in the order they were added: indexes are made and
// workers begin. ctx bounds the start only. When one fails, those started
// before it keep running, and Start may be called again to go on; Stop ends
// them. Starting what runs already does nothing. After Stop it is ErrStopped.
func (a *App) Start(ctx context.Context) error {
	if err := a.lock(ctx); err != nil {
		return fmt.Errorf("coglex: starting: %w", err)
	}
	defer a.unlock()
	for _, c := range a.carried() {
		if a.isDraining() {
			return ErrStopped
		}
		if c.started {
			continue
		}
		if err := c.Start(ctx); err != nil {
			return fmt.Errorf("coglex: starting %s: %w", c.Name(), err)
		}
		c.started = true
	}
	return nil
}

// Stop ends the streams of the services, stops the services in reverse order
// and closes the bus, each bounded by ctx. All are tried; the errors are joined.
// It waits for a Start that runs, and may be called again where ctx was too
// short. A stopped App cannot be started again.
func (a *App) Stop(ctx context.Context) error {
	a.endStreams()
	if err := a.lock(ctx); err != nil {
		return fmt.Errorf("coglex: stopping: %w", err)
	}
	defer a.unlock()
	var errs []error
	for _, c := range slices.Backward(a.carried()) {
		if err := c.Stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("coglex: stopping %s: %w", c.Name(), err))
		}
	}
	return errors.Join(append(errs, a.bus.Close(ctx))...)
}

// lock waits for a Start or Stop that runs, but not longer than ctx.
func (a *App) lock(ctx context.Context) error {
	select {
	case a.lifecycle <- struct{}{}:
		return nil
	default:
	}
	select {
	case a.lifecycle <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *App) unlock() { <-a.lifecycle }

// endStreams tells endless answers to end.
func (a *App) endStreams() { a.stopOnce.Do(func() { close(a.draining) }) }

// isDraining reports whether the App began to stop.
func (a *App) isDraining() bool {
	select {
	case <-a.draining:
		return true
	default:
		return false
	}
}

// carried returns the services in the order they were added.
func (a *App) carried() []*carried {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.services)
}
