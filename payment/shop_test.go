package payment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
	"github.com/imadelakhaldev/coglex/signals"
)

// The prices of every shop.
const (
	priceOnce  = "price_once"
	priceBasic = "price_basic"
	pricePro   = "price_pro"
)

// ann is a user of every shop.
var ann = payment.User{ID: "ann", Collection: payment.DefaultUsers}

// shop is a gateway that sells through a Stripe in the process.
type shop struct {
	testing.TB

	clock  *clock
	db     *mongo.Database
	stripe *paymenttest.Server
	pay    *payment.Service
	app    *coglex.App
	echo   *echo.Echo
	log    *buffer

	outcomes chan outcome
	done     map[string]bool

	mu   sync.Mutex
	told []any
}

// buffer collects a log.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newShop returns a shop whose webhooks arrive and are handled.
func newShop(tb testing.TB) *shop {
	tb.Helper()
	c := newClock()
	stripe := newStripe(tb, &paymenttest.Options{Now: c.Now})
	return newShopOn(tb, dbtest.Database(tb), stripe, c).open()
}

func newStripe(tb testing.TB, opts *paymenttest.Options) *paymenttest.Server {
	tb.Helper()
	stripe, err := paymenttest.Start(opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = stripe.Close() })
	stripe.AddPrice(paymenttest.Price{ID: priceOnce, Amount: 1500, Currency: "eur"})
	stripe.AddPrice(paymenttest.Price{ID: priceBasic, Amount: 900, Currency: "eur", Interval: "month"})
	stripe.AddPrice(paymenttest.Price{ID: pricePro, Amount: 2900, Currency: "eur", Interval: "month"})
	return stripe
}

// newShopOn returns a shop that is not started.
func newShopOn(tb testing.TB, db *mongo.Database, stripe *paymenttest.Server, c *clock, adjust ...func(*payment.Options)) *shop {
	tb.Helper()
	transport := &http.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	s := &shop{TB: tb, clock: c, db: db, stripe: stripe, log: &buffer{}, outcomes: make(chan outcome, 10_000), done: map[string]bool{}}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opts := &payment.Options{
		APIBase: stripe.URL(), HTTPClient: &http.Client{Transport: transport}, CallTimeout: 10 * time.Second,
		Now: c.Now, Poll: time.Hour, NoReconcile: true,
	}
	for _, fn := range adjust {
		fn(opts)
	}
	var err error
	if s.pay, err = payment.New(db, stripe.Key(), stripe.WebhookSecret(), opts); err != nil {
		tb.Fatal(err)
	}
	users := authenticator{}
	if s.app, err = coglex.New(apiKey, &coglex.Options{Logger: logger, NoAccessLog: true, Users: users}); err != nil {
		tb.Fatal(err)
	}
	s.echo = echo.New()
	if err := s.app.Mount(s.echo, s.pay); err != nil {
		tb.Fatal(err)
	}
	alone := middleware.Identified(users)
	s.echo.POST("/alone/checkout", s.pay.HandleCheckout, alone)
	s.echo.POST("/alone/subscription", s.pay.HandleSubscription, alone)
	s.echo.POST("/alone/portal", s.pay.HandlePortal, alone)
	s.pay.Observe(func(id string, state payment.State) { s.outcomes <- outcome{id, state} })
	record(s, func(e payment.Paid) any { return e })
	record(s, func(e payment.Failed) any { return e })
	record(s, func(e payment.SubscriptionChanged) any { return e })
	record(s, func(e payment.Refunded) any { return e })
	return s
}

// record keeps what is told.
func record[E any, P signals.FactOf[E]](s *shop, as func(E) any) {
	signals.SubscribeNamed[E, P](s.app.Signals(), "test", func(_ context.Context, e E) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, as(e))
		return nil
	})
}

// open starts the shop and has Stripe's webhooks sent to it.
func (s *shop) open() *shop {
	s.Helper()
	if err := s.pay.Start(s.Context()); err != nil {
		s.Fatal(err)
	}
	server := httptest.NewServer(s.app.Handler(s.echo))
	s.stripe.SendTo(server.URL + "/service/payment/v1/webhook")
	s.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.pay.Stop(ctx); err != nil {
			s.Errorf("Stop: %v", err)
		}
	})
	return s
}

// must fails the test on an error.
func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// handled waits until these events are handled, or all that Stripe has sent.
func (s *shop) handled(ids ...string) {
	s.Helper()
	if len(ids) == 0 {
		s.must(s.stripe.Settle(s.Context()))
		for _, e := range s.stripe.Events() {
			ids = append(ids, e.ID)
		}
	}
	for _, id := range ids {
		for !s.done[id] {
			o := receive(s.TB, s.outcomes)
			s.done[o.id] = o.state == payment.StateDone
			if !s.done[o.id] {
				s.Fatalf("the event %s is %s; log:\n%s", o.id, o.state, s.log)
			}
		}
	}
}

