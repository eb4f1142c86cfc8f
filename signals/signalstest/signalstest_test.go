package signalstest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type opened struct {
	signals.Fact
	ID string
}

type closed struct {
	signals.Fact
	ID string
}

type received struct {
	signals.Inbox
	ID string
}

// fakeT is a test whose failures are looked at, and whose end can be watched.
type fakeT struct {
	testing.TB
	ctx      context.Context
	failures []string
	cleanups []func()
	output   bytes.Buffer
}

func (f *fakeT) Helper()                  {}
func (f *fakeT) Context() context.Context { return f.ctx }
func (f *fakeT) Output() io.Writer        { return &f.output }
func (f *fakeT) Cleanup(fn func())        { f.cleanups = append(f.cleanups, fn) }
func (f *fakeT) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

type fatal struct{}

func (f *fakeT) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(fatal{})
}

func (f *fakeT) end() {
	for len(f.cleanups) > 0 {
		last := f.cleanups[len(f.cleanups)-1]
		f.cleanups = f.cleanups[:len(f.cleanups)-1]
		last()
	}
}

func newFake(t *testing.T) *fakeT {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as a test's context is by the time of its cleanup
	return &fakeT{TB: t, ctx: ctx}
}

func is(id string) func(opened) bool { return func(e opened) bool { return e.ID == id } }

func TestExpectations(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		published      []string
		want           []any
		some, entirely bool // whether Expect and ExpectExactly are met
	}{
		"nothing of nothing":        {nil, nil, true, true},
		"nothing of one":            {[]string{"a"}, nil, true, false},
		"one of nothing":            {nil, []any{opened{ID: "a"}}, false, false},
		"equal event":               {[]string{"a"}, []any{opened{ID: "a"}}, true, true},
		"another event":             {[]string{"a"}, []any{opened{ID: "b"}}, false, false},
		"predicate that holds":      {[]string{"a"}, []any{is("a")}, true, true},
		"predicate that does not":   {[]string{"a"}, []any{is("b")}, false, false},
		"all, values and functions": {[]string{"a", "b"}, []any{opened{ID: "a"}, is("b")}, true, true},
		"some in order":             {[]string{"x", "a", "y", "b", "z"}, []any{is("a"), is("b")}, true, false},
		"first of two":              {[]string{"a", "b"}, []any{is("a")}, true, false},
		"out of order":              {[]string{"b", "a"}, []any{is("a"), is("b")}, false, false},
		"one event for two wants":   {[]string{"a"}, []any{is("a"), is("a")}, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bus := signalstest.NewBus(t)
			for _, check := range []struct {
				name   string
				expect func(*signalstest.Recorder[opened], ...any)
				met    bool
			}{
				{"Expect", (*signalstest.Recorder[opened]).Expect, test.some},
				{"ExpectExactly", (*signalstest.Recorder[opened]).ExpectExactly, test.entirely},
			} {
				fake := newFake(t)
				recorder := signalstest.Record[opened](fake, bus)
				for _, id := range test.published {
					signals.Announce(t.Context(), bus, opened{ID: id})
				}
				check.expect(recorder, test.want...)
				if met := len(fake.failures) == 0; met != check.met {
					t.Errorf("%s: got %v with %q, want %v", check.name, met, fake.failures, check.met)
				}
			}
		})
	}
}

