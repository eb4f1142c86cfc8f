package paymenttest

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// APIVersion is the version whose shapes [Stripe] keeps its objects in: the one
// that stripe-go v76 is pinned to.
const APIVersion = "2023-10-16"

const (
	// DefaultKey is the secret key of a Stripe whose Options name none.
	DefaultKey = "sk_test_coglex"
	// DefaultWebhookSecret signs webhooks where Options name no secret.
	DefaultWebhookSecret = "whsec_coglex" //nolint:gosec // of a Stripe that moves no money
	// DefaultSeed is the seed of ids where Options name none.
	DefaultSeed = "Test"
	// DefaultTimeout is how long a webhook may take where Options bring no client.
	DefaultTimeout = 30 * time.Second
)

// Options adjust a [Stripe]. The zero value is fit for tests.
type Options struct {
	// Now tells the time. Stripe keeps whole seconds. Defaults to time.Now.
	Now func() time.Time

	// Key is the secret key that requests must bring. Defaults to DefaultKey.
	Key string

	// WebhookSecret signs what is sent to the URLs of [Stripe.SendTo]. Defaults to
	// DefaultWebhookSecret.
	WebhookSecret string

	// APIVersion is the version of the account: events are written in it for
	// endpoints that were made without a version of their own, and answers to
	// requests without a Stripe-Version header. Those before "2025-03-31" look like
	// "2023-10-16", later ones like "2025-03-31.basil". Defaults to APIVersion.
	APIVersion string

	// Seed is part of every id, as in "cus_Test00000001": letters and digits. Give
	// another one to each process whose ids meet in one database, or the second will
	// seem to repeat the events of the first. Defaults to DefaultSeed.
	Seed string

	// Client sends the webhooks. Defaults to one that gives up after DefaultTimeout.
	Client *http.Client

	// Addr is where [Start] listens. Defaults to "127.0.0.1:0", a free port.
	Addr string
}

// Stripe is a Stripe in the process: an [http.Handler] that answers Stripe's API,
// and methods that do what customers, banks and time do. It is safe for concurrent
// use. Make it with [New].
type Stripe struct {
	key     string
	secret  string
	clock   func() time.Time
	handler http.Handler

	mu       sync.Mutex
	state    state
	answers  map[string]*answer // by idempotency key
	faults   []fault
	latency  time.Duration
	requests []Request

	mail post
}

// New makes a Stripe without customers or prices.
func New(opts *Options) *Stripe {
	o := Options{}
	if opts != nil {
		o = *opts
	}
	o.fill()
	s := &Stripe{
		key: o.Key, secret: o.WebhookSecret, clock: o.Now,
		state: newState(o.Seed, o.APIVersion), answers: map[string]*answer{},
		mail: post{client: o.Client},
	}
	s.handler = s.routes()
	return s
}

func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of an option
	}
	for field, def := range map[*string]string{
		&o.Key: DefaultKey, &o.WebhookSecret: DefaultWebhookSecret, &o.APIVersion: APIVersion, &o.Seed: DefaultSeed,
		&o.Addr: "127.0.0.1:0",
	} {
		if *field == "" {
			*field = def
		}
	}
	if o.Client == nil {
		// Connections of its own, each for one webhook: none stays open after it.
		o.Client = &http.Client{Timeout: DefaultTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	}
}

// Key is the secret key that requests must bring.
func (s *Stripe) Key() string { return s.key }

// WebhookSecret signs what is sent to the URLs of [Stripe.SendTo].
func (s *Stripe) WebhookSecret() string { return s.secret }

// ServeHTTP answers Stripe's API under /v1/, and the pages that its URLs lead to
// under /pay/ and /portal/.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Object returns an object as the API would, in the version of the account, and
// false where there is none with this id.
func (s *Stripe) Object(id string) (json.RawMessage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.state.objects[id]
	if o == nil {
		return nil, false
	}
	text, err := json.Marshal(render(o, s.state.version))
	return text, err == nil
}

// act changes the state as the world outside does, then waits until the events of
// it were sent once, or ctx is done.
func (s *Stripe) act(ctx context.Context, change func(*state) *Failure) error {
	s.mu.Lock()
	s.begin(object{"id": nil, "idempotency_key": nil})
	f := change(&s.state)
	events := s.state.events
	s.mail.enqueue(s.post(events)...)
	s.mu.Unlock()
	if f != nil {
		return f
	}
	return s.Settle(ctx)
}

// begin prepares the state for an operation. The lock is held.
func (s *Stripe) begin(request object) {
	s.state.now = s.clock().Unix()
	s.state.request = request
	s.state.events = nil
}
