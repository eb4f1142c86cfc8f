package limits_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/internal/limits"
	"github.com/imadelakhaldev/coglex/middleware"
)

var (
	window = middleware.Policy{Burst: 3, Window: time.Minute}
	delays = middleware.Policy{Burst: 5, Window: time.Hour, MinDelay: time.Second, MaxDelay: 15 * time.Second}
)

// bench is a limiter on a collection of its own, with a clock that stands still.
type bench struct {
	*limits.Limiter
	coll  *mongo.Collection
	clock atomic.Int64
}

func setup(tb testing.TB) *bench {
	tb.Helper()
	b := &bench{coll: dbtest.Database(tb).Collection("_LIMITS")}
	b.clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	b.Limiter = limits.New(b.coll, func() time.Time { return time.Unix(0, b.clock.Load()) })
	return b
}

func (b *bench) pass(d time.Duration) { b.clock.Add(int64(d)) }

// take expects a place.
func (b *bench) take(tb testing.TB, key string, p middleware.Policy) {
	tb.Helper()
	if err := b.Take(tb.Context(), key, p); err != nil {
		tb.Fatalf("Take: %v, want a place", err)
	}
}

// refuse expects to be told to wait so long.
func (b *bench) refuse(tb testing.TB, key string, p middleware.Policy, want time.Duration) {
	tb.Helper()
	err := b.Take(tb.Context(), key, p)
	limit, ok := errors.AsType[*middleware.LimitError](err)
	if !ok {
		tb.Fatalf("Take: %v, want a *LimitError", err)
	}
	if limit.RetryAfter != want {
		tb.Fatalf("RetryAfter: %s, want %s", limit.RetryAfter, want)
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.take(t, "k", window)
	b.pass(10 * time.Second)
	b.take(t, "k", window)
	b.take(t, "k", window)
	b.refuse(t, "k", window, 50*time.Second) // the window began with the first place
	b.pass(50*time.Second - time.Millisecond)
	b.refuse(t, "k", window, time.Millisecond)
	b.pass(time.Millisecond)
	for range window.Burst {
		b.take(t, "k", window)
	}
	b.refuse(t, "k", window, time.Minute)
}

func TestDelay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range delays.Burst {
		b.take(t, "k", delays)
	}
	// The next place, and each one after it, is a delay from the last.
	for _, s := range []time.Duration{1, 2, 4, 8, 15, 15, 15} {
		b.refuse(t, "k", delays, s*time.Second)
		b.pass(s*time.Second - time.Millisecond)
		b.refuse(t, "k", delays, time.Millisecond) // tries during a delay changed nothing
		b.pass(time.Millisecond)
		b.take(t, "k", delays)
	}
}

func TestDelayCountsFromTheLastPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range delays.Burst {
		b.take(t, "k", delays)
		b.pass(300 * time.Millisecond)
	}
	b.refuse(t, "k", delays, 700*time.Millisecond)
	b.pass(time.Minute) // longer than asked for: it makes no difference
	b.take(t, "k", delays)
	b.refuse(t, "k", delays, 2*time.Second)
}

func TestDelayIsForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range delays.Burst {
		b.take(t, "k", delays)
		b.pass(59 * time.Minute) // each place prolongs the memory
	}
	b.take(t, "k", delays)
	b.refuse(t, "k", delays, 2*time.Second)
	b.pass(time.Hour)
	for range delays.Burst {
		b.take(t, "k", delays)
	}
	b.refuse(t, "k", delays, time.Second)
}

// A delay that goes beyond the memory of a key ends with it.
func TestDelayEndsWithTheWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := middleware.Policy{Burst: 1, Window: 10 * time.Second, MinDelay: time.Minute, MaxDelay: time.Hour}
	b.take(t, "k", p)
	b.refuse(t, "k", p, 10*time.Second)
}

func TestDelayDoesNotOverflow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := middleware.Policy{Burst: 1, Window: 200 * 365 * 24 * time.Hour, MinDelay: time.Second, MaxDelay: math.MaxInt64}
	b.take(t, "k", p)
	_, err := b.coll.UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "eras.e1.delayed", Value: int64(1) << 40}}}})
	if err != nil {
		t.Fatal(err)
	}
	err = b.Take(t.Context(), "k", p)
	if limit, ok := errors.AsType[*middleware.LimitError](err); !ok || limit.RetryAfter < 24*time.Hour {
		t.Errorf("Take: %v", err)
	}
}

func TestKeysAreApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range window.Burst {
		b.take(t, "a", window)
	}
	b.refuse(t, "a", window, time.Minute)
	for _, key := range []string{"b", "A", "a ", "", "$where", "a\x00b", strings.Repeat("a", 10_000)} {
		b.take(t, key, window)
	}
}

// Instances share the counts.
func TestInstancesShare(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := &bench{Limiter: limits.New(b.coll, func() time.Time { return time.Unix(0, b.clock.Load()) })}
	b.take(t, "k", window)
	other.take(t, "k", window)
	b.take(t, "k", window)
	other.refuse(t, "k", window, time.Minute)
}

