package signalstest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/signals"
)

// DrainTimeout is how long the end of a test waits for asynchronous subscribers.
const DrainTimeout = 10 * time.Second

// NewBus returns a bus that logs to the test's output. It is closed at the end of the
// test, which fails if asynchronous subscribers are not done within [DrainTimeout].
func NewBus(t testing.TB) *signals.Bus {
	t.Helper()
	bus := signals.NewBus(&signals.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	ctx := context.WithoutCancel(t.Context()) // the test's own ends before its cleanup
	t.Cleanup(func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, DrainTimeout)
		defer cancel()
		if err := bus.Close(ctx); err != nil {
			t.Errorf("closing the bus: %v", err)
		}
	})
	return bus
}