func TestAFailureShowsGotAndWant(t *testing.T) {
	t.Parallel()
	bus, fake := signalstest.NewBus(t), newFake(t)
	recorder := signalstest.Record[opened](fake, bus)
	signals.Announce(t.Context(), bus, opened{ID: "a"})
	recorder.Expect(opened{ID: "a"}, opened{ID: "b"}, is("c"))
	recorder.ExpectExactly()
	want := []string{
		"no event matches want[1] after those before it\n" +
			"got:\n\t0: signalstest_test.opened{Fact:{} ID:a}\n" +
			"want:\n\t0: signalstest_test.opened{Fact:{} ID:a}\n\t1: signalstest_test.opened{Fact:{} ID:b}\n" +
			"\t2: a func(signalstest_test.opened) bool that returns true\n",
		"got 1 events, want 0\ngot:\n\t0: signalstest_test.opened{Fact:{} ID:a}\nwant:\n\tnothing\n",
	}
	if diff := cmp.Diff(want, fake.failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestAWantThatCanNeverMatchEndsTheTest(t *testing.T) {
	t.Parallel()
	bus := signalstest.NewBus(t)
	for name, want := range map[string]any{
		"nil":                    nil,
		"nil function":           (func(opened) bool)(nil),
		"event of another type":  closed{},
		"predicate of another":   func(closed) bool { return true },
		"predicate of nothing":   func() bool { return true },
		"predicate of two":       func(opened, opened) bool { return true },
		"predicate without bool": func(opened) {},
		"variadic predicate":     func(...opened) bool { return true },
	} {
		fake := newFake(t)
		func() {
			defer func() {
				if v := recover(); v != any(fatal{}) {
					t.Errorf("%s: got %v, want the test to end", name, v)
				}
			}()
			signalstest.Record[opened](fake, bus).ExpectExactly(want)
		}()
		if len(fake.failures) != 1 || !strings.Contains(fake.failures[0], "neither signalstest_test.opened nor a func") {
			t.Errorf("%s: got %q, want one failure that says what is accepted", name, fake.failures)
		}
	}
}

func TestRecordAllSeesEveryTypeInOrder(t *testing.T) {
	t.Parallel()
	bus := signalstest.NewBus(t)
	all := signalstest.RecordAll(t, bus)
	signals.Announce(t.Context(), bus, opened{ID: "a"})
	signals.Announce(t.Context(), bus, closed{ID: "a"})
	if _, err := signals.Deliver(t.Context(), bus, received{ID: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	all.ExpectExactly(is("a"), closed{ID: "a"}, func(e received) bool { return e.ID == "a" })
	all.Expect(func(any) bool { return true }, func(received) bool { return true })
}

func TestRecordSeesPublishedAndDelivered(t *testing.T) {
	t.Parallel()
	bus := signalstest.NewBus(t)
	recorder := signalstest.Record[received](t, bus)
	if err := signals.Publish(t.Context(), bus, received{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := signals.Deliver(t.Context(), bus, received{ID: "b"}, nil); err != nil {
		t.Fatal(err)
	}
	recorder.ExpectExactly(received{ID: "a"}, received{ID: "b"})
	recorder.Events()[0].ID = "changed"
	recorder.ExpectExactly(received{ID: "a"}, received{ID: "b"})
}

func TestRecordersEndWithTheirTest(t *testing.T) {
	t.Parallel()
	bus, fake := signalstest.NewBus(t), newFake(t)
	one, all := signalstest.Record[opened](fake, bus), signalstest.RecordAll(fake, bus)
	fake.end()
	signals.Announce(t.Context(), bus, opened{})
	one.ExpectExactly()
	all.ExpectExactly()
	if len(fake.failures) != 0 {
		t.Errorf("got %q, want nothing recorded", fake.failures)
	}
}

func TestTheBusLogsToItsTestAndEndsWithIt(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	bus := signalstest.NewBus(fake)
	var handled bool
	signals.Subscribe(bus, signals.Async(bus, 1, func(context.Context, opened) error {
		handled = true
		return errors.New("out of paper")
	}))
	signals.Announce(t.Context(), bus, opened{})
	fake.end()
	if !handled || !strings.Contains(fake.output.String(), "out of paper") || len(fake.failures) != 0 {
		t.Errorf("got %v, %q, %q, want the queue drained and its failure logged", handled, fake.output.String(), fake.failures)
	}
	if err := signals.Publish(t.Context(), bus, opened{}); !errors.Is(err, signals.ErrClosed) {
		t.Errorf("got %v, want %v", err, signals.ErrClosed)
	}
}

func TestASubscriberThatHangsFailsItsTest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, hold := newFake(t), make(chan struct{})
		bus := signalstest.NewBus(fake)
		signals.Subscribe(bus, signals.Async(bus, 1, func(context.Context, opened) error { <-hold; return nil }))
		signals.Announce(t.Context(), bus, opened{})
		fake.end() // ten seconds of the bubble's clock
		close(hold)
		if len(fake.failures) != 1 || !strings.Contains(fake.failures[0], "deadline") {
			t.Errorf("got %q, want that the bus could not be closed in time", fake.failures)
		}
	})
}
