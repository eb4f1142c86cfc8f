package payment

import (
	"github.com/imadelakhaldev/coglex/service"
)

// Scopes that an API key needs for the routes, where keys have any.
const (
	ScopeRead  = "payment:read"
	ScopeWrite = "payment:write"
)

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return append(s.inboxRoutes(), s.stripeRoutes()...)
}

// inboxRoutes are those of the webhook and of what it has stored.
func (s *Service) inboxRoutes() []service.Route {
	return nil
}
