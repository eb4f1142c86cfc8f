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
func NewBus(tb testing.TB) *signals.Bus {
	tb.Helper()
	bus := signals.NewBus(&signals.Options{Logger: slog.New(slog.NewTextHandler(tb.Output(), nil))})
	ctx := context.WithoutCancel(tb.Context()) // the test's own ends before its cleanup
	tb.Cleanup(func() {
		tb.Helper()
		ctx, cancel := context.WithTimeout(ctx, DrainTimeout)
		defer cancel()
		if err := bus.Close(ctx); err != nil {
			tb.Errorf("closing the bus: %v", err)
		}
	})
	return bus
}
