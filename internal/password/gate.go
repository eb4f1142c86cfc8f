package password

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"
)

// ErrBusy says that no place to hash became free in time.
var ErrBusy = errors.New("password: too many hashes at once")

// gate lets few through at a time, in the order in which they came.
type gate struct {
	places *semaphore.Weighted // serves its waiters first come, first served
	wait   time.Duration
}

func newGate(places int, wait time.Duration) *gate {
	return &gate{places: semaphore.NewWeighted(int64(places)), wait: wait}
}

// do runs work once there is a place. It returns ErrBusy when none became free
// within the wait, and ctx.Err() when ctx ended first; work did not run then.
func (g *gate) do(ctx context.Context, work func()) error {
	if err := g.enter(ctx); err != nil {
		return err
	}
	defer g.places.Release(1)
	work()
	return nil
}

func (g *gate) enter(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, g.wait)
	defer cancel()
	if g.places.Acquire(waiting, 1) == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrBusy
}
