package signals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// Options configures a bus. The zero value is ready to use.
type Options struct {
	// Logger receives what has no caller to return to: failures of asynchronous
	// subscribers, of taps and of announced facts, slow subscribers, and replaced
	// names. Events themselves are never logged, only their type.
	//
	// Defaults to slog.Default().
	Logger *slog.Logger

	// Slow is how long a synchronous subscriber, interceptor or tap may take
	// before a warning names it. It costs two readings of the clock per call.
	//
	// Defaults to 0: nothing is measured.
	Slow time.Duration

	// Now is the clock that Slow is measured with.
	//
	// Defaults to time.Now.
	Now func() time.Time
}

// Bus connects those who publish events with those who subscribe to them. Make
// one with [NewBus]. All functions and methods that take a bus are safe for
// concurrent use, and accept nil: a nil bus has no subscribers and never will.
type Bus struct {
	log  *slog.Logger
	slow time.Duration
	now  func() time.Time

	topics sync.Map // reflect.Type of the handlers' argument A → *list[A]
	taps   list[any]

	closed    atomic.Bool // written under mu
	abandoned atomic.Bool // Close has given up: what is queued is dropped
	dropped   atomic.Uint64

	mu      sync.Mutex
	pending int           // events queued or in an asynchronous subscriber's hands
	idle    chan struct{} // closed once the bus is closed and pending is 0
}

// NewBus returns an open bus. A nil opts means all defaults. It starts no goroutine.
func NewBus(opts *Options) *Bus {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	return &Bus{log: o.Logger, slow: o.Slow, now: o.Now, idle: make(chan struct{})}
}

// Close refuses all further events with [ErrClosed] and waits until the queues of
// [Async] are empty or ctx is done. In the latter case what still waits in them is
// dropped, what is being handled goes on, and the error wraps that of ctx. Closing
// again waits for the rest. Close in an asynchronous subscriber waits for itself.
func (b *Bus) Close(ctx context.Context) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	if !b.closed.Swap(true) && b.pending == 0 {
		close(b.idle)
	}
	b.mu.Unlock()

	select {
	case <-b.idle: // also when ctx is done already
		return nil
	default:
	}
	select {
	case <-b.idle:
		return nil
	case <-ctx.Done():
		b.abandoned.Store(true)
		return fmt.Errorf("signals: closed with %d events unhandled: %w", b.unsettled(), ctx.Err())
	}
}

// Dropped returns how many events asynchronous subscribers have lost so far, to
// full queues and to a Close that could not wait.
func (b *Bus) Dropped() uint64 {
	if b == nil {
		return 0
	}
	return b.dropped.Load()
}

// admit counts an event in, unless the bus is closed.
func (b *Bus) admit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return false
	}
	b.pending++
	return true
}

// settle counts n admitted events out.
func (b *Bus) settle(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending -= n
	if b.pending == 0 && b.closed.Load() {
		close(b.idle)
	}
}

func (b *Bus) unsettled() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pending
}

// failed logs an error that nobody is there to receive.
func (b *Bus) failed(ctx context.Context, msg string, event reflect.Type, err error) {
	attrs := []slog.Attr{slog.String("event", event.String()), slog.Any("error", err)}
	var p *PanicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	b.log.LogAttrs(ctx, slog.LevelError, msg, attrs...)
}
