package signals

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned for every event that reaches a bus after its Close.
	ErrClosed = errors.New("signals: the bus is closed")

	// ErrQueueFull is returned by a subscriber made by [Async] whose queue has no
	// room: the event is dropped for that subscriber, and counted by [Bus.Dropped].
	ErrQueueFull = errors.New("signals: the queue is full")
)

// PanicError is what a panic in a subscriber or an interceptor becomes. It does
// not unwrap to Value, even if that is an error: a panic is a defect, and must not
// be taken for the ordinary failure that it was raised with.
type PanicError struct {
	// Subscriber is the subscriber's name or, if it has none, its function's.
	Subscriber string
	// Value is what panic was called with.
	Value any
	// Stack is the stack of the goroutine at the panic, as from debug.Stack.
	Stack []byte
}

// Error names the subscriber and the value, not the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("signals: %s panicked: %v", e.Subscriber, e.Value)
}