func TestRelease(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]middleware.Policy{"window": window, "delays": delays} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			release := func() {
				t.Helper()
				if err := b.Release(t.Context(), "k", p); err != nil {
					t.Fatal(err)
				}
			}
			release() // nothing to give back
			for range p.Burst {
				b.take(t, "k", p)
			}
			release()
			b.take(t, "k", p)
			if err := b.Take(t.Context(), "k", p); err == nil {
				t.Error("more places were free than given back")
			}
			// However often: there are never more than the burst.
			for range 3 * p.Burst {
				release()
			}
			for range p.Burst {
				b.take(t, "k", p)
			}
			if err := b.Take(t.Context(), "k", p); err == nil {
				t.Error("releasing made places")
			}
		})
	}
}

func TestReleaseAfterADelay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range delays.Burst {
		b.take(t, "k", delays)
	}
	b.pass(time.Second)
	b.take(t, "k", delays)
	if err := b.Release(t.Context(), "k", delays); err != nil {
		t.Fatal(err)
	}
	b.take(t, "k", delays) // the same place
	b.refuse(t, "k", delays, 2*time.Second)
}

func TestReleaseAfterTheWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.take(t, "k", window)
	b.pass(window.Window)
	if err := b.Release(t.Context(), "k", window); err != nil {
		t.Fatal(err)
	}
	for range window.Burst {
		b.take(t, "k", window)
	}
	b.refuse(t, "k", window, window.Window)
}

func TestClear(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, key := range []string{"a", "b", "c"} {
		for range window.Burst {
			b.take(t, key, window)
		}
	}
	if err := b.Clear(t.Context()); err != nil {
		t.Errorf("Clear of nothing: %v", err)
	}
	if err := b.Clear(t.Context(), "a", "unknown", "b"); err != nil {
		t.Fatal(err)
	}
	b.take(t, "a", window)
	b.take(t, "b", window)
	b.refuse(t, "c", window, time.Minute)
}

func TestNothingIsStoredInClear(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.take(t, "account:alice@example.com", delays)
	raw, err := b.coll.FindOne(t.Context(), bson.D{}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "alice") {
		t.Errorf("stored: %s", raw)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 2 { // several instances start at once, and again
		if err := b.EnsureIndexes(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.sweep(t, 0)
	for _, key := range []string{"a", "b", "c"} {
		b.take(t, key, window)
	}
	b.take(t, "d", delays)
	b.pass(window.Window - time.Millisecond)
	b.take(t, "a", window)
	b.sweep(t, 0)
	b.pass(time.Millisecond)
	b.sweep(t, 2) // not a, which was used later
	b.pass(time.Hour)
	b.sweep(t, 2)
}

func (b *bench) sweep(t *testing.T, want int64) {
	t.Helper()
	if got, err := b.Sweep(t.Context()); got != want || err != nil {
		t.Errorf("Sweep: %d, %v, want %d", got, err, want)
	}
}

func TestPolicyThatCannotBeKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, p := range map[string]middleware.Policy{
		"no places":              {Window: time.Minute},
		"places below none":      {Burst: -1, Window: time.Minute},
		"no window":              {Burst: 1},
		"less than a tick":       {Burst: 1, Window: time.Microsecond},
		"a delay below none":     {Burst: 1, Window: time.Minute, MinDelay: -1, MaxDelay: 1},
		"a delay without an end": {Burst: 1, Window: time.Minute, MinDelay: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := b.Take(t.Context(), "k", p)
			if _, ok := errors.AsType[*middleware.LimitError](err); err == nil || ok {
				t.Errorf("Take: %v", err)
			}
			if err := b.Release(t.Context(), "k", p); err == nil {
				t.Error("Release takes it")
			}
		})
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, sweepErr := b.Sweep(gone)
	for name, err := range map[string]error{
		"Take":          b.Take(gone, "k", window),
		"Release":       b.Release(gone, "k", window),
		"Clear":         b.Clear(gone, "k"),
		"EnsureIndexes": b.EnsureIndexes(gone),
		"Sweep":         sweepErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.take(t, "k", window)
}

// A database that is away is an error of its own and neither a place nor a
// refusal.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	coll := dbtest.Connect(t, server.URI()).Database(dbtest.Name()).Collection("_LIMITS")
	l := limits.New(coll, nil)
	if err := l.Take(t.Context(), "k", window); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	_, sweepErr := l.Sweep(t.Context())
	for name, err := range map[string]error{
		"Take": l.Take(t.Context(), "k", window), "Release": l.Release(t.Context(), "k", window),
		"Clear": l.Clear(t.Context(), "k"), "Sweep": sweepErr,
	} {
		_, refused := errors.AsType[*middleware.LimitError](err)
		if err == nil || refused || errors.Unwrap(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
