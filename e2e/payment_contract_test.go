package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// stripeMock loads Stripe's own mock, which knows each route and parameter of the API
// (of 2026-08-26, later than the SDK's version) and refuses all others. It prints what
// it is asked.
var stripeMock = sync.OnceValues(func() (http.Handler, error) {
	spec, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		return nil, err
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, err
	}
	stub, err := server.NewStubServer(fixtures, spec, false, false)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", stub.HandleRequest)
	return &server.DoubleSlashFixHandler{Mux: mux}, nil
})

// contract is the payment service with Stripe's mock behind it.
type contract struct {
	*testing.T

	pay *payment.Service

	mu    sync.Mutex
	asked []string                  // "POST /v1/customers 200"
	patch map[string]map[string]any // what the mock's answers have instead, by "GET /v1/customers"
}

func newContract(t *testing.T) *contract {
	t.Helper()
	mock, err := stripeMock()
	if err != nil {
		t.Fatal(err)
	}
	c := &contract{T: t, patch: map[string]map[string]any{}}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		mock.ServeHTTP(rec, r)
		c.answer(w, r.Method+" "+r.URL.Path, rec)
	}))
	t.Cleanup(api.Close)
	c.pay, err = payment.New(dbtest.Database(t), "sk_test_123", contractSecret, &payment.Options{
		APIBase: api.URL, HTTPClient: api.Client(), NoReconcile: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const contractSecret = "whsec_contract"

// answer answers with what the mock did, patched.
func (c *contract) answer(w http.ResponseWriter, asked string, rec *httptest.ResponseRecorder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, fmt.Sprintf("%s %d", asked, rec.Code))
	maps.Copy(w.Header(), rec.Header())
	text := rec.Body.Bytes()
	if patch := c.patch[asked]; patch != nil {
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			c.Error(err)
		}
		maps.Copy(object, patch)
		text, _ = json.Marshal(object)
		w.Header().Set("Idempotent-Replayed", "true") // which matters to one call only
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(rec.Code)
	_, _ = w.Write(text)
}

// when has the mock's answer to a request differ from now on.
func (c *contract) when(asked string, patch map[string]any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.patch[asked] = patch
}

// made runs a call and fails the test unless Stripe was asked for just this, and
// understood it. An id that the mock has made up is written *.
func (c *contract) made(name string, fn func(context.Context) error, want ...string) {
	c.Helper()
	c.mu.Lock()
	c.asked = nil
	c.mu.Unlock()
	if err := fn(c.Context()); err != nil {
		c.Errorf("%s: %v", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) != len(want) {
		c.Errorf("%s asked for %v, want %v", name, c.asked, want)
		return
	}
	for i, asked := range c.asked {
		if asked != want[i]+" 200" && !like(asked, want[i]+" 200") {
			c.Errorf("%s asked for %v, want %v", name, c.asked, want)
		}
	}
}

// like compares a request with one that has a * in it.
func like(got, want string) bool {
	before, after, ok := strings.Cut(want, "*")
	return ok && strings.HasPrefix(got, before) && strings.HasSuffix(got, after) && len(got) > len(want)-1
}

// fails makes a call of which only the error counts.
func fails[T any](_ T, err error) error { return err }

func TestPaymentAsksStripeAsItsOwnMockHasIt(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	user := payment.User{ID: "ann"}
	two, amount := int64(2), int64(900)
	price := []payment.Line{{Price: "price_1", Quantity: &two}}
	madeUp := []payment.Line{{Quantity: &two, PriceData: &payment.PriceData{
		Currency: "eur", UnitAmount: &amount, TaxBehavior: "inclusive", Recurring: &payment.Recurring{Interval: "month", IntervalCount: 3},
		ProductData: &payment.ProductData{
			Name: "Seat", Description: "One", Images: []string{"https://shop.example/1.png"}, Metadata: map[string]string{"a": "b"}, TaxCode: "txcd_10000000",
		},
	}}}
	items := []payment.Item{{Price: "price_1"}, {Price: "price_2", Quantity: &two}}
	const sessions = "POST /v1/checkout/sessions"

	c.made("Customer", func(ctx context.Context) error { return fails(c.pay.Customer(ctx, user, "ann@example.com")) },
		"POST /v1/customers", "POST /v1/customers/*")
	for mode, lines := range map[payment.Mode][]payment.Line{payment.ModePayment: price, payment.ModeSubscription: madeUp, payment.ModeSetup: nil} {
		r := payment.CheckoutRequest{
			Mode: mode, SuccessURL: "https://shop.example/ok?s={CHECKOUT_SESSION_ID}", CancelURL: "https://shop.example/no", Email: "ann@example.com",
			Linedata: lines, Metadata: map[string]string{"order": "7"}, IdempotencyKey: "k",
		}
		c.made("Checkout of a guest, "+string(mode), func(ctx context.Context) error { return fails(c.pay.Checkout(ctx, r)) }, sessions)
		r.User = &user
		c.made("Checkout of a user, "+string(mode), func(ctx context.Context) error { return fails(c.pay.Checkout(ctx, r)) }, sessions)
	}
	subscribe := payment.SubscribeRequest{Email: "ann@example.com", Items: items, Metadata: map[string]string{"order": "7"}}
	c.made("Subscribe as a guest", func(ctx context.Context) error { return fails(c.pay.Subscribe(ctx, subscribe)) }, "POST /v1/customers", "POST /v1/subscriptions")
	subscribe.User = &user
	c.made("Subscribe", func(ctx context.Context) error { return fails(c.pay.Subscribe(ctx, subscribe)) }, "POST /v1/subscriptions")
	c.made("Portal", func(ctx context.Context) error {
		return fails(c.pay.Portal(ctx, payment.PortalRequest{User: &user, ReturnURL: "https://shop.example/"}))
	}, "POST /v1/billing_portal/sessions")
	c.made("Cancel", func(ctx context.Context) error { return fails(c.pay.Cancel(ctx, "sub_1")) }, "POST /v1/subscriptions/sub_1")
	c.made("CancelNow", func(ctx context.Context) error { return fails(c.pay.CancelNow(ctx, "sub_1")) }, "DELETE /v1/subscriptions/sub_1")
	resume := func(ctx context.Context) error { return fails(c.pay.Resume(ctx, "sub_1")) }
	c.when("GET /v1/subscriptions/sub_1", map[string]any{"status": "active", "cancel_at": 1})
	c.when("POST /v1/subscriptions/sub_1", map[string]any{"cancel_at": nil})
	c.made("Resume what is to end", resume, "GET /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1")
	c.when("POST /v1/subscriptions/sub_1", map[string]any{"cancel_at": 1})
	c.made("Resume what ends at a date", resume, "GET /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1")
	c.when("GET /v1/subscriptions/sub_1", map[string]any{"status": "paused", "cancel_at": nil})
	c.when("POST /v1/subscriptions/sub_1/resume", map[string]any{"id": "sub_1"}) // the mock makes one up
	c.made("Resume what is paused", resume, "GET /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1/resume")
	c.made("Swap", func(ctx context.Context) error {
		return fails(c.pay.Swap(ctx, "sub_1", payment.SwapRequest{Items: items, Proration: payment.ProrateNow, IdempotencyKey: "k"}))
	}, "GET /v1/subscriptions/sub_1", "POST /v1/subscriptions/sub_1")
	for id, field := range map[string]string{"pi_1": "", "ch_1": "", "py_1": "", "cs_1": "payment_intent", "in_1": "payment_intent", "in_2": "charge"} {
		var first []string
		if field != "" {
			first = []string{"GET /v1/" + map[string]string{"cs": "checkout/sessions", "in": "invoices"}[id[:2]] + "/" + id}
			c.when(first[0], map[string]any{field: "x_1"})
		}
		refund := payment.RefundRequest{Payment: id, Amount: 100, Reason: "duplicate", Metadata: map[string]string{"a": "b"}}
		c.made("Refund of "+id, func(ctx context.Context) error { return fails(c.pay.Refund(ctx, refund)) }, append(first, "POST /v1/refunds")...)
	}
	c.made("Invoices", func(ctx context.Context) error { return fails(c.pay.Invoices(ctx, user)) }, "GET /v1/invoices")
	c.made("Sync", func(ctx context.Context) error { return c.pay.Sync(ctx, user) }, "GET /v1/subscriptions", "GET /v1/subscriptions/*", "GET /v1/subscriptions/*") // the one that is listed, and one of our records
	ensure := func(ctx context.Context) error {
		return fails(c.pay.EnsureWebhookEndpoint(ctx, "https://shop.example/webhook", "charge.dispute.created"))
	}
	c.made("EnsureWebhookEndpoint of a new one", ensure, "GET /v1/webhook_endpoints", "POST /v1/webhook_endpoints")
	c.when("POST /v1/webhook_endpoints", map[string]any{"id": "we_1"})
	c.made("EnsureWebhookEndpoint again", ensure, "GET /v1/webhook_endpoints", "POST /v1/webhook_endpoints", "GET /v1/webhook_endpoints/we_1")
	c.when("GET /v1/webhook_endpoints", map[string]any{"data": []any{map[string]any{
		"id": "we_1", "object": "webhook_endpoint", "url": "https://shop.example/webhook", "status": "disabled", "enabled_events": []any{"payout.paid"},
	}}})
	c.made("EnsureWebhookEndpoint of an old one", ensure, "GET /v1/webhook_endpoints", "POST /v1/webhook_endpoints/we_1")
}

// What is derived from each type of event asks for what the event is about.
func TestPaymentFetchesWhatEventsAreAbout(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	e := echo.New()
	e.POST("/webhook", c.pay.HandleWebhook)
	if err := c.pay.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.pay.Stop(context.Background()) })
	for i, tt := range []struct {
		kind, id string
		want     []string
	}{
		{"checkout.session.completed", "cs_1", []string{"GET /v1/checkout/sessions/cs_1"}},
		{"checkout.session.expired", "cs_1", []string{"GET /v1/checkout/sessions/cs_1"}},
		{"invoice.paid", "in_1", []string{"GET /v1/invoices/in_1"}},
		{"invoice.payment_failed", "in_1", []string{"GET /v1/invoices/in_1"}},
		{"customer.subscription.updated", "sub_1", []string{"GET /v1/subscriptions/sub_1"}},
		{"charge.refunded", "ch_1", []string{"GET /v1/charges/ch_1", "GET /v1/refunds"}},
		{"refund.created", "re_1", []string{"GET /v1/refunds/re_1", "GET /v1/charges/*"}},
	} {
		id := fmt.Sprintf("evt_%d", i)
		c.made(tt.kind, func(ctx context.Context) error {
			body := fmt.Sprintf(`{"id": %q, "object": "event", "type": %q, "created": 1, "data": {"object": {"id": %q}}}`, id, tt.kind, tt.id)
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/webhook", strings.NewReader(body))
			r.Header.Set("Stripe-Signature", paymenttest.Sign([]byte(body), time.Now(), contractSecret))
			rec := httptest.NewRecorder()
			e.ServeHTTP(rec, r)
			if rec.Code != http.StatusOK {
				return fmt.Errorf("status %d: %s", rec.Code, rec.Body)
			}
			var state payment.State
			soon(t, tt.kind+" is handled", func() bool {
				record, err := c.pay.Event(ctx, id)
				state = record.State
				return err == nil && slices.Contains([]payment.State{payment.StateDone, payment.StateDead}, state)
			})
			if state != payment.StateDone {
				return fmt.Errorf("the event is %s", state)
			}
			return nil
		}, tt.want...)
	}
}
