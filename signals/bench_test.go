package signals_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/signals"
)

func BenchmarkPublish(b *testing.B) {
	publish := func(bus *signals.Bus) func(*testing.B) {
		return func(b *testing.B) { //nolint:thelper // a benchmark, not a helper
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				_ = signals.Publish(ctx, bus, paid{Order: "o-1", Cents: 100})
			}
		}
	}
	b.Run("nil", publish(nil))
	for _, n := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("subscribers=%d", n), publish(busWith(n, nil)))
	}
	b.Run("measured", publish(busWith(1, &signals.Options{Slow: time.Second})))

	tapped := busWith(1, nil)
	signals.Tap(tapped, func(context.Context, any) {})
	b.Run("tapped", publish(tapped))
}

func BenchmarkPublishParallel(b *testing.B) {
	bus := busWith(1, nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ctx := b.Context()
		for pb.Next() {
			_ = signals.Publish(ctx, bus, paid{Order: "o-1", Cents: 100})
		}
	})
}

func BenchmarkAnnounce(b *testing.B) {
	bus, ctx := busWith(1, nil), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		signals.Announce(ctx, bus, paid{Order: "o-1", Cents: 100})
	}
}

func BenchmarkAsk(b *testing.B) {
	bus, ctx := signals.NewBus(nil), b.Context()
	signals.Intercept(bus, func(_ context.Context, e *paying) error { e.Cents++; return nil })
	e := &paying{Order: "o-1"}
	b.ReportAllocs()
	for b.Loop() {
		_ = signals.Ask(ctx, bus, e)
	}
}

func BenchmarkAsync(b *testing.B) {
	bus, ctx := signals.NewBus(&signals.Options{Logger: slog.New(slog.DiscardHandler)}), b.Context()
	signals.Subscribe(bus, signals.Async(bus, 1024, func(context.Context, paid) error { return nil }))
	b.ReportAllocs()
	for b.Loop() {
		_ = signals.Publish(ctx, bus, paid{Order: "o-1", Cents: 100})
	}
}

// busWith returns a bus with n subscribers that do next to nothing.
func busWith(n int, opts *signals.Options) *signals.Bus {
	bus := signals.NewBus(opts)
	var sum int
	for range n {
		signals.Subscribe(bus, func(_ context.Context, e paid) error {
			if e.Cents < 0 {
				sum++
			}
			return nil
		})
	}
	return bus
}
