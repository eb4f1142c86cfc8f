package paymenttest

import (
	"net/url"
	"slices"
	"time"
)

// Request is one that the API received.
type Request struct {
	ID     string // as the Request-Id header told
	Method string
	Path   string
	// Form is the body, of a GET the query. It is not to be changed.
	Form           url.Values
	IdempotencyKey string
	APIVersion     string // the Stripe-Version header
	Time           time.Time
	// Status is what was answered; zero while it is under way and where the answer
	// was lost.
	Status int
	// Replayed tells that the answer was an earlier one of the same idempotency key.
	Replayed bool
}

// Requests returns the requests that the API received, oldest first. Those of
// pages do not count.
func (s *Stripe) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}
