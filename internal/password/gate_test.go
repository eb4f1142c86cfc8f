package password_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/imadelakhaldev/coglex/internal/password"
)

func gated(t *testing.T, places int, wait time.Duration) *password.Hasher {
	t.Helper()
	h, err := password.New(bcrypt.MinCost, places, wait)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A crowd is served two at a time, and those whom nobody serves in time are
// told so: nobody waits for longer than the wait and one hash.
func TestCrowdWaitsNoLongerThanPromised(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const crowd, places, wait, hash = 200, 2, time.Second, 300 * time.Millisecond
		h := gated(t, places, wait)
		var inside, most, served, busy atomic.Int64
		var wg sync.WaitGroup
		start := time.Now()
		for range crowd {
			wg.Go(func() {
				err := h.Occupy(t.Context(), func() {
					most.Store(max(most.Load(), inside.Add(1)))
					time.Sleep(hash)
					inside.Add(-1)
				})
				switch {
				case err == nil:
					served.Add(1)
				case errors.Is(err, password.ErrBusy):
					busy.Add(1)
				default:
					t.Errorf("Occupy: %v", err)
				}
				if took := time.Since(start); took > wait+hash {
					t.Errorf("took %s", took)
				}
			})
		}
		wg.Wait()
		if most.Load() != places {
			t.Errorf("%d hashes ran at once, want %d", most.Load(), places)
		}
		// Two begin at 0, 300, 600 and 900 ms.
		if served.Load() != 8 || busy.Load() != crowd-8 {
			t.Errorf("%d served and %d refused", served.Load(), busy.Load())
		}
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const waiters = 20
		h := gated(t, 1, time.Hour)
		var order []int // written by one at a time: there is one place
		var wg sync.WaitGroup
		for i := range waiters {
			wg.Go(func() {
				if err := h.Occupy(t.Context(), func() { order = append(order, i); time.Sleep(time.Second) }); err != nil {
					t.Errorf("Occupy: %v", err)
				}
			})
			synctest.Wait() // it is in the queue
		}
		wg.Wait()
		if len(order) != waiters || !slices.IsSorted(order) {
			t.Errorf("served in the order %v", order)
		}
	})
}

func TestWaiterWhoLeavesGivesWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := gated(t, 1, time.Hour)
		var wg sync.WaitGroup
		wg.Go(func() { _ = h.Occupy(t.Context(), func() { time.Sleep(time.Minute) }) })
		synctest.Wait()

		leaving, leave := context.WithCancel(t.Context())
		wg.Go(func() {
			err := h.Occupy(leaving, func() { t.Error("the one who left was served") })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left: %v", err)
			}
		})
		synctest.Wait()
		var at time.Duration
		start := time.Now()
		wg.Go(func() { _ = h.Occupy(t.Context(), func() { at = time.Since(start) }) })
		synctest.Wait()
		leave()
		wg.Wait()
		if at != time.Minute {
			t.Errorf("the one behind was served after %s", at)
		}
	})
}

// Both kinds of hash pass the gate, and tell a full one from a caller who left.
func TestHashAndVerifyPassTheGate(t *testing.T) {
	t.Parallel()
	for name, try := range map[string]func(*password.Hasher, context.Context) error{
		"Hash": func(h *password.Hasher, ctx context.Context) error { _, err := h.Hash(ctx, "12345678"); return err },
		"Verify": func(h *password.Hasher, ctx context.Context) error {
			_, err := h.Verify(ctx, pyca, pycaPassword)
			return err
		},
		"Verify of nothing": func(h *password.Hasher, ctx context.Context) error {
			_, err := h.Verify(ctx, "", "12345678")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := gated(t, 1, time.Second)
				var wg sync.WaitGroup
				wg.Go(func() { _ = h.Occupy(t.Context(), func() { time.Sleep(time.Minute) }) })
				synctest.Wait()

				start := time.Now()
				if err := try(h, t.Context()); !errors.Is(err, password.ErrBusy) || time.Since(start) != time.Second {
					t.Errorf("behind a full gate: %v after %s", err, time.Since(start))
				}
				hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				if err := try(h, hurried); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, password.ErrBusy) {
					t.Errorf("of a caller in a hurry: %v", err)
				}
				wg.Wait()
				if err := try(h, t.Context()); err != nil {
					t.Errorf("when the gate is free again: %v", err)
				}
				gone, cancel := context.WithCancel(t.Context())
				cancel()
				if err := try(h, gone); !errors.Is(err, context.Canceled) {
					t.Errorf("of a caller who is gone: %v", err)
				}
			})
		})
	}
}
