package signals_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestPublishRunsAllInOrderOfSubscription(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	signals.Subscribe(bus, noting[paid](j, "first", errTest))
	signals.Subscribe(bus, func(context.Context, paid) error { j.note("second"); panic("ink") })
	signals.SubscribeNamed(bus, "third", noting[paid](j, "third", context.Canceled))
	signals.Subscribe(bus, noting[paid](j, "fourth", nil))
	signals.Subscribe(bus, noting[shipped](j, "another type", nil))

	err := signals.Publish(t.Context(), bus, paid{})

	if diff := cmp.Diff([]string{"first", "second", "third", "fourth"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	var p *signals.PanicError
	if !errors.Is(err, errTest) || !errors.Is(err, context.Canceled) || !errors.As(err, &p) {
		t.Errorf("got %v, want the three failures joined", err)
	}
	if !strings.Contains(err.Error(), "third: context canceled") {
		t.Errorf("got %v, want the failing subscriber's name before its error", err)
	}
}

func TestPublishGivesEachSubscriberTheEventAndContext(t *testing.T) {
	t.Parallel()
	bus, ctx := signals.NewBus(nil), context.WithValue(t.Context(), ctxKey{}, "v")
	want := paid{Order: "o-1", Cents: 5}
	calls := 0
	for range 2 {
		signals.Subscribe(bus, func(got context.Context, e paid) error {
			calls++
			if got != ctx || e != want {
				t.Errorf("got %v, %+v, want the publisher's context and %+v", got, e, want)
			}
			e.Cents = 0 // a copy: of no consequence to the next one
			return nil
		})
	}
	if err := signals.Publish(ctx, bus, want); err != nil || calls != 2 {
		t.Errorf("got %v after %d calls, want no error after 2", err, calls)
	}
}

func TestPublishDoesNotSkipSubscribersWhenCancelled(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	ctx, cancel := context.WithCancel(t.Context())
	signals.Subscribe(bus, func(context.Context, paid) error { cancel(); return ctx.Err() })
	signals.Subscribe(bus, noting[paid](j, "ran", nil))
	_ = signals.Publish(ctx, bus, paid{})
	if len(j.all()) != 1 {
		t.Error("the second subscriber did not run")
	}
}

func TestPanicError(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		subscribe func(*signals.Bus)
		want      string
	}{
		"named": {
			func(b *signals.Bus) { signals.SubscribeNamed(b, "print", explode) },
			"signals: print panicked: boom",
		},
		"anonymous is named by its function": {
			func(b *signals.Bus) { signals.Subscribe(b, explode) },
			"signals: github.com/imadelakhaldev/coglex/signals_test.explode panicked: boom",
		},
		"nil function": {
			func(b *signals.Bus) { signals.Subscribe[paid](b, nil) },
			"signals: nil function panicked: runtime error: invalid memory address or nil pointer dereference",
		},
		"nil panic": {
			func(b *signals.Bus) {
				signals.SubscribeNamed(b, "nil", func(context.Context, paid) error { panic(nil) })
			},
			"signals: nil panicked: panic called with nil argument",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bus := signals.NewBus(nil)
			test.subscribe(bus)
			var p *signals.PanicError
			if err := signals.Publish(t.Context(), bus, paid{}); !errors.As(err, &p) || !strings.HasPrefix(err.Error(), test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
		})
	}
}

func explode(context.Context, paid) error { panic("boom") }

func TestPanicErrorShowsWhereItWasRaised(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	signals.Subscribe(bus, explode)
	var p *signals.PanicError
	if !errors.As(signals.Publish(t.Context(), bus, paid{}), &p) || !strings.Contains(string(p.Stack), "explode") {
		t.Errorf("got %+v, want a stack with the function that panicked", p)
	}
}

func TestPanicIsNotTakenForItsValue(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	signals.Subscribe(bus, func(context.Context, paid) error { panic(errTest) })
	err := signals.Publish(t.Context(), bus, paid{})
	var p *signals.PanicError
	if errors.Is(err, errTest) || !errors.As(err, &p) || p.Value != any(errTest) {
		t.Errorf("got %v, want a PanicError that does not unwrap to %v", err, errTest)
	}
}

func TestAPanicInANestedPublishIsBlamedOnBoth(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	signals.SubscribeNamed(bus, "inner", func(context.Context, shipped) error { panic("boom") })
	signals.SubscribeNamed(bus, "outer", func(ctx context.Context, e paid) error {
		return signals.Publish(ctx, bus, shipped{})
	})
	err := signals.Publish(t.Context(), bus, paid{})
	if want := "outer: signals: inner panicked: boom"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSubscribersMayPublish(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	signals.Subscribe(bus, func(ctx context.Context, e paid) error {
		j.note("paid")
		if e.Cents > 0 {
			e.Cents--
			return signals.Publish(ctx, bus, e) // of the very same type
		}
		return signals.Publish(ctx, bus, shipped{})
	})
	signals.Subscribe(bus, noting[shipped](j, "shipped", nil))
	if err := signals.Publish(t.Context(), bus, paid{Cents: 2}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"paid", "paid", "paid", "shipped"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAnnounceLogsErrorsAndOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	bus, log := logged(signals.Options{})
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, "v"))
	cancel()
	signals.SubscribeNamed(bus, "mail", func(ctx context.Context, _ paid) error {
		if ctx.Err() != nil || ctx.Value(ctxKey{}) != "v" {
			t.Errorf("got a context that is %v with %v, want the values without the cancellation", ctx.Err(), ctx.Value(ctxKey{}))
		}
		return errTest
	})
	signals.SubscribeNamed(bus, "print", explode)
	signals.Announce(ctx, bus, paid{Order: "private"})

	for _, want := range []string{"level=ERROR", "event=signals_test.paid", "mail: out of paper", "print panicked: boom", "stack="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got the log %q, want %q in it", log, want)
		}
	}
	if strings.Contains(log.String(), "private") {
		t.Errorf("got the log %q, want nothing of the event in it", log)
	}
}

func TestAnnounceIsQuietOnSuccess(t *testing.T) {
	t.Parallel()
	bus, log := logged(signals.Options{})
	signals.Subscribe(bus, noting[paid](new(journal), "ok", nil))
	signals.Announce(t.Context(), bus, paid{})
	if log.String() != "" {
		t.Errorf("got the log %q, want none", log)
	}
}

type ctxKey struct{}
