package signals

import (
	"context"
	"errors"
	"reflect"
)

// Publish calls the subscribers of E one after the other, in order of subscription,
// and returns when all have run. None of them stops the others: their errors come
// back joined, each with its subscriber's name, panics as [*PanicError]; the
// fact stands all the same. On a closed bus it returns [ErrClosed].
func Publish[E any, P FactOf[E]](ctx context.Context, b *Bus, e E) error {
	if b == nil {
		return nil
	}
	if b.closed.Load() {
		return ErrClosed
	}
	var errs []error
	for _, s := range listOf[E](b) {
		if err := s.call(ctx, b, e); err != nil {
			errs = append(errs, s.blame(err))
		}
	}
	show(ctx, b, e)
	return errors.Join(errs...)
}

// Announce is [Publish] for a service that has made its write durable, and whose
// caller must not be told of failure any more: errors are logged by the bus, and the
// context that subscribers get keeps the values of ctx but not its cancellation, so
// that a client who hangs up does not cut short what follows from the fact.
func Announce[E any, P FactOf[E]](ctx context.Context, b *Bus, e E) {
	if b == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if err := Publish[E, P](ctx, b, e); err != nil {
		b.failed(ctx, "subscribers failed", reflect.TypeFor[E](), err)
	}
}

// Ask calls the interceptors of E one after the other, in order of subscription. The
// first error is a veto: it stops the rest and is returned as it is, a panic as a
// [*PanicError]; the event may then be half changed and should be discarded. Nil means
// go ahead, with the event as it is now. On a closed bus it returns [ErrClosed], for
// those who might have vetoed can no longer be asked.
func Ask[E any, P IntentOf[E]](ctx context.Context, b *Bus, e P) error {
	if b == nil {
		return nil
	}
	if b.closed.Load() {
		return ErrClosed
	}
	for _, s := range listOf[P](b) {
		if err := s.call(ctx, b, e); err != nil {
			return err
		}
	}
	return nil
}

// show passes a fact to the taps; only if there are any is it moved to the heap.
func show[E any](ctx context.Context, b *Bus, e E) {
	taps := b.taps.read()
	if len(taps) == 0 {
		return
	}
	var event any = e
	for _, t := range taps {
		if err := t.call(ctx, b, event); err != nil {
			b.failed(ctx, "tap failed", reflect.TypeFor[E](), err)
		}
	}
}
