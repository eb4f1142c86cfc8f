package coglex_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/signals"
)

var errBroken = errors.New("index build failed")

// diary notes what happens to services, in order.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) note(entry string) func(context.Context) error {
	return func(context.Context) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.entries = append(d.entries, entry)
		return nil
	}
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.entries...)
}

// kept returns a service that keeps the diary.
func (d *diary) kept(name string) *fake {
	return &fake{name: name, start: d.note("start " + name), stop: d.note("stop " + name)}
}

func TestLifecycleStopsInReverseOrder(t *testing.T) {
	t.Parallel()
	var d diary
	app := newApp(t, nil)
	if err := app.Mount(newEcho(), d.kept("one"), d.kept("two")); err != nil {
		t.Fatal(err)
	}
	if err := app.Add(d.kept("three")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(app.Start(t.Context()), app.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	want := []string{"start one", "start two", "start three", "stop three", "stop two", "stop one"}
	if diff := cmp.Diff(want, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func TestStartTwiceStartsOnce(t *testing.T) {
	t.Parallel()
	var d diary
	app := newApp(t, nil)
	if err := errors.Join(app.Add(d.kept("one")), app.Start(t.Context()), app.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(app.Add(d.kept("late")), app.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"start one", "start late"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func TestStartGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	var d diary
	broken := d.kept("two")
	works := broken.start
	broken.start = func(context.Context) error { return errBroken }
	app := newApp(t, nil)
	if err := app.Add(d.kept("one"), broken, d.kept("three")); err != nil {
		t.Fatal(err)
	}
	err := app.Start(t.Context())
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "starting two") {
		t.Fatalf("error = %v, want the cause and the service's name", err)
	}
	if diff := cmp.Diff([]string{"start one"}, d.read()); diff != "" {
		t.Errorf("diary after the error (-want +got):\n%s", diff)
	}
	broken.start = works
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"start one", "start two", "start three"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func TestStopTriesAllAndJoinsTheErrors(t *testing.T) {
	t.Parallel()
	var d diary
	one, two := d.kept("one"), d.kept("two")
	errOne, errTwo := errors.New("first"), errors.New("second")
	one.stop = func(context.Context) error { return errOne }
	two.stop = func(context.Context) error { return errTwo }
	app := newApp(t, nil)
	if err := app.Add(d.kept("zero"), one, two); err != nil {
		t.Fatal(err)
	}
	err := app.Stop(t.Context())
	if !errors.Is(err, errOne) || !errors.Is(err, errTwo) || !strings.Contains(err.Error(), "stopping two") {
		t.Errorf("error = %v, want both with the services' names", err)
	}
	if diff := cmp.Diff([]string{"stop zero"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func TestStopClosesTheBusAndEndsStreams(t *testing.T) {
	t.Parallel()
	type Happened struct{ signals.Fact }
	app, s := newApp(t, nil), &fake{name: "one"}
	if err := app.Add(s); err != nil {
		t.Fatal(err)
	}
	s.stop = func(ctx context.Context) error {
		select {
		case <-s.host(t).Draining:
		default:
			t.Error("the service stops before streams were told to end")
		}
		return signals.Publish(ctx, app.Signals(), Happened{}) // the bus is still open
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := signals.Publish(t.Context(), app.Signals(), Happened{}); !errors.Is(err, signals.ErrClosed) {
		t.Errorf("publishing after Stop: %v, want ErrClosed", err)
	}
}

func TestStopTwiceAndNeverStarted(t *testing.T) {
	t.Parallel()
	app := newApp(t, nil)
	if err := app.Add(&fake{name: "one"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(app.Stop(t.Context()), app.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestStartAfterStopIsRefused(t *testing.T) {
	t.Parallel()
	var d diary
	app := newApp(t, nil)
	if err := errors.Join(app.Add(d.kept("one")), app.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); !errors.Is(err, coglex.ErrStopped) {
		t.Errorf("error = %v, want ErrStopped", err)
	}
	if diff := cmp.Diff([]string{"stop one"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func TestStopWaitsForAStartButNotForever(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		hanging, release := d.kept("one"), make(chan struct{})
		hanging.start = func(context.Context) error { <-release; return nil }
		app := newApp(t, nil)
		if err := app.Add(hanging, d.kept("two")); err != nil {
			t.Fatal(err)
		}
		started := make(chan error, 1)
		go func() { started <- app.Start(t.Context()) }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := app.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want the deadline", err)
		}
		close(release)
		if err := <-started; !errors.Is(err, coglex.ErrStopped) {
			t.Errorf("the start returned %v, want ErrStopped", err)
		}
		if err := app.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"stop two", "stop one"}, d.read()); diff != "" {
			t.Errorf("diary (-want +got):\n%s", diff)
		}
	})
}

func TestStartAndStopAtOnce(t *testing.T) {
	t.Parallel()
	app := newApp(t, nil)
	var running atomic.Int32
	alone := func(context.Context) error {
		if running.Add(1) != 1 {
			t.Error("two of Start and Stop run at the same time")
		}
		running.Add(-1)
		return nil
	}
	for _, name := range []string{"one", "two", "three"} {
		if err := app.Add(&fake{name: name, start: alone, stop: alone}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if i%2 == 0 {
				if err := app.Start(t.Context()); err != nil && !errors.Is(err, coglex.ErrStopped) {
					t.Error(err)
				}
				return
			}
			if err := app.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { _ = app.Ready(t.Context()); app.Routes() })
	}
	wg.Wait()
}
