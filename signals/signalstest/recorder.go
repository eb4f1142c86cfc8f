package signalstest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imadelakhaldev/coglex/signals"
)

// Recorder keeps events in the order in which they were published. It is safe for
// concurrent use. For a new phase of a test, make a new one.
type Recorder[E any] struct {
	tb     testing.TB
	mu     sync.Mutex
	events []E
}

// Record records every E published or delivered on b from now to the end of the test.
// As a subscriber, it is as early in the order as it was made.
func Record[E any, P signals.FactOf[E]](tb testing.TB, b *signals.Bus) *Recorder[E] {
	tb.Helper()
	r := &Recorder[E]{tb: tb}
	tb.Cleanup(signals.Subscribe[E, P](b, func(_ context.Context, e E) error {
		r.add(e)
		return nil
	}))
	return r
}

// RecordAll records every fact of whatever type on b from now to the end of the test:
// what a scenario publishes, and that it publishes nothing else.
func RecordAll(tb testing.TB, b *signals.Bus) *Recorder[any] {
	tb.Helper()
	r := &Recorder[any]{tb: tb}
	tb.Cleanup(signals.Tap(b, func(_ context.Context, e any) { r.add(e) }))
	return r
}

func (r *Recorder[E]) add(e E) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// Events returns a copy of what has been recorded so far.
func (r *Recorder[E]) Events() []E {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Expect fails the test, without ending it, unless the events recorded so far match
// want in this order; others may come before, between and after.
//
// Each want is either an event, compared by reflect.DeepEqual, or a func(T) bool that
// is called for events of type T and returns true for the right one. Anything else
// ends the test.
func (r *Recorder[E]) Expect(want ...any) {
	r.tb.Helper()
	rest := r.matchers(want)
	got := r.Events()
	for _, e := range got {
		if len(rest) > 0 && rest[0](e) {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		missing := len(want) - len(rest)
		r.tb.Errorf("no event matches want[%d] after those before it\n%s", missing, compare(got, want))
	}
}

// ExpectExactly is [Recorder.Expect] with no other events allowed. Without arguments it
// expects that nothing was published.
func (r *Recorder[E]) ExpectExactly(want ...any) {
	r.tb.Helper()
	match := r.matchers(want)
	got := r.Events()
	for i, e := range got[:min(len(got), len(want))] {
		if !match[i](e) {
			r.tb.Errorf("got[%d] does not match want[%d]\n%s", i, i, compare(got, want))
			return
		}
	}
	if len(got) != len(want) {
		r.tb.Errorf("got %d events, want %d\n%s", len(got), len(want), compare(got, want))
	}
}

func (r *Recorder[E]) matchers(want []any) []func(any) bool {
	r.tb.Helper()
	all := make([]func(any) bool, len(want))
	for i, w := range want {
		m, err := matcher[E](w)
		if err != nil {
			r.tb.Fatalf("want[%d]: %v", i, err)
		}
		all[i] = m
	}
	return all
}

func matcher[E any](want any) (func(any) bool, error) {
	event, w := reflect.TypeFor[E](), reflect.ValueOf(want)
	if w.IsValid() && w.Kind() != reflect.Func && w.Type().AssignableTo(event) {
		return func(got any) bool { return reflect.DeepEqual(got, want) }, nil
	}
	if !isPredicate(w) || !w.Type().In(0).AssignableTo(event) {
		return nil, fmt.Errorf("%T is neither %v nor a func(%v) bool", want, event, event)
	}
	return func(got any) bool {
		g := reflect.ValueOf(got)
		return g.Type().AssignableTo(w.Type().In(0)) && w.Call([]reflect.Value{g})[0].Bool()
	}, nil
}

func isPredicate(v reflect.Value) bool {
	return v.IsValid() && v.Kind() == reflect.Func && !v.IsNil() && !v.Type().IsVariadic() &&
		v.Type().NumIn() == 1 && v.Type().NumOut() == 1 && v.Type().Out(0) == reflect.TypeFor[bool]()
}

func compare[E any](got []E, want []any) string {
	return "got:\n" + listing(got) + "want:\n" + listing(want)
}

func listing[T any](items []T) string {
	if len(items) == 0 {
		return "\tnothing\n"
	}
	var sb strings.Builder
	for i, item := range items {
		if v := reflect.ValueOf(item); v.Kind() == reflect.Func {
			fmt.Fprintf(&sb, "\t%d: a %T that returns true\n", i, item)
			continue
		}
		fmt.Fprintf(&sb, "\t%d: %T%+v\n", i, item, item)
	}
	return sb.String()
}
