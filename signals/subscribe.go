package signals

import (
	"context"
	"log/slog"
	"reflect"
)

// Subscribe calls fn for every E that is published on b from now on, until cancel
// is called. Cancel may be called any number of times, at any time, fn included; a
// publish under way may still reach fn after it. Of an [Inbox] event, fn sees each
// delivery: it is called at least once, and again whenever another subscriber failed.
func Subscribe[E any, P FactOf[E]](b *Bus, fn func(context.Context, E) error) (cancel func()) {
	return SubscribeNamed[E, P](b, "", fn)
}

// SubscribeNamed is [Subscribe] with a name, by which errors and logs speak of the
// subscriber and by which [Deliver] knows that it is done with an event. Names are
// kept with events, so they should outlive refactoring: call it "mark-paid", not by the function.
//
// A name is unique per type of event on a bus. If it is taken, the later subscriber
// replaces the earlier in its place of the order, the bus logs a warning, and the
// earlier one's cancel does nothing any more. An empty name is none.
func SubscribeNamed[E any, P FactOf[E]](b *Bus, name string, fn func(context.Context, E) error) (cancel func()) {
	return subscribe(b, name, fn)
}

// Intercept calls fn for every E that is asked about on b from now on, until cancel
// is called as in [Subscribe]. What fn writes to the event is what the next
// interceptor and at last the one who asked will see. An error from fn is a veto.
func Intercept[E any, P IntentOf[E]](b *Bus, fn func(context.Context, P) error) (cancel func()) {
	return subscribe(b, "", fn)
}

// Tap calls fn for every fact that is published or delivered on b, whatever its
// type, after the subscribers have run and whether or not they failed: for audit,
// logs, and bridges to other instances. Intents are not shown: they may never
// happen. A tap cannot fail an event; its panic is logged. Cancel is as in [Subscribe].
func Tap(b *Bus, fn func(context.Context, any)) (cancel func()) {
	if b == nil {
		return func() {}
	}
	s := &subscriber[any]{origin: entry(fn), fn: func(ctx context.Context, e any) error {
		fn(ctx, e)
		return nil
	}}
	b.taps.add(s)
	return func() { b.taps.remove(s) }
}

func subscribe[A any](b *Bus, name string, fn func(context.Context, A) error) (cancel func()) {
	if b == nil {
		return func() {}
	}
	s := &subscriber[A]{name: name, origin: entry(fn), fn: fn}
	l := topicOf[A](b)
	if l.add(s) {
		b.log.Warn("subscriber replaced by a later one of the same name",
			slog.String("event", reflect.TypeFor[A]().String()), slog.String("subscriber", name))
	}
	return func() { l.remove(s) }
}

func entry(fn any) uintptr { return reflect.ValueOf(fn).Pointer() }
