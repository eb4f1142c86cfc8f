package paymenttest

import (
	"strings"
	"time"
)

// fault is a failure for so many requests.
type fault struct {
	Failure
	left int
}

// FailNext makes the next n requests fail, after those that earlier calls of
// FailNext made fail. Requests with a wrong key and repeated ones, whose answer is
// known, do not count.
func (s *Stripe) FailNext(n int, f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fault{Failure: f, left: n})
}

// fault returns the failure that is due, nil where there is none.
func (s *Stripe) fault(path string) *Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.left > 0 && strings.HasPrefix(path, f.Path) {
			f.left--
			failure := f.Failure
			return &failure
		}
	}
	return nil
}

// SetLatency makes every request take this long before it has an effect. Zero
// makes them quick again.
func (s *Stripe) SetLatency(latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = latency
}
