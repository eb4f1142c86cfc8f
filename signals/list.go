package signals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// subscriber is one function that takes events of type A: a fact by value, an
// intent by pointer, or anything in the case of a tap.
type subscriber[A any] struct {
	name   string  // empty if anonymous
	origin uintptr // entry of the function that was passed in
	fn     func(context.Context, A) error
}

// list holds the subscribers of one type in order of subscription. A slice that
// has been read is never changed again, so readers need no lock.
type list[A any] struct {
	mu   sync.Mutex // held by writers
	subs atomic.Pointer[[]*subscriber[A]]
}

// listOf returns the subscribers of A on b, in a slice that is not to be changed.
func listOf[A any](b *Bus) []*subscriber[A] {
	v, _ := b.topics.Load(reflect.TypeFor[A]())
	if l, ok := v.(*list[A]); ok {
		return l.read()
	}
	return nil
}

// topicOf returns the list of A on b and makes it if need be.
func topicOf[A any](b *Bus) *list[A] {
	v, _ := b.topics.LoadOrStore(reflect.TypeFor[A](), new(list[A]))
	l, _ := v.(*list[A]) // no other kind is stored under A
	return l
}

func (l *list[A]) read() []*subscriber[A] {
	if subs := l.subs.Load(); subs != nil {
		return *subs
	}
	return nil
}

// add appends s, or puts it in the place of the subscriber of the same name and
// reports that.
func (l *list[A]) add(s *subscriber[A]) (replaced bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	subs := slices.Clone(l.read())
	at := slices.IndexFunc(subs, func(o *subscriber[A]) bool { return s.name != "" && o.name == s.name })
	if at < 0 {
		subs = append(subs, s)
	} else {
		subs[at] = s
	}
	l.subs.Store(&subs)
	return at >= 0
}

// remove takes s out if it is still there; one that took its name over stays.
func (l *list[A]) remove(s *subscriber[A]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	subs := slices.DeleteFunc(slices.Clone(l.read()), func(o *subscriber[A]) bool { return o == s })
	l.subs.Store(&subs)
}

// call runs the subscriber, with its panic turned into an error.
func (s *subscriber[A]) call(ctx context.Context, b *Bus, arg A) error {
	if b.slow <= 0 {
		return s.run(ctx, arg)
	}
	start := b.now()
	err := s.run(ctx, arg)
	if took := b.now().Sub(start); took >= b.slow {
		b.log.LogAttrs(ctx, slog.LevelWarn, "slow subscriber", slog.String("event", fmt.Sprintf("%T", arg)),
			slog.String("subscriber", s.label()), slog.Duration("took", took))
	}
	return err
}

func (s *subscriber[A]) run(ctx context.Context, arg A) (err error) {
	defer s.recovered(&err)
	return s.fn(ctx, arg)
}

// recovered turns a panic under way into an error. It must be deferred directly.
func (s *subscriber[A]) recovered(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Subscriber: s.label(), Value: v, Stack: debug.Stack()}
	}
}

// label is how errors and logs name the subscriber.
func (s *subscriber[A]) label() string {
	if s.name != "" {
		return s.name
	}
	return functionName(s.origin)
}

// blame says in the error's text who returned it, unless it says so already.
func (s *subscriber[A]) blame(err error) error {
	var p *PanicError
	if errors.As(err, &p) && p.Subscriber == s.label() {
		return err
	}
	return fmt.Errorf("%s: %w", s.label(), err)
}

func functionName(entry uintptr) string {
	if f := runtime.FuncForPC(entry); f != nil {
		return f.Name()
	}
	return "nil function"
}
