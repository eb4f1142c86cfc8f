package payment

import (
	"context"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/service"
)

// WebhookEndpoint is where Stripe sends events to.
type WebhookEndpoint struct {
	// ID is the endpoint's id at Stripe.
	ID string
	// URL is where it leads.
	URL string
	// APIVersion is the version that its events are written in; empty is that of the
	// account. It cannot be changed: events of other versions are handled all the same,
	// but [Object] refuses them.
	APIVersion string
	// Secret signs its events: what New takes as webhookSecret. Stripe tells it when
	// the endpoint is made, and never again; else it is empty.
	Secret string
}

// EnsureWebhookEndpoint has Stripe send the events that the service handles, and those
// of the further types, to a URL: that of the route "webhook". It makes the endpoint in
// the SDK's version of the API, or adds what the present one with this URL lacks. Events
// that it sends besides are left, and so is its version.
//
// It is for set-up: a command, or a first start that keeps the Secret. Several that make
// the endpoint at once make one.
func (s *Service) EnsureWebhookEndpoint(ctx context.Context, url string, types ...string) (WebhookEndpoint, error) {
	if err := checkURL("url", url); err != nil {
		return WebhookEndpoint{}, err
	}
	for _, name := range types {
		if !typePattern.MatchString(name) {
			return WebhookEndpoint{}, service.Invalid("types", "must be types of events")
		}
	}
	want := append(s.handledTypes(), types...)
	slices.Sort(want)
	want = slices.Compact(want)
	endpoint, err := s.findEndpoint(ctx, url)
	if err != nil {
		return WebhookEndpoint{}, err
	}
	if endpoint == nil {
		endpoint, err = s.makeEndpoint(ctx, url, want)
	} else {
		endpoint, err = s.completeEndpoint(ctx, endpoint, want)
	}
	if err != nil {
		return WebhookEndpoint{}, err
	}
	return WebhookEndpoint{ID: endpoint.ID, URL: endpoint.URL, APIVersion: endpoint.APIVersion, Secret: endpoint.Secret}, nil
}

// findEndpoint returns the endpoint with a URL, nil where there is none.
func (s *Service) findEndpoint(ctx context.Context, url string) (*stripe.WebhookEndpoint, error) {
	return call(ctx, s, "list webhook endpoints", func(ctx context.Context) (*stripe.WebhookEndpoint, error) {
		p := &stripe.WebhookEndpointListParams{}
		p.Context, p.Limit = ctx, stripe.Int64(maxPage)
		list := s.stripe.WebhookEndpoints.List(p)
		for list.Next() {
			if endpoint := list.WebhookEndpoint(); endpoint.URL == url {
				return endpoint, nil
			}
		}
		return nil, list.Err()
	})
}

// makeEndpoint makes the endpoint, under an idempotency key for those who do so at the
// same time. What Stripe repeats under that key a day long may have been deleted since.
func (s *Service) makeEndpoint(ctx context.Context, url string, types []string) (*stripe.WebhookEndpoint, error) {
	key := derivedKey(url, append([]string{"webhook endpoint", stripe.APIVersion}, types...)...)
	made, err := s.newEndpoint(ctx, key, url, types)
	if stuck(err) {
		return s.newEndpoint(ctx, "", url, types)
	}
	if err != nil || !replayed(made.LastResponse) {
		return made, err
	}
	_, err = call(ctx, s, "fetch a webhook endpoint", func(ctx context.Context) (*stripe.WebhookEndpoint, error) {
		return s.stripe.WebhookEndpoints.Get(made.ID, &stripe.WebhookEndpointParams{Params: params(ctx, "")})
	})
	if missing(err, "") {
		return s.newEndpoint(ctx, "", url, types)
	}
	return made, err
}

func (s *Service) newEndpoint(ctx context.Context, key, url string, types []string) (*stripe.WebhookEndpoint, error) {
	return call(ctx, s, "create a webhook endpoint", func(ctx context.Context) (*stripe.WebhookEndpoint, error) {
		return s.stripe.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
			Params: params(ctx, key), URL: &url, EnabledEvents: stripe.StringSlice(types), APIVersion: stripe.String(stripe.APIVersion),
			Description: stripe.String("Coglex"),
		})
	})
}

// completeEndpoint adds the types that an endpoint lacks, and enables it.
func (s *Service) completeEndpoint(ctx context.Context, endpoint *stripe.WebhookEndpoint, types []string) (*stripe.WebhookEndpoint, error) {
	all := slices.Contains(endpoint.EnabledEvents, "*")
	lacks := slices.DeleteFunc(slices.Clone(types), func(name string) bool {
		return all || slices.Contains(endpoint.EnabledEvents, name)
	})
	enabled := strings.EqualFold(endpoint.Status, "enabled")
	if len(lacks) == 0 && enabled {
		return endpoint, nil
	}
	return call(ctx, s, "update a webhook endpoint", func(ctx context.Context) (*stripe.WebhookEndpoint, error) {
		p := &stripe.WebhookEndpointParams{Params: params(ctx, "")}
		if len(lacks) > 0 {
			p.EnabledEvents = stripe.StringSlice(append(slices.Clone(endpoint.EnabledEvents), lacks...))
		}
		if !enabled {
			p.Disabled = stripe.Bool(false)
		}
		return s.stripe.WebhookEndpoints.Update(endpoint.ID, p)
	})
}
