package signals

import (
	"context"
	"fmt"
	"reflect"
	"sync"
)

// Async returns a subscriber that puts events into a queue and returns at once; fn
// gets them one at a time, in the order they came, in a goroutine that lives while
// there are any. Each call of Async makes a queue of its own.
//
// Up to size events wait beside the one that fn has in hand; less than 1 counts as 1.
// When that is full, the event is dropped for fn, [Bus.Dropped] counts it and the
// publisher gets [ErrQueueFull]. What is queued is lost if the process dies: an event
// that embeds [Inbox] does not compile here.
//
// The context that fn gets keeps the publisher's values but not its deadline or
// cancellation: fn bounds its own work. Its errors and panics are logged by b, whose
// Close waits for the queue. A nil bus has no queue and counts as closed.
func Async[E any, P LossyOf[E]](b *Bus, size int, fn func(context.Context, E) error) func(context.Context, E) error {
	q := &queue[E]{bus: b, size: max(size, 1), sub: subscriber[E]{origin: entry(fn), fn: fn}}
	return q.push
}

type queue[E any] struct {
	bus  *Bus
	size int
	sub  subscriber[E]

	mu      sync.Mutex
	busy    bool     // an event is in hand
	waiting []func() // each handles one event
}

func (q *queue[E]) push(ctx context.Context, e E) error {
	if q.bus == nil {
		return ErrClosed
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= q.size {
		q.bus.dropped.Add(1)
		return fmt.Errorf("%s: %w", q.sub.label(), ErrQueueFull)
	}
	if !q.bus.admit() {
		return ErrClosed
	}
	ctx = context.WithoutCancel(ctx)
	job := func() { q.handle(ctx, e) }
	if q.busy {
		q.waiting = append(q.waiting, job)
		return nil
	}
	q.busy = true
	go job()
	return nil
}

// handle ends by starting the next in a goroutine of its own, so that the queue goes
// on even where fn ends its goroutine, as FailNow does in a test.
func (q *queue[E]) handle(ctx context.Context, e E) {
	defer q.next()
	if err := q.sub.run(ctx, e); err != nil {
		q.bus.failed(ctx, "asynchronous subscriber failed", reflect.TypeFor[E](), q.sub.blame(err))
	}
}

// next settles the event that was in hand and takes up the one that waits longest.
func (q *queue[E]) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	settled := 1
	if q.bus.abandoned.Load() {
		q.bus.dropped.Add(uint64(len(q.waiting)))
		settled += len(q.waiting)
		q.waiting = nil
	}
	if q.busy = len(q.waiting) > 0; q.busy {
		job := q.waiting[0]
		q.waiting[0] = nil // let go of the event
		q.waiting = q.waiting[1:]
		go job()
	}
	q.bus.settle(settled)
}
