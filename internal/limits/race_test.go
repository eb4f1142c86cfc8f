package limits_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/middleware"
)

// However many try at once, there are no more places than the policy gives, and
// no fewer.
func TestRacingTriesGetExactlyTheBurst(t *testing.T) {
	t.Parallel()
	p := middleware.Policy{Burst: 5, Window: time.Hour, MinDelay: time.Second, MaxDelay: time.Minute}
	for name, p := range map[string]middleware.Policy{"delays": p, "window": {Burst: 5, Window: time.Hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.race(t, p, p.Burst) // no document yet
			b.pass(p.Window)
			b.race(t, p, p.Burst) // one that is over
			if p.MinDelay > 0 {
				b.pass(time.Second)
				b.race(t, p, 1)                    // one whose delay is over
				b.refuse(t, "k", p, 2*time.Second) // those who lost did not count
			}
			if err := b.Clear(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
			b.take(t, "k", p)
			b.race(t, p, p.Burst-1) // one that is begun
			if err := b.Release(t.Context(), "k", p); err != nil {
				t.Fatal(err)
			}
			b.race(t, p, 1) // the one that was given back
		})
	}
}

func (b *bench) race(t *testing.T, p middleware.Policy, want int) {
	t.Helper()
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := b.Take(t.Context(), "k", p)
			if err == nil {
				taken.Add(1)
			} else if _, ok := errors.AsType[*middleware.LimitError](err); !ok {
				t.Errorf("Take: %v", err)
			}
		})
	}
	wg.Wait()
	if int(taken.Load()) != want {
		t.Errorf("%d of 50 got a place, want %d", taken.Load(), want)
	}
}

// Places that are taken and given back by many at once leave none taken.
func TestRacingTakesAndReleases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := middleware.Policy{Burst: 20, Window: time.Hour}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 5 {
				if err := b.Take(t.Context(), "k", p); err != nil {
					t.Errorf("Take: %v", err) // twenty places for twenty callers
				}
				if err := b.Release(t.Context(), "k", p); err != nil {
					t.Errorf("Release: %v", err)
				}
			}
		})
	}
	wg.Wait()
	b.race(t, p, p.Burst)
}
