package paymenttest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// bench is a Stripe that listens, with some prices, and the SDK that talks to it.
type bench struct {
	*paymenttest.Server
	sdk   *client.API
	clock *clock
}

func setup(t *testing.T, opts *paymenttest.Options) bench {
	t.Helper()
	o := paymenttest.Options{}
	if opts != nil {
		o = *opts
	}
	c := &clock{t: time.Now().Truncate(time.Second)}
	if o.Now == nil {
		o.Now = c.Now
	}
	server, err := paymenttest.Start(&o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	server.AddPrice(paymenttest.Price{ID: "price_mug", Product: "Mug", Amount: 1200, Currency: "eur"})
	server.AddPrice(paymenttest.Price{ID: "price_basic", Product: "Basic", Amount: 900, Currency: "eur", Interval: "month"})
	server.AddPrice(paymenttest.Price{ID: "price_pro", Product: "Pro", Amount: 2900, Currency: "eur", Interval: "month"})
	server.AddPrice(paymenttest.Price{ID: "price_year", Product: "Pro", Amount: 29000, Currency: "eur", Interval: "year"})
	server.AddPrice(paymenttest.Price{ID: "price_dollars", Product: "Mug", Amount: 1300, Currency: "usd"})
	return bench{Server: server, sdk: sdk(t, server.URL(), server.Key(), 0), clock: c}
}

// sdk is an unmodified client.
func sdk(t *testing.T, url, key string, retries int64) *client.API {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(url), HTTPClient: &http.Client{Transport: transport, Timeout: 10 * time.Second},
		EnableTelemetry: stripe.Bool(false), MaxNetworkRetries: stripe.Int64(retries), LeveledLogger: &stripe.LeveledLogger{},
	})
	return client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

// hook is a gateway's webhook: it verifies with the SDK and keeps what came.
type hook struct {
	URL string

	mu     sync.Mutex
	events []stripe.Event
	bodies [][]byte
	errs   []error
	answer func(n int) int // status of the nth request, from 1
	n      int
}

func receive(t *testing.T, secret func() string, answer func(n int) int) *hook {
	t.Helper()
	h := &hook{answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		event, err := webhook.ConstructEventWithOptions(body, r.Header.Get("Stripe-Signature"), secret(),
			webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
		h.mu.Lock()
		h.n++
		n := h.n
		h.events, h.bodies = append(h.events, event), append(h.bodies, body)
		if err != nil {
			h.errs = append(h.errs, err)
		}
		h.mu.Unlock()
		if h.answer != nil {
			w.WriteHeader(h.answer(n))
		}
	}))
	t.Cleanup(server.Close)
	h.URL = server.URL
	return h
}

// types returns the types of what came, in order.
func (h *hook) types() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	types := []string{}
	for _, e := range h.events {
		types = append(types, string(e.Type))
	}
	return types
}

// failure returns Stripe's error.
func failure(t *testing.T, err error) *stripe.Error {
	t.Helper()
	var e *stripe.Error
	if !errors.As(err, &e) {
		t.Fatalf("want an error of Stripe's, got %v", err)
	}
	return e
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
