package generation

import (
	"context"
	"errors"
)

// question is a call of Gemini that is not a conversation.
type question struct {
	key    string
	own    bool
	expect string // a member that a good answer has, or ""
	// from is what it sends, nil where that is nothing of length. Where it can not be
	// read again there is no second try, and its errors come first.
	from *limitedReader
}

// ask makes a call by fn, and tries it again as the options say.
func (s *Service) ask(ctx context.Context, q question, fn func(context.Context) error) error {
	return s.retrying(ctx, func() error {
		sent, x := begin(ctx, q.key, false)
		x.expect = q.expect
		err := s.safely(ctx, func() error { return fn(sent) })
		if q.from != nil && q.from.err != nil {
			return q.from.err
		}
		err = x.failure(ctx, err, q.own)
		if up, ok := errors.AsType[*UpstreamError](err); ok && q.from != nil && !q.from.rewind() {
			up.final = true
		}
		return err
	})
}
