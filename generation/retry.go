package generation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// firstBackoff is about how long the first wait is; each further one is double.
	firstBackoff = 500 * time.Millisecond
	// maxBackoff bounds the waits that Gemini did not ask for.
	maxBackoff = 8 * time.Second
)

// retrying calls try until it succeeds, fails for good, or was called as often as
// the options say. What it returns is the last error of try, and of a context that
// ends meanwhile that of the context.
func (s *Service) retrying(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		up, ok := errors.AsType[*UpstreamError](err)
		if !ok || !up.temporary() || n >= s.opts.Attempts {
			return err
		}
		wait := backoff(n, up.RetryAfter)
		if deadline, ok := ctx.Deadline(); wait > s.opts.RetryWait || ok && time.Until(deadline) < wait {
			return err
		}
		if err := s.opts.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// backoff returns how long to wait after so many tries: never less than asked, and
// never as long as others who were refused at the same time.
func backoff(tries int, asked time.Duration) time.Duration {
	most := min(firstBackoff<<min(tries-1, 10), maxBackoff)
	jitter := rand.N(most/2 + 1) //nolint:gosec // spreads load, guards nothing
	if asked > 0 {
		return asked + jitter/4
	}
	return most/2 + jitter
}

// retryAfter returns what the Retry-After header asks for (RFC 9110, section
// 10.2.3) in seconds, or zero. Google sends no dates.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(min(n, int(maxRetryAfter/time.Second))) * time.Second
	}
	return 0
}

// maxRetryAfter is the longest wait that a client is told of, whatever Gemini asks.
const maxRetryAfter = 24 * time.Hour
