package signals_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestANilBusHasNoSubscribers(t *testing.T) {
	t.Parallel()
	var bus *signals.Bus
	ctx, j := t.Context(), new(journal)
	cancels := []func(){
		signals.Subscribe(bus, noting[paid](j, "subscribe", nil)),
		signals.SubscribeNamed(bus, "name", noting[received](j, "named", nil)),
		signals.Intercept(bus, noting[*paying](j, "intercept", errTest)),
		signals.Tap(bus, func(context.Context, any) { j.note("tap") }),
	}
	async := signals.Async(bus, 1, noting[paid](j, "async", nil))

	signals.Announce(ctx, bus, paid{})
	if err := signals.Publish(ctx, bus, paid{}); err != nil {
		t.Errorf("Publish: got %v, want nil", err)
	}
	if err := signals.Ask(ctx, bus, &paying{}); err != nil {
		t.Errorf("Ask: got %v, want nil", err)
	}
	if done, err := signals.Deliver(ctx, bus, received{}, []string{"a"}); err != nil || len(done) != 1 {
		t.Errorf("Deliver: got %v, %v, want what was done and nil", done, err)
	}
	if err := async(ctx, paid{}); !errors.Is(err, signals.ErrClosed) {
		t.Errorf("Async: got %v, want %v", err, signals.ErrClosed)
	}
	for _, cancel := range cancels {
		cancel()
	}
	if err := bus.Close(ctx); err != nil || bus.Dropped() != 0 {
		t.Errorf("Close: got %v and %d dropped, want nothing", err, bus.Dropped())
	}
	if len(j.all()) != 0 {
		t.Errorf("%v ran", j.all())
	}
}

func TestAClosedBusRefusesEverything(t *testing.T) {
	t.Parallel()
	bus, log := logged(signals.Options{})
	ctx, j := t.Context(), new(journal)
	signals.Subscribe(bus, noting[paid](j, "subscriber", nil))
	signals.SubscribeNamed(bus, "named", noting[received](j, "named", nil))
	signals.Intercept(bus, noting[*paying](j, "interceptor", nil))
	signals.Tap(bus, func(context.Context, any) { j.note("tap") })
	for range 2 {
		if err := bus.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}

	done, delivered := signals.Deliver(ctx, bus, received{}, []string{"a"})
	for name, err := range map[string]error{
		"Publish": signals.Publish(ctx, bus, paid{}),
		"Ask":     signals.Ask(ctx, bus, &paying{}),
		"Deliver": delivered,
		"Async":   signals.Async(bus, 1, noting[paid](j, "async", nil))(ctx, paid{}),
	} {
		if !errors.Is(err, signals.ErrClosed) {
			t.Errorf("%s: got %v, want %v", name, err, signals.ErrClosed)
		}
	}
	if len(done) != 1 || done[0] != "a" {
		t.Errorf("Deliver: got %v done, want what was", done)
	}
	signals.Announce(ctx, bus, paid{})
	if !strings.Contains(log.String(), signals.ErrClosed.Error()) {
		t.Errorf("got the log %q, want the loss in it", log)
	}
	signals.Subscribe(bus, noting[paid](j, "late", nil))() // of no use, and no harm
	if len(j.all()) != 0 {
		t.Errorf("%v ran", j.all())
	}
}

func TestSlowCallsAreNamed(t *testing.T) {
	t.Parallel()
	var now time.Time
	bus, log := logged(signals.Options{Slow: time.Second, Now: func() time.Time { return now }})
	takes := func(d time.Duration) { now = now.Add(d) }
	signals.SubscribeNamed(bus, "quick", func(context.Context, paid) error { takes(time.Second - 1); return nil })
	signals.SubscribeNamed(bus, "sluggish", func(context.Context, paid) error { takes(time.Second); return errTest })
	signals.Intercept(bus, func(context.Context, *paying) error { takes(2 * time.Second); return nil })
	signals.Tap(bus, func(context.Context, any) { takes(3 * time.Second) })

	if err := signals.Publish(t.Context(), bus, paid{Order: "private"}); !errors.Is(err, errTest) {
		t.Errorf("got %v, want %v", err, errTest)
	}
	if err := signals.Ask(t.Context(), bus, &paying{}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`level=WARN msg="slow subscriber" event=signals_test.paid subscriber=sluggish took=1s`,
		`event=*signals_test.paying subscriber=github.com/imadelakhaldev/coglex/signals_test.TestSlowCallsAreNamed`,
		"took=2s", "took=3s",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got the log %q, want %q in it", log, want)
		}
	}
	if strings.Contains(log.String(), "quick") || strings.Contains(log.String(), "private") {
		t.Errorf("got the log %q, want nothing of the quick one or of the event", log)
	}
}
