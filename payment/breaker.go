package payment

import "sync"

// breaker keeps an outage of Stripe from taking every worker: a question that fails
// only when its time is over holds one for so long. While it is open one event at a
// time may ask, to see whether the outage is over; the others fail at once. Failures
// that come quickly do not open it. The zero value is closed.
type breaker struct {
	mu           sync.Mutex
	open, asking bool
}

// enter reports whether to ask. Who may calls leave afterwards.
func (b *breaker) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open && b.asking {
		return false
	}
	b.asking = true
	return true
}

// leave says whether it took long to fail.
func (b *breaker) leave(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.asking = away, false
}
