package paymenttest

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"
)

// Event is something that happened.
type Event struct {
	ID      string
	Type    string // as "invoice.paid"
	Created time.Time
	// Body is the event as the API tells it, in the version of the account.
	Body json.RawMessage
}

// Events returns all that happened, oldest first.
func (s *Stripe) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := make([]Event, 0, len(s.state.order[kindEvent]))
	for _, id := range s.state.order[kindEvent] {
		o := s.state.objects[id]
		body, _ := json.Marshal(render(o, s.state.version)) // all of it is ours
		events = append(events, Event{ID: id, Type: o.str("type"), Created: time.Unix(o.int("created"), 0).UTC(), Body: body})
	}
	return events
}

// emit records an event about an object as it is now.
func (s *state) emit(typ string, about object) { s.record(typ, object{"object": about.clone()}) }

// emitChange is emit that tells what the object was before.
func (s *state) emitChange(typ string, before, about object) {
	previous := object{}
	for name, old := range before {
		if !reflect.DeepEqual(old, about[name]) {
			previous[name] = copied(old)
		}
	}
	s.record(typ, object{"object": about.clone(), "previous_attributes": previous})
}

func (s *state) record(typ string, data object) {
	id := s.id(kindEvent)
	s.add(kindEvent, object{
		"id": id, "object": "event", "api_version": s.version, "created": s.now, "data": data, "livemode": false,
		"pending_webhooks": int64(0), "request": s.request, "type": typ,
	})
	s.events = append(s.events, id)
}

// listEvents is /v1/events, which knows what was delivered.
func (s *Stripe) listEvents(c *call) (object, *Failure) {
	return list(kindEvent, equal("type"), eventTypes, s.delivered)(c)
}

func (s *Stripe) getEvent(c *call) (object, *Failure) {
	o, f := c.target(kindEvent)
	if f != nil {
		return nil, f
	}
	o["pending_webhooks"] = s.mail.pending(o.str("id"))
	return o, nil
}

// eventTypes lets pass by "types", in which "invoice.*" is every type of invoices.
func eventTypes(c *call, o object) bool {
	types := c.form.strs("types")
	return len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return matches(t, o.str("type")) })
}

func matches(pattern, typ string) bool {
	n := len(pattern)
	if n > 0 && pattern[n-1] == '*' {
		return len(typ) >= n-1 && typ[:n-1] == pattern[:n-1]
	}
	return pattern == typ
}

// delivered lets pass by "delivery_success".
func (s *Stripe) delivered(c *call, o object) bool {
	pending := s.mail.pending(o.str("id"))
	o["pending_webhooks"] = pending
	return !c.form.has("delivery_success") || c.form.bool("delivery_success") == (pending == 0)
}
