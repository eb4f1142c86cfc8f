package middleware

import (
	"context"
	"fmt"
	"time"
)

// Policy says how often something may be tried under one key.
type Policy struct {
	// Burst is how many places there are before a caller has to wait.
	Burst int
	// Window is after what time without a place taken a key is forgotten; with
	// no delays it is the length of the window in which Burst places are given.
	Window time.Duration
	// MinDelay is how long a caller waits once the burst is spent; each further
	// place doubles the wait, up to MaxDelay. Zero: it waits for the window to end.
	MinDelay, MaxDelay time.Duration
}

// Limiter gives places to attempts, so that nobody can try passwords, codes or
// mails without end. Instances of a gateway should share one. It must be safe
// for concurrent use.
type Limiter interface {
	// Take takes a place under key, before the attempt is made, or returns a
	// *LimitError. A refused try takes no place and prolongs no wait. Any other
	// error means that it could not tell.
	Take(ctx context.Context, key string, p Policy) error
	// Release gives back a place whose attempt was not made after all.
	Release(ctx context.Context, key string, p Policy) error
	// Clear forgets keys, after a success.
	Clear(ctx context.Context, keys ...string) error
}

// LimitError is a refused place.
type LimitError struct {
	// RetryAfter is how long to wait.
	RetryAfter time.Duration
}

// Error says how long to wait.
func (e *LimitError) Error() string {
	return fmt.Sprintf("middleware: too many attempts, wait %s", e.RetryAfter)
}
