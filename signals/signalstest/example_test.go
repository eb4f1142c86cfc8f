package signalstest_test

import (
	"testing"

	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

func Example() {
	_ = func(t *testing.T) { //nolint:thelper // in a test of your own
		bus := signalstest.NewBus(t)
		doors := signalstest.Record[opened](t, bus)

		signals.Announce(t.Context(), bus, opened{ID: "front"})
		signals.Announce(t.Context(), bus, opened{ID: "back"})

		doors.ExpectExactly(opened{ID: "front"}, func(e opened) bool { return e.ID != "front" })
	}
}
