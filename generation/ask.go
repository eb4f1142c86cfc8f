package generation

import (
	"context"
	"errors"
)

// ask makes one call of Gemini that is not a conversation, and tries it again as
// the options say. What it sends may come from a reader: once something was read
// there is no second try, and errors of the reader come first.
func (s *Service) ask(ctx context.Context, key string, own bool, fn func(context.Context) error, from *limitedReader) error {
	return s.retrying(ctx, func() error {
		sent, x := begin(ctx, key, false)
		err := s.safely(ctx, func() error { return fn(sent) })
		if from != nil && from.err != nil {
			return from.err
		}
		err = x.failure(ctx, err, own)
		if up, ok := errors.AsType[*UpstreamError](err); ok && from != nil && from.read {
			up.final = true
		}
		return err
	})
}
