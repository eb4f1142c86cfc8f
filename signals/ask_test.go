package signals_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestInterceptorsChangeTheEventInTurn(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	signals.Intercept(bus, func(_ context.Context, e *paying) error { e.Cents += 10; return nil })
	signals.Intercept(bus, func(_ context.Context, e *paying) error { e.Cents *= 2; return nil })
	e := &paying{Cents: 1}
	if err := signals.Ask(t.Context(), bus, e); err != nil || e.Cents != 22 {
		t.Errorf("got %v and %d cents, want no veto and 22", err, e.Cents)
	}
}

func TestTheFirstVetoStopsTheRest(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	signals.Intercept(bus, noting[*paying](j, "first", nil))
	signals.Intercept(bus, noting[*paying](j, "second", errTest))
	signals.Intercept(bus, noting[*paying](j, "third", nil))
	if err := signals.Ask(t.Context(), bus, &paying{}); err != errTest { //nolint:errorlint // it must be the same, unwrapped
		t.Errorf("got %v, want %v as it is", err, errTest)
	}
	if diff := cmp.Diff([]string{"first", "second"}, j.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAPanickingInterceptorVetoes(t *testing.T) {
	t.Parallel()
	bus, j := signals.NewBus(nil), new(journal)
	signals.Intercept(bus, func(context.Context, *paying) error { panic("boom") })
	signals.Intercept(bus, noting[*paying](j, "after", nil))
	var p *signals.PanicError
	if err := signals.Ask(t.Context(), bus, &paying{}); !errors.As(err, &p) || p.Value != "boom" {
		t.Errorf("got %v, want a PanicError", err)
	}
	if len(j.all()) != 0 {
		t.Error("the interceptor after the panic ran")
	}
}

func TestACancelledInterceptorIsNotAsked(t *testing.T) {
	t.Parallel()
	bus := signals.NewBus(nil)
	cancel := signals.Intercept(bus, func(context.Context, *paying) error { return errTest })
	cancel()
	cancel()
	if err := signals.Ask(t.Context(), bus, &paying{}); err != nil {
		t.Errorf("got %v, want no veto", err)
	}
}
