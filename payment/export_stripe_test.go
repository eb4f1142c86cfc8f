package payment

import "context"

// TakeTicket returns the next ticket of a subscription.
func (s *Service) TakeTicket(ctx context.Context, id string) (int64, error) {
	return s.takeTicket(ctx, id)
}

// WriteSubscription records a subscription that was fetched after a ticket was taken.
func (s *Service) WriteSubscription(ctx context.Context, sub Subscription, ticket int64) (Subscription, error) {
	return s.recordSubscription(ctx, sub, ticket)
}

// HandledTypes returns the types of events that the service handles.
func (s *Service) HandledTypes() []string { return s.handledTypes() }

// RenewCustomer has the user's record forget a customer that was found deleted.
func (s *Service) RenewCustomer(ctx context.Context, user User, deleted string) error {
	return s.renewCustomer(ctx, user, deleted)
}
