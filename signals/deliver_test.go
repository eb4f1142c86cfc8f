package signals_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestDeliverRunsThoseNotDone(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	failure := errTest
	signals.SubscribeNamed(bus, "stock", noting[received](j, "stock", nil))
	signals.SubscribeNamed(bus, "mail", func(context.Context, received) error { j.note("mail"); return failure })
	signals.Subscribe(bus, noting[received](j, "anonymous", nil))
	signals.SubscribeNamed(bus, "print", noting[received](j, "print", nil))

	steps := []struct {
		name        string
		failure     error
		calls, done []string
	}{
		{"one fails", errTest, []string{"stock", "mail", "anonymous", "print"}, []string{"gone", "stock", "print"}},
		{"it fails again", errTest, []string{"mail", "anonymous"}, []string{"gone", "stock", "print"}},
		{"it succeeds", nil, []string{"mail", "anonymous"}, []string{"gone", "stock", "print", "mail"}},
		{"all are done", nil, []string{"anonymous"}, []string{"gone", "stock", "print", "mail"}},
	}
	done := []string{"gone"} // a subscriber of another instance, or of another day
	for _, step := range steps {
		before := len(j.all())
		failure = step.failure
		var err error
		done, err = signals.Deliver(t.Context(), bus, received{ID: "evt_1"}, done)
		if !errors.Is(err, step.failure) {
			t.Errorf("%s: got %v, want %v", step.name, err, step.failure)
		}
		if diff := cmp.Diff(step.calls, j.all()[before:]); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.done, done); diff != "" {
			t.Errorf("%s: done (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestDeliverDoesNotTakeAnEmptyNameForTheAnonymous(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	signals.Subscribe(bus, noting[received](j, "anonymous", nil))
	if _, err := signals.Deliver(t.Context(), bus, received{}, []string{""}); err != nil || len(j.all()) != 1 {
		t.Errorf("got %v after %d calls, want no error after 1", err, len(j.all()))
	}
}

func TestDeliverJoinsErrorsAndPanics(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	signals.SubscribeNamed(bus, "a", func(context.Context, received) error { panic("boom") })
	signals.SubscribeNamed(bus, "b", func(context.Context, received) error { return errTest })
	done, err := signals.Deliver(t.Context(), bus, received{}, nil)
	var p *signals.PanicError
	if len(done) != 0 || !errors.Is(err, errTest) || !errors.As(err, &p) {
		t.Errorf("got %v, %v, want nobody done and both failures", done, err)
	}
}

func TestDeliverLeavesItsArgumentAlone(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	signals.SubscribeNamed(bus, "b", func(context.Context, received) error { return nil })
	backing := []string{"a", "untouched"}
	done, err := signals.Deliver(t.Context(), bus, received{}, backing[:1])
	if err != nil {
		t.Fatal(err)
	}
	done[0] = "changed"
	if diff := cmp.Diff([]string{"a", "untouched"}, backing); diff != "" {
		t.Errorf("the argument (-want +got):\n%s", diff)
	}
}

func TestDeliverEachLetsAnInboxRecordBetweenSubscribers(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	for _, name := range []string{"a", "b", "c"} {
		signals.SubscribeNamed(bus, name, noting[received](j, "run "+name, nil))
	}
	signals.Tap(bus, func(context.Context, any) { j.note("tap") })
	for name, err := range signals.DeliverEach(t.Context(), bus, received{}, []string{"a"}) {
		if err != nil {
			t.Error(err)
		}
		j.note("record " + name)
	}
	if diff := cmp.Diff([]string{"run b", "record b", "run c", "record c", "tap"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestDeliverEachStopsWhereTheInboxBreaksOff(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	signals.SubscribeNamed(bus, "a", noting[received](j, "a", nil))
	signals.SubscribeNamed(bus, "b", noting[received](j, "b", nil))
	signals.Tap(bus, func(context.Context, any) { j.note("tap") })
	for _, err := range signals.DeliverEach(t.Context(), bus, received{}, nil) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if diff := cmp.Diff([]string{"a"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
