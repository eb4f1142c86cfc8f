package generation

import (
	"cmp"
	"context"
	"errors"
	"iter"

	"google.golang.org/genai"
)

// stream makes one call of Gemini whose answer comes in pieces, and puts it to the
// accounts however it ends. It is tried again until its first piece came. A loop
// that breaks ends the call. Usage in an answer is that of the call so far.
func (s *Service) stream(ctx context.Context, c *call) iter.Seq2[*answer, error] {
	return func(yield func(*answer, error) bool) {
		if err := s.admit(ctx); err != nil {
			yield(nil, err)
			return
		}
		began := s.opts.Now()
		bounded, cancel := context.WithTimeout(ctx, s.opts.StreamTimeout)
		defer cancel()
		r := streaming{s: s, c: c, config: c.sdk(), yield: yield, err: context.Canceled}
		defer func() { s.settle(ctx, c, began, r.usage, r.err, true) }() // panics of the loop's too
		err := s.retrying(bounded, func() error { return r.once(bounded) })
		if errors.Is(err, errLeft) {
			return
		}
		if r.err = err; err != nil {
			yield(nil, err)
		}
	}
}

// errLeft says that the loop over a stream broke.
var errLeft = errors.New("generation: the loop broke")

// streaming is a stream under way.
type streaming struct {
	s      *Service
	c      *call
	config *genai.GenerateContentConfig
	yield  func(*answer, error) bool
	usage  Usage
	parts  int // how many were yielded
	err    error
}

// once makes one request and yields what comes.
func (r *streaming) once(ctx context.Context) error {
	ctx, x := begin(ctx, r.c.key, true)
	next, stop := iter.Pull2(r.s.gemini.Models.GenerateContentStream(ctx, r.c.model, nil, r.config))
	defer stop()
	finish := ""
	for {
		res, more, err := r.pull(ctx, next)
		if err != nil {
			return r.final(x.failure(ctx, err, r.c.ownKey))
		}
		if !more {
			return r.final(r.ended(ctx, x, finish))
		}
		a, err := read(res, x.events.next())
		if a != nil {
			r.note(a)
		}
		if err != nil {
			return r.final(err)
		}
		finish = cmp.Or(a.finish, finish)
		r.parts += len(a.parts)
		if !r.yield(a, nil) {
			return errLeft
		}
	}
}

// note keeps the latest usage: what Gemini counts grows from event to event.
func (r *streaming) note(a *answer) {
	if a.usage == (Usage{}) {
		a.usage = r.usage
	}
	r.usage = a.usage
}

// pull returns the next event, and whether there is one. A panic of the SDK stops
// here, one of the loop's does not.
func (r *streaming) pull(ctx context.Context, next func() (*genai.GenerateContentResponse, error, bool)) (res *genai.GenerateContentResponse, more bool, err error) {
	err = r.s.safely(ctx, func() (err error) {
		res, err, more = next()
		return err
	})
	return res, more, err
}

// ended says how a stream ended of which no more comes.
func (r *streaming) ended(ctx context.Context, x *exchange, finish string) error {
	if err := x.events.broken(); err != nil {
		return x.failure(ctx, err, r.c.ownKey)
	}
	if finish == "" && r.parts > 0 {
		return &UpstreamError{Message: "the stream broke off"}
	}
	return complete(finish, r.parts)
}

// final keeps an error from being a reason to try again once something was yielded.
func (r *streaming) final(err error) error {
	if up, ok := errors.AsType[*UpstreamError](err); ok && r.parts > 0 {
		up.final = true
	}
	return err
}
