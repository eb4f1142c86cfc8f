package signals_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestCancelRemovesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	same := noting[paid](j, "same", nil)
	cancel := signals.Subscribe(bus, same)
	signals.Subscribe(bus, same)
	cancel()
	cancel()
	_ = signals.Publish(t.Context(), bus, paid{})
	if diff := cmp.Diff([]string{"same"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAPublishKeepsToTheSubscribersItBeganWith(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	var cancelSelf, cancelNext func()
	cancelSelf = signals.Subscribe(bus, func(context.Context, paid) error {
		j.note("self")
		cancelSelf()
		cancelNext()
		signals.Subscribe(bus, noting[paid](j, "new", nil))
		return nil
	})
	cancelNext = signals.Subscribe(bus, noting[paid](j, "next", nil))

	_ = signals.Publish(t.Context(), bus, paid{})
	if diff := cmp.Diff([]string{"self", "next"}, j.all()); diff != "" {
		t.Errorf("calls of the publish under way (-want +got):\n%s", diff)
	}
	_ = signals.Publish(t.Context(), bus, paid{})
	if diff := cmp.Diff([]string{"self", "next", "new"}, j.all()); diff != "" {
		t.Errorf("calls after the one that follows (-want +got):\n%s", diff)
	}
}

func TestAPublishUnderWayCallsTheOneThatIsReplaced(t *testing.T) {
	t.Parallel()
	bus, _ := logged(signals.Options{})
	j := new(journal)
	signals.Subscribe(bus, func(context.Context, paid) error {
		signals.SubscribeNamed(bus, "a", noting[paid](j, "new", nil))
		return nil
	})
	signals.SubscribeNamed(bus, "a", noting[paid](j, "old", nil))
	_ = signals.Publish(t.Context(), bus, paid{})
	_ = signals.Publish(t.Context(), bus, paid{})
	if diff := cmp.Diff([]string{"old", "new"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestALaterSubscriberTakesTheNameAndPlaceOfAnEarlier(t *testing.T) {
	t.Parallel()
	bus, log := logged(signals.Options{})
	j := new(journal)
	cancelOld := signals.SubscribeNamed(bus, "a", noting[paid](j, "old a", nil))
	signals.SubscribeNamed(bus, "b", noting[paid](j, "b", nil))
	signals.SubscribeNamed(bus, "a", noting[shipped](j, "a of another type", nil))
	if log.String() != "" {
		t.Errorf("got the log %q before a name was taken twice", log)
	}
	cancelNew := signals.SubscribeNamed(bus, "a", noting[paid](j, "new a", nil))
	cancelOld() // no longer its place

	_ = signals.Publish(t.Context(), bus, paid{})
	if diff := cmp.Diff([]string{"new a", "b"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if want := "level=WARN"; !strings.Contains(log.String(), want) || !strings.Contains(log.String(), "subscriber=a") {
		t.Errorf("got the log %q, want a warning that names a", log)
	}
	cancelNew()
	_ = signals.Publish(t.Context(), bus, paid{})
	if got := j.all()[2:]; len(got) != 1 || got[0] != "b" {
		t.Errorf("got the calls %v after the new one was cancelled, want b", got)
	}
}

func TestAnEmptyNameIsNone(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	signals.SubscribeNamed(bus, "", noting[paid](j, "one", nil))
	signals.SubscribeNamed(bus, "", noting[paid](j, "two", nil))
	_ = signals.Publish(t.Context(), bus, paid{})
	if diff := cmp.Diff([]string{"one", "two"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// Subscribers come and go, in subscribers too, while events of all kinds are under
// way. One that stays must see every event once, and none after the end.
func TestSubscribersComeAndGoDuringPublishes(t *testing.T) {
	t.Parallel()
	const publishers, visitors, rounds = 4, 4, 300
	bus, _ := logged(signals.Options{}) // visitors take one another's names
	ctx := t.Context()
	var stayed, asked, delivered, tapped atomic.Int64
	signals.Subscribe(bus, func(context.Context, paid) error { stayed.Add(1); return nil })
	signals.Intercept(bus, func(context.Context, *paying) error { asked.Add(1); return nil })
	signals.SubscribeNamed(bus, "stays", func(context.Context, received) error { delivered.Add(1); return nil })
	signals.Tap(bus, func(context.Context, any) { tapped.Add(1) })

	var all sync.WaitGroup
	for i := range visitors {
		all.Go(func() {
			for n := range rounds {
				visit(bus, fmt.Sprintf("%d", (i+n)%visitors))
			}
		})
	}
	for range publishers {
		all.Go(func() {
			for range rounds {
				if err := signals.Publish(ctx, bus, paid{}); err != nil {
					t.Error(err)
				}
				if err := signals.Ask(ctx, bus, &paying{}); err != nil {
					t.Error(err)
				}
				if _, err := signals.Deliver(ctx, bus, received{}, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	const want = publishers * rounds
	for name, got := range map[string]int64{
		"subscriber": stayed.Load(), "interceptor": asked.Load(), "inbox": delivered.Load(), "tap": tapped.Load() / 2,
	} {
		if got != want {
			t.Errorf("the %s that stayed saw %d events, want %d", name, got, want)
		}
	}
}

// visit subscribes to everything and leaves, each by several ways at once.
func visit(bus *signals.Bus, name string) {
	var once sync.Once
	var cancel func()
	ready := make(chan struct{})
	cancel = signals.Subscribe(bus, func(context.Context, paid) error {
		<-ready
		once.Do(cancel)
		return nil
	})
	close(ready)
	named := signals.SubscribeNamed(bus, name, func(context.Context, received) error { return nil })
	ask := signals.Intercept(bus, func(context.Context, *paying) error { return nil })
	tap := signals.Tap(bus, func(context.Context, any) {})
	var leaving sync.WaitGroup
	for _, leave := range []func(){cancel, cancel, named, named, ask, tap} {
		leaving.Go(leave)
	}
	leaving.Wait()
}
