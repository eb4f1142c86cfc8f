package payment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// networkRetries is how often the SDK repeats a call that Stripe did not answer, or
// asked to have repeated. A repeated call has the same idempotency key.
const networkRetries = 2

// newStripe returns a client of Stripe's API that shares nothing with the SDK's
// globals, and that logs nothing: what Stripe answers has no place in a log.
func newStripe(key string, o Options) *client.API {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: &o.APIBase, HTTPClient: o.HTTPClient, EnableTelemetry: stripe.Bool(false),
		MaxNetworkRetries: stripe.Int64(networkRetries),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	return client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

// stripeIndexes returns the indexes of the collections of customers and
// subscriptions.
func (s *Service) stripeIndexes() map[string][]mongo.IndexModel {
	return map[string][]mongo.IndexModel{
		CustomersCollection: {
			// A record is there before its customer is.
			{Keys: bson.D{{Key: "customer", Value: 1}}, Options: options.Index().SetUnique(true).SetSparse(true)},
			{Keys: bson.D{{Key: "former", Value: 1}}, Options: options.Index().SetSparse(true)},
		},
		SubscriptionsCollection: {{Keys: bson.D{{Key: "user", Value: 1}}}},
	}
}

// call runs one call of Stripe, its repetitions included, within its time. op says
// what it does, for the log. An error is a *[StripeError].
func call[T any](ctx context.Context, s *Service, op string, fn func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.CallTimeout)
	defer cancel()
	v, err := fn(ctx)
	if err != nil {
		var none T // the SDK returns half an object
		return none, stripeError(op, err)
	}
	return v, nil
}

// params returns what every call has. Without an idempotency key the SDK makes one
// up, so that its repetitions count once.
func params(ctx context.Context, idempotencyKey string) stripe.Params {
	p := stripe.Params{Context: ctx}
	if idempotencyKey != "" {
		p.IdempotencyKey = &idempotencyKey
	}
	return p
}

// in returns the parameters of a call in a connected account; "" is one's own.
func in(account string, p stripe.Params) stripe.Params {
	if account != "" {
		p.StripeAccount = &account
	}
	return p
}

// derivedKey returns the idempotency key of one call, out of the one that a client
// has chosen and of all that must not share it: two users or two routes that choose
// the same get different ones. It is empty where the client chose none.
func derivedKey(chosen string, apart ...string) string {
	if chosen == "" {
		return ""
	}
	h := sha256.New()
	for _, part := range append([]string{chosen}, apart...) {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return "coglex-" + hex.EncodeToString(h.Sum(nil))
}

// optional returns a parameter, nil where it is not given.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// idOf returns the id of an object that another refers to, empty where it refers to
// none.
func idOf[T any](object *T) string {
	if object == nil {
		return ""
	}
	switch o := any(object).(type) {
	case *stripe.Customer:
		return o.ID
	case *stripe.PaymentIntent:
		return o.ID
	case *stripe.Charge:
		return o.ID
	case *stripe.Invoice:
		return o.ID
	case *stripe.Subscription:
		return o.ID
	}
	return ""
}
