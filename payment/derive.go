package payment

import (
	"context"
	"iter"

	"github.com/imadelakhaldev/coglex/signals"
)

// derived delivers one further event to those of its subscribers that are not in
// done, as [signals.DeliverEach] does; the names begin with its type.
type derived func(ctx context.Context, bus *signals.Bus, done []string) iter.Seq2[string, error]

// derive is asked by the worker before an event is delivered: it refetches what the
// event is about, brings our own records up to date and returns the further events to
// deliver. It is called again on a retry.
func (s *Service) derive(context.Context, StripeWebhookReceived) ([]derived, error) { return nil, nil }
