package paymenttest

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// DeliverThin sends an event of Stripe's second API, which tells only the id of the
// object that it is about and whose "created" is a text, to every endpoint. It
// returns the event's id.
func (s *Stripe) DeliverThin(ctx context.Context, typ, about string) (string, error) {
	s.mu.Lock()
	s.begin(nil)
	id := s.state.id(kindEvent)
	body, err := json.Marshal(object{
		"id": id, "object": "v2.core.event", "type": typ, "livemode": false, "context": nil, "reason": nil,
		"created":        time.Unix(s.state.now, 0).UTC().Format("2006-01-02T15:04:05.000Z"),
		"related_object": object{"id": about, "type": s.state.objects[about].str("object"), "url": "/v1/objects/" + about},
	})
	if err != nil {
		s.mu.Unlock()
		return "", err
	}
	var parcels []*parcel
	for _, endpoint := range slices.Backward(s.state.all(kindEndpoint)) {
		parcels = append(parcels, &parcel{
			event: id, typ: typ, endpoint: endpoint.str("id"), url: endpoint.str("url"), secret: endpoint.str("_secret"),
			version: endpoint.str("api_version"), body: body,
		})
	}
	s.mu.Unlock()
	s.mail.push(parcels...)
	return id, s.Settle(ctx)
}
