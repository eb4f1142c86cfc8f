package coglex

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Start starts the services in the order they were added: indexes are made and
// workers begin. ctx bounds the start only. When one fails, those started
// before it keep running, and Start may be called again to go on; Stop ends
// them. Starting what runs already does nothing.
func (a *App) Start(ctx context.Context) error {
	a.lifecycle.Lock()
	defer a.lifecycle.Unlock()
	for _, c := range a.carried() {
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
// It is idempotent. A stopped App cannot be started again.
func (a *App) Stop(ctx context.Context) error {
	a.endStreams()
	a.lifecycle.Lock()
	defer a.lifecycle.Unlock()
	var errs []error
	for _, c := range slices.Backward(a.carried()) {
		if err := c.Stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("coglex: stopping %s: %w", c.Name(), err))
		}
		c.started = false
	}
	return errors.Join(append(errs, a.bus.Close(ctx))...)
}

// endStreams tells endless answers to end.
func (a *App) endStreams() { a.stopOnce.Do(func() { close(a.draining) }) }

// carried returns the services in the order they were added.
func (a *App) carried() []*carried {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.services)
}
