package payment

import (
	"net/http"

	"github.com/imadelakhaldev/coglex/service"
)

// Scopes that an API key needs for the routes, where keys have any.
const (
	ScopeRead  = "payment:read"
	ScopeWrite = "payment:write"
)

// webhookAnswer is what Stripe is told.
type webhookAnswer struct {
	Received bool `json:"received"`
}

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return append(s.stripeRoutes(), s.inboxRoutes()...)
}

// inboxRoutes are those of the webhook and of what it has stored.
func (s *Service) inboxRoutes() []service.Route {
	return []service.Route{
		{
			Name: "webhook", Method: http.MethodPost, Path: "/webhook", Need: service.Public, Handler: s.HandleWebhook,
			Summary: "Takes what Stripe reports, by its signature.", Response: webhookAnswer{}, Doc: docWebhook(),
		},
		{
			Name: "events", Method: http.MethodGet, Path: "/events", Scope: ScopeRead, Handler: s.HandleEvents,
			Summary: "Lists what Stripe has reported, the newest first.", Response: []Record{}, Doc: docEvents(),
		},
		{
			Name: "event", Method: http.MethodGet, Path: "/events/:id", Scope: ScopeRead, Handler: s.HandleEvent,
			Summary: "Returns one event as Stripe sent it.", Response: eventAnswer{}, Doc: docEvent(),
		},
		{
			Name: "replay", Method: http.MethodPost, Path: "/events/replay", Scope: ScopeWrite, Handler: s.HandleReplay,
			Summary: "Has events handled again.", Request: replayBody{}, Response: ReplayReport{}, Doc: docReplay(),
		},
	}
}
