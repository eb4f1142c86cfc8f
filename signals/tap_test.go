package signals_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestTapSeesEveryFactAfterItsSubscribers(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	var got []any
	cancel := signals.Tap(bus, func(_ context.Context, e any) { j.note("tap"); got = append(got, e) })
	signals.Subscribe(bus, noting[paid](j, "subscriber", errTest))
	signals.SubscribeNamed(bus, "done", noting[received](j, "never", nil))

	_ = signals.Publish(t.Context(), bus, paid{Order: "o-1"})
	_ = signals.Publish(t.Context(), bus, shipped{Order: "nobody listens"})
	_ = signals.Ask(t.Context(), bus, &paying{})
	_, _ = signals.Deliver(t.Context(), bus, received{ID: "evt_1"}, []string{"done"})
	cancel()
	cancel()
	_ = signals.Publish(t.Context(), bus, shipped{Order: "not tapped any more"})

	want := []any{paid{Order: "o-1"}, shipped{Order: "nobody listens"}, received{ID: "evt_1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tapped (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"subscriber", "tap", "tap", "tap"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAPanickingTapFailsNothing(t *testing.T) {
	t.Parallel()
	bus, log := logged(signals.Options{})
	j := new(journal)
	signals.Tap(bus, func(context.Context, any) { panic("boom") })
	signals.Tap(bus, func(context.Context, any) { j.note("next") })
	if err := signals.Publish(t.Context(), bus, paid{}); err != nil {
		t.Errorf("got %v from Publish, want nil", err)
	}
	if _, err := signals.Deliver(t.Context(), bus, received{}, nil); err != nil {
		t.Errorf("got %v from Deliver, want nil", err)
	}
	if len(j.all()) != 2 {
		t.Errorf("the tap after the one that panics saw %d facts, want 2", len(j.all()))
	}
	if !strings.Contains(log.String(), "TestAPanickingTapFailsNothing.func1 panicked: boom") {
		t.Errorf("got the log %q, want the panic and whose it is", log)
	}
}
