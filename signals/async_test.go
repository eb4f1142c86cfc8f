package signals_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestAsyncHandlesOneAtATimeInOrder(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	var atOnce atomic.Int32
	var got []int // the queue is the lock
	signals.Subscribe(bus, signals.Async(bus, 100, func(_ context.Context, e paid) error {
		if atOnce.Add(1) != 1 {
			t.Error("two events at once")
		}
		runtime.Gosched()
		got = append(got, e.Cents)
		atOnce.Add(-1)
		return nil
	}))
	var want []int
	for i := range 100 {
		want = append(want, i)
		if err := signals.Publish(t.Context(), bus, paid{Cents: i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := bus.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestAFullQueueRefusesAndCounts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ size, waits int }{
		"three wait":           {3, 3},
		"zero counts as one":   {0, 1},
		"negatives are so too": {-1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bus, hold, handled := signals.NewBus(nil), make(chan struct{}), atomic.Int32{}
			signals.SubscribeNamed(bus, "mail", signals.Async(bus, test.size, func(context.Context, paid) error {
				<-hold
				handled.Add(1)
				return nil
			}))
			for range 1 + test.waits { // one is in hand
				if err := signals.Publish(t.Context(), bus, paid{}); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				err := signals.Publish(t.Context(), bus, paid{})
				if !errors.Is(err, signals.ErrQueueFull) || !strings.Contains(err.Error(), "mail: ") {
					t.Errorf("got %v, want that the queue of mail is full", err)
				}
			}
			close(hold)
			if err := bus.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := int(handled.Load()); got != 1+test.waits || bus.Dropped() != 2 {
				t.Errorf("got %d handled and %d dropped, want %d and 2", got, bus.Dropped(), 1+test.waits)
			}
		})
	}
}

func TestAsyncKeepsValuesAndNotCancellation(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, "v"))
	got := make(chan context.Context, 1)
	signals.Subscribe(bus, signals.Async(bus, 1, func(ctx context.Context, _ paid) error { got <- ctx; return nil }))
	if err := signals.Publish(ctx, bus, paid{}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if c := <-got; c.Err() != nil || c.Done() != nil || c.Value(ctxKey{}) != "v" {
		t.Errorf("got a context with %v and %v, want no cancellation and the value", c.Err(), c.Value(ctxKey{}))
	}
}

func TestAsyncFailuresAreLoggedAndTheQueueGoesOn(t *testing.T) {
	t.Parallel()
	bus, log := logged(signals.Options{})
	j := new(journal)
	signals.Subscribe(bus, signals.Async(bus, 10, func(_ context.Context, e paid) error {
		j.note(e.Order)
		switch e.Order {
		case "panic":
			panic("boom")
		case "exit":
			runtime.Goexit()
		case "fail":
			return errTest
		}
		return nil
	}))
	want := []string{"panic", "exit", "fail", "last"}
	for _, order := range want {
		if err := signals.Publish(t.Context(), bus, paid{Order: order}); err != nil {
			t.Error(err)
		}
	}
	if err := bus.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, j.all()); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
	for _, want := range []string{
		"event=signals_test.paid", "TestAsyncFailuresAreLoggedAndTheQueueGoesOn.func1 panicked: boom", "stack=",
		"TestAsyncFailuresAreLoggedAndTheQueueGoesOn.func1: out of paper",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got the log %q, want %q in it", log, want)
		}
	}
}

func TestCloseWaitsForTheQueues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus, hold, j := signals.NewBus(nil), make(chan struct{}), new(journal)
		signals.Subscribe(bus, signals.Async(bus, 5, func(ctx context.Context, _ paid) error {
			<-hold
			j.note("handled")
			if err := signals.Publish(ctx, bus, shipped{}); !errors.Is(err, signals.ErrClosed) {
				t.Errorf("got %v from a publish while closing, want %v", err, signals.ErrClosed)
			}
			return nil
		}))
		for range 3 {
			_ = signals.Publish(t.Context(), bus, paid{})
		}
		closed := make(chan error, 2)
		for range 2 { // at once
			go func() { closed <- bus.Close(t.Context()) }()
		}
		synctest.Wait()
		if len(closed) != 0 {
			t.Fatal("Close returned before the queue was empty")
		}
		close(hold)
		for range 2 {
			if err := <-closed; err != nil || len(j.all()) != 3 {
				t.Errorf("got %v with %d events handled, want no error with 3", err, len(j.all()))
			}
		}
	})
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus, hold, j := signals.NewBus(nil), make(chan struct{}), new(journal)
		signals.Subscribe(bus, signals.Async(bus, 5, func(context.Context, paid) error {
			<-hold
			j.note("handled")
			return nil
		}))
		for range 3 {
			_ = signals.Publish(t.Context(), bus, paid{})
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := bus.Close(ctx)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "3 events") {
			t.Errorf("got %v, want that 3 events are unhandled, and why", err)
		}
		close(hold)
		if err := bus.Close(t.Context()); err != nil {
			t.Errorf("got %v from the second Close, want nil", err)
		}
		if len(j.all()) != 1 || bus.Dropped() != 2 {
			t.Errorf("got %d handled and %d dropped, want the one in hand and 2", len(j.all()), bus.Dropped())
		}
		for range 20 { // a select takes either case
			if err := bus.Close(ctx); err != nil {
				t.Fatalf("got %v from Close of an idle bus under a done context, want nil", err)
			}
		}
	})
}

// However publishes, queues and Close fall together, each event is handled or its
// publisher is told.
func TestCloseDuringPublishesLosesNothingSilently(t *testing.T) {
	t.Parallel()
	for range 50 {
		bus := signals.NewBus(nil)
		var handled, accepted atomic.Int64
		for range 2 {
			signals.Subscribe(bus, signals.Async(bus, 2, func(context.Context, paid) error { handled.Add(1); return nil }))
		}
		var publishers sync.WaitGroup
		for range 4 {
			publishers.Go(func() {
				for range 50 {
					err := signals.Publish(t.Context(), bus, paid{})
					accepted.Add(2 - int64(refusals(err)))
				}
			})
		}
		if err := bus.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		atClose := handled.Load()
		publishers.Wait()
		if got := handled.Load(); got != accepted.Load() || got != atClose {
			t.Fatalf("got %d handled, %d at Close, %d accepted, want them equal", got, atClose, accepted.Load())
		}
	}
}

// refusals counts the subscribers that did not take an event.
func refusals(err error) int {
	if err == signals.ErrClosed { //nolint:errorlint // of the bus, not of a queue
		return 2
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return len(joined.Unwrap())
	}
	return 0
}
