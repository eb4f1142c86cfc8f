package paymenttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Delivery is one attempt to send an event.
type Delivery struct {
	EventID    string
	Type       string
	EndpointID string
	URL        string
	APIVersion string // that the event was written in
	Body       []byte
	Signature  string // the Stripe-Signature header
	Time       time.Time
	// Attempt counts those of this event at this endpoint, from 1.
	Attempt int
	// Status is what was answered, zero where nothing was. Stripe takes 2xx for
	// received.
	Status int
	// Err is why nothing was answered.
	Err error
}

// Deliveries returns the attempts to send events, oldest first.
func (s *Stripe) Deliveries() []Delivery {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	return slices.Clone(s.mail.deliveries)
}

// Hold keeps events back from now on, until [Stripe.Release].
func (s *Stripe) Hold() {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	s.mail.held = true
}

// Release ends [Stripe.Hold], sends what was kept back, and not sent by
// [Stripe.Deliver] meanwhile, in the order in which it happened, and waits until
// each was sent once.
func (s *Stripe) Release(ctx context.Context) error {
	s.mail.mu.Lock()
	s.mail.held = false
	for _, p := range s.mail.kept {
		if p.attempts == 0 {
			s.mail.queue = append(s.mail.queue, p)
		}
	}
	s.mail.kept = nil
	s.mail.mu.Unlock()
	return s.Settle(ctx)
}

// Redeliver sends every event again that some endpoint was sent and has not
// acknowledged with 2xx, and waits until each was sent once more.
func (s *Stripe) Redeliver(ctx context.Context) error {
	s.mail.mu.Lock()
	for _, p := range s.mail.parcels {
		if p.attempts > 0 && !p.acknowledged {
			s.mail.queue = append(s.mail.queue, p)
		}
	}
	s.mail.mu.Unlock()
	return s.Settle(ctx)
}

// Deliver sends events in the order given, now: those that were kept back, those
// that were sent before, one event as often as it is named. No other is sent
// instead. It waits until each was sent.
func (s *Stripe) Deliver(ctx context.Context, events ...string) error {
	return s.deliver(ctx, "", events)
}

// DeliverAs is [Stripe.Deliver] for an endpoint at another version of Stripe's API,
// as "2025-03-31.basil".
func (s *Stripe) DeliverAs(ctx context.Context, version string, events ...string) error {
	return s.deliver(ctx, version, events)
}

func (s *Stripe) deliver(ctx context.Context, version string, events []string) error {
	parcels, err := s.parcels(version, events)
	if err != nil {
		return err
	}
	s.mail.push(parcels...)
	return s.Settle(ctx)
}

// DeliverAtOnce sends an event n times at the same time and waits for all.
func (s *Stripe) DeliverAtOnce(ctx context.Context, event string, n int) error {
	parcels, err := s.parcels("", []string{event})
	if err != nil {
		return err
	}
	var sent sync.WaitGroup
	for _, p := range parcels {
		for range n {
			sent.Go(func() { s.mail.send(ctx, p, s.clock()) })
		}
	}
	sent.Wait()
	return ctx.Err()
}

// parcels writes events for each endpoint that wants them.
func (s *Stripe) parcels(version string, events []string) ([]*parcel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range events {
		if s.state.find(kindEvent, id) == nil {
			return nil, fmt.Errorf("paymenttest: no event %q", id)
		}
	}
	if version == "" {
		return s.post(events), nil
	}
	var parcels []*parcel
	for _, p := range s.post(events) {
		parcels = append(parcels, s.parcel(s.state.objects[p.event], s.state.objects[p.endpoint], version))
	}
	return parcels, nil
}

// post returns the parcels of events, one for each endpoint that wants it. The
// lock is held.
func (s *Stripe) post(events []string) []*parcel {
	var parcels []*parcel
	for _, id := range events {
		event := s.state.objects[id]
		for _, endpoint := range slices.Backward(s.state.all(kindEndpoint)) {
			if !wants(endpoint, event.str("type")) {
				continue
			}
			p := s.mail.find(id, endpoint.str("id"))
			if p == nil {
				p = s.parcel(event, endpoint, endpoint.str("api_version"))
			}
			parcels = append(parcels, p)
		}
	}
	return parcels
}
