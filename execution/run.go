package execution

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// take takes a place for one more run, if there is one.
func (f *function) take() bool {
	select {
	case f.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// release gives the place back.
func (f *function) release() { <-f.slots }

// outcome is what came of a run.
type outcome struct {
	text json.RawMessage
	err  error
}

// The states of a run: its caller and its function race for the end of it.
const (
	running = iota
	finished
	abandoned
)

// run executes a function, whose place was taken, in a goroutine of its own, so
// that its caller has an answer in time even where the function has none.
func (s *Service) run(ctx context.Context, f *function, input []byte, rec *record) (json.RawMessage, error) {
	caller := ctx
	if rec != nil { // who comes back with the key wants the answer
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(enter(ctx), f.opts.Timeout)
	var state atomic.Int32
	result := make(chan outcome, 1)
	s.flights.begin()
	go func() {
		defer s.flights.end()
		defer f.release()
		defer cancel()
		// What ends the goroutine (runtime.Goexit) leaves this.
		out := outcome{err: &FailedError{Function: f.name, Err: errors.New("it ended its goroutine")}}
		defer func() {
			out.err = ended(out.err, ctx.Err())
			rec.finish(ctx, f, &out)
			if state.CompareAndSwap(running, finished) {
				result <- out
				return
			}
			s.flights.abandoned.Add(-1)
			s.late(ctx, f, out.err)
		}()
		out = s.isolate(ctx, f, input)
	}()
	select {
	case out := <-result:
		return out.text, out.err
	case <-ctx.Done():
	case <-caller.Done():
	}
	s.flights.abandoned.Add(1)
	if !state.CompareAndSwap(running, abandoned) {
		s.flights.abandoned.Add(-1)
		out := <-result
		return out.text, out.err
	}
	err := cmp.Or(caller.Err(), ctx.Err())
	return nil, ended(err, err)
}

// ended is the error of a run whose context has ended as over says. One that failed
// of that is as if nobody had waited for it.
func ended(err, over error) error {
	switch {
	case err == nil || over == nil || !errors.Is(err, over):
		return err
	case errors.Is(over, context.Canceled):
		return fmt.Errorf("execution: %w", over)
	}
	return ErrTimeout
}

// isolate executes a function and makes an error of its panic, as text, lest it be
// taken for the ordinary failure that it was raised with.
func (s *Service) isolate(ctx context.Context, f *function, input []byte) (out outcome) {
	defer func() {
		if v := recover(); v != nil {
			out = outcome{err: &FailedError{Function: f.name, Err: fmt.Errorf("it panicked: %v\n%s", v, debug.Stack())}}
		}
	}()
	out.text, out.err = f.invoke(ctx, input, s.encoder)
	return out
}

// late logs what became of a run that nobody waited for any more. That it heeded its
// context is as it should be.
func (s *Service) late(ctx context.Context, f *function, err error) {
	level := slog.LevelWarn
	if errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{slog.String("function", f.name)}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	s.logger().LogAttrs(ctx, level, "execution: a function returned after its caller had gone", attrs...)
}

// Abandoned returns how many runs go on although nobody waits for them any more:
// past their time limit, or left by their caller. A number that grows means
// functions that do not heed their context; each keeps its goroutine and its place
// under Concurrency for as long as it runs, and nothing in Go can end it.
func (s *Service) Abandoned() int { return int(s.flights.abandoned.Load()) }

// flights counts the runs under way.
type flights struct {
	abandoned atomic.Int64

	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when there are none; nil while nobody waits
}

func (f *flights) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
}

func (f *flights) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n--
	if f.n == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// wait returns when no run is under way, or ctx is done.
func (f *flights) wait(ctx context.Context) error {
	f.mu.Lock()
	if f.n == 0 {
		f.mu.Unlock()
		return nil
	}
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	idle := f.idle
	f.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// count returns how many runs are under way.
func (f *flights) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}
