package paymenttest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// parcel is an event on its way to an endpoint.
type parcel struct {
	event, typ, endpoint, url, secret, version string

	body         []byte
	attempts     int
	acknowledged bool
}

// post sends parcels, one after the other. A goroutine runs while there are some.
type post struct {
	client *http.Client

	mu         sync.Mutex
	held       bool
	queue      []*parcel // due
	kept       []*parcel // while held
	parcels    []*parcel // all that were made of events
	byEvent    map[string][]*parcel
	deliveries []Delivery
	idle       chan struct{} // closed when the goroutine ends; nil while there is none
	cancel     context.CancelFunc
	closed     bool
}

// parcel writes an event for an endpoint. The lock of s is held.
func (s *Stripe) parcel(event, endpoint object, version string) *parcel {
	written := event.clone()
	written["api_version"] = version
	written["pending_webhooks"] = int64(1)
	body, _ := json.MarshalIndent(render(written, version), "", "  ") // all of it is ours
	return &parcel{
		event: event.str("id"), typ: event.str("type"), endpoint: endpoint.str("id"), url: endpoint.str("url"),
		secret: endpoint.str("_secret"), version: version, body: body,
	}
}

// enqueue takes parcels of new events.
func (p *post) enqueue(parcels ...*parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parcels = append(p.parcels, parcels...)
	if p.byEvent == nil {
		p.byEvent = map[string][]*parcel{}
	}
	for _, parcel := range parcels {
		p.byEvent[parcel.event] = append(p.byEvent[parcel.event], parcel)
	}
	if p.held {
		p.kept = append(p.kept, parcels...)
		return
	}
	p.queue = append(p.queue, parcels...)
}

// push takes parcels that are due whether others are held or not.
func (p *post) push(parcels ...*parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, parcels...)
}

// find returns the parcel of an event for an endpoint, nil where there is none.
func (p *post) find(event, endpoint string) *parcel {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, parcel := range p.byEvent[event] {
		if parcel.endpoint == endpoint {
			return parcel
		}
	}
	return nil
}

// pending counts the endpoints that have not acknowledged an event.
func (p *post) pending(event string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n int64
	for _, parcel := range p.byEvent[event] {
		if !parcel.acknowledged {
			n++
		}
	}
	return n
}

// run sees to it that what is due is sent. The sending outlives ctx.
func (p *post) run(ctx context.Context, s *Stripe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle != nil || p.closed || len(p.queue) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.idle, p.cancel = make(chan struct{}), cancel
	go func() {
		defer cancel()
		for next := p.next(); next != nil; next = p.next() {
			p.send(ctx, next, s.clock())
		}
	}()
}

// next takes what is due next, nil at the end.
func (p *post) next() *parcel {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 || p.closed {
		close(p.idle)
		p.idle = nil
		return nil
	}
	next := p.queue[0]
	p.queue = p.queue[1:]
	return next
}

// send makes one attempt.
func (p *post) send(ctx context.Context, parcel *parcel, now time.Time) {
	d := Delivery{
		EventID: parcel.event, Type: parcel.typ, EndpointID: parcel.endpoint, URL: parcel.url, APIVersion: parcel.version,
		Body: parcel.body, Signature: Sign(parcel.body, now, parcel.secret), Time: now,
	}
	d.Status, d.Err = p.request(ctx, d)
	p.mu.Lock()
	defer p.mu.Unlock()
	parcel.attempts++
	d.Attempt = parcel.attempts
	if d.Status/100 == 2 {
		p.acknowledge(parcel)
	}
	p.deliveries = append(p.deliveries, d)
}

// acknowledge marks a parcel, and the one that was made of its event at first.
func (p *post) acknowledge(parcel *parcel) {
	parcel.acknowledged = true
	for _, other := range p.byEvent[parcel.event] {
		if other.endpoint == parcel.endpoint {
			other.acknowledged = true
		}
	}
}

func (p *post) request(ctx context.Context, d Delivery) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Stripe-Signature", d.Signature)
	req.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody)) // nobody reads it
	return resp.StatusCode, nil
}

// settle waits until nothing is under way.
func (p *post) settle(ctx context.Context) error {
	p.mu.Lock()
	idle := p.idle
	p.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close gives up what is under way and due, and waits.
func (p *post) close() {
	p.mu.Lock()
	p.closed = true
	if p.cancel != nil {
		p.cancel()
	}
	idle := p.idle
	p.mu.Unlock()
	if idle != nil {
		<-idle
	}
}
