package signals

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// Deliver is the [Publish] of inboxes. It skips the named subscribers that are in
// done, and returns done with those added that succeeded now: all who need not see
// this event again. Names without a subscriber stay in it, for another instance may
// have them. Anonymous subscribers run on every delivery.
//
// The inbox keeps the names with the event and delivers again later, until the error
// is nil. On a closed bus it returns done and [ErrClosed].
func Deliver[E any, P InboxOf[E]](ctx context.Context, b *Bus, e E, done []string) ([]string, error) {
	now := slices.Clone(done)
	var errs []error
	for name, err := range DeliverEach[E, P](ctx, b, e, done) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case name != "":
			now = append(now, name)
		}
	}
	return now, errors.Join(errs...)
}

// DeliverEach is [Deliver] one subscriber at a time, for an inbox that records each
// success before the next subscriber runs. It yields each subscriber's name, empty
// if anonymous, with its error or nil. Breaking off leaves the rest, and the taps, for
// the next delivery. On a closed bus it yields one pair, of no name and [ErrClosed].
func DeliverEach[E any, P InboxOf[E]](ctx context.Context, b *Bus, e E, done []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if b == nil {
			return
		}
		if b.closed.Load() {
			yield("", ErrClosed)
			return
		}
		for _, s := range listOf[E](b) {
			if s.name != "" && slices.Contains(done, s.name) {
				continue
			}
			err := s.call(ctx, b, e)
			if err != nil {
				err = s.blame(err)
			}
			if !yield(s.name, err) {
				return
			}
		}
		show(ctx, b, e)
	}
}