// events returns the ids of the events of a type, in the order they happened.
func (s *shop) events(kind string) []string {
	var ids []string
	for _, e := range s.stripe.Events() {
		if e.Type == kind {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// toldOf returns the events of a type that were told.
func toldOf[E any](s *shop) []E {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []E
	for _, e := range s.told {
		if e, ok := e.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

// one returns the only event of a type that was told.
func one[E any](s *shop) E {
	s.Helper()
	told := toldOf[E](s)
	if len(told) != 1 {
		s.Fatalf("%d events %T were told, want 1: %+v", len(told), *new(E), told)
	}
	return told[0]
}

// post sends a request with the API key; headers are name, value pairs.
func (s *shop) post(path, body string, headers ...string) answer {
	s.Helper()
	return s.request("/service/payment/v1"+path, body, append([]string{"X-API-Key", apiKey}, headers...)...)
}

// request sends a request as it is.
func (s *shop) request(path, body string, headers ...string) answer {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	s.app.Handler(s.echo).ServeHTTP(rec, r)
	return answer{TB: s.TB, status: rec.Code, header: rec.Header(), body: strings.TrimSpace(rec.Body.String())}
}

// decode reads the body of an answer with status 200.
func (a answer) decode(v any) {
	a.Helper()
	if a.status != http.StatusOK {
		a.Fatalf("status %d, want 200; body %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.Fatal(err)
	}
}

// session is what tests need of Stripe's session.
type session struct {
	ID, Object, URL, Customer, Mode string
	PaymentStatus                   string `json:"payment_status"`
	CustomerEmail                   string `json:"customer_email"`
	Reference                       string `json:"client_reference_id"`
	Metadata                        map[string]string
}

// checkout makes a session of ann's by the Go method, and returns its id.
func (s *shop) checkout(mode payment.Mode, price string, metadata map[string]string) string {
	s.Helper()
	r := checkoutOf(mode, price, &ann)
	r.Metadata = metadata
	made, err := s.pay.Checkout(s.Context(), r)
	s.must(err)
	return made.ID
}

// checkoutOf returns a request that is right.
func checkoutOf(mode payment.Mode, price string, user *payment.User) payment.CheckoutRequest {
	r := payment.CheckoutRequest{
		Mode: mode, SuccessURL: "https://shop.example/ok?s={CHECKOUT_SESSION_ID}", CancelURL: "https://shop.example/no",
		Email: "ann@example.com", User: user,
	}
	if price != "" {
		quantity := int64(1)
		r.Linedata = []payment.Line{{Price: price, Quantity: &quantity}}
	}
	return r
}

// subscribed has ann subscribe by a checkout, and returns the subscription's id.
func (s *shop) subscribed(price string) string {
	s.Helper()
	s.must(s.stripe.CompleteCheckout(s.Context(), s.checkout(payment.ModeSubscription, price, nil)))
	s.handled()
	subs, err := s.pay.Subscriptions(s.Context(), ann)
	s.must(err)
	if len(subs) == 0 {
		s.Fatal("there is no subscription")
	}
	return subs[0].ID
}

// asked returns the requests that Stripe received at a path.
func (s *shop) asked(method, path string) []paymenttest.Request {
	var out []paymenttest.Request
	for _, r := range s.stripe.Requests() {
		if r.Method == method && r.Path == path {
			out = append(out, r)
		}
	}
	return out
}

// stored returns a document of the service's, nil where there is none.
func (s *shop) stored(collection, id string) bson.M {
	s.Helper()
	var doc bson.M
	err := s.db.Collection(collection).FindOne(s.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&doc)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		s.Fatal(err)
	}
	return doc
}

// authenticator takes a bearer token for the id of a user.
type authenticator struct{}

type identity string

func (i identity) UserID() string   { return string(i) }
func (identity) Collection() string { return payment.DefaultUsers }
func (identity) SessionID() string  { return "session" }

func (authenticator) Authenticate(_ context.Context, c middleware.Credential) (middleware.Identity, error) {
	if c.Token == "forged" {
		return nil, middleware.Unauthenticated()
	}
	return identity(c.Token), nil
}

func (authenticator) Cookies(...string) []string      { return nil }
func (authenticator) CheckOrigin(*http.Request) error { return nil }

// body returns the JSON of a checkout in mode payment, with more members.
func checkoutBody(more string) string {
	return fmt.Sprintf(`{"mode": "payment", "success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no",`+
		` "email": "customer@example.com", "linedata": [{"price": %q, "quantity": 2}]%s}`, priceOnce, more)
}

// raw asks Stripe for something that the service does not.
func (s *shop) raw(method, path, form string) error {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), method, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+s.stripe.Key())
	rec := httptest.NewRecorder()
	s.stripe.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	return nil
}
