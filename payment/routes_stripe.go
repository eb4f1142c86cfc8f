package payment

import "github.com/imadelakhaldev/coglex/service"

// stripeRoutes are those that call Stripe.
func (s *Service) stripeRoutes() []service.Route { return nil }
