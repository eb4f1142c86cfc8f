package payment

import (
	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"go.mongodb.org/mongo-driver/mongo"
)

// newStripe returns a client of Stripe's API that shares nothing with the SDK's
// globals.
func newStripe(key string, o Options) *client.API {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(o.APIBase), HTTPClient: o.HTTPClient, EnableTelemetry: stripe.Bool(false),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	return client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

// stripeIndexes returns the indexes of the collections of customers and
// subscriptions.
func (s *Service) stripeIndexes() map[string][]mongo.IndexModel { return nil }
