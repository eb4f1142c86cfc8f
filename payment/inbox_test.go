package payment_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/signals"
)

const (
	// apiKey opens the gateway of every test.
	apiKey = "an API key that is long enough to be one"
	// stripeKey is the gateway's at Stripe, which is not asked in these tests.
	stripeKey = "sk_test_123"
	// secret signs webhooks.
	secret = "whsec_of_the_tests"
	// nowhere is where Stripe would be: nobody listens there.
	nowhere = "http://127.0.0.1:9"
	// patience is how long a test waits for what should have happened long ago.
	patience = 30 * time.Second
)

// noon is what time it is in tests, to begin with.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: noon} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// outcome is how a try of an event has ended.
type outcome struct {
	id    string
	state payment.State
}

// inbox is a gateway with the payment service, whose worker runs once it is
// started.
type inbox struct {
	testing.TB

	clock    *clock
	pay      *payment.Service
	app      *coglex.App
	echo     *echo.Echo
	outcomes chan outcome
}

// newInbox returns a gateway on a database. Its worker looks for events when it is
// told to, and not by itself.
func newInbox(tb testing.TB, db *mongo.Database, c *clock, change func(*payment.Options)) *inbox {
	tb.Helper()
	return newInboxOf(tb, db, stripeKey, c, change)
}

// newInboxOf is newInbox with another key of Stripe's.
func newInboxOf(tb testing.TB, db *mongo.Database, key string, c *clock, change func(*payment.Options)) *inbox {
	tb.Helper()
	opts := &payment.Options{Now: c.Now, Poll: time.Hour, NoReconcile: true, APIBase: nowhere}
	if change != nil {
		change(opts)
	}
	pay, err := payment.New(db, key, secret, opts)
	if err != nil {
		tb.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(tb.Output(), nil))
	app, err := coglex.New(apiKey, &coglex.Options{Logger: logger, NoAccessLog: true})
	if err != nil {
		tb.Fatal(err)
	}
	in := &inbox{TB: tb, clock: c, pay: pay, app: app, echo: echo.New(), outcomes: make(chan outcome, 10_000)}
	pay.Observe(func(id string, state payment.State) { in.outcomes <- outcome{id, state} })
	if err := app.Mount(in.echo, pay); err != nil {
		tb.Fatal(err)
	}
	return in
}

// start starts the worker, which the end of the test stops.
func (in *inbox) start() *inbox {
	in.Helper()
	if err := in.pay.Start(in.Context()); err != nil {
		in.Fatal(err)
	}
	in.Cleanup(func() { in.stop(context.WithoutCancel(in.Context())) })
	return in
}

func (in *inbox) stop(ctx context.Context) {
	in.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := in.pay.Stop(ctx); err != nil {
		in.Errorf("Stop: %v", err)
	}
}

// subscribe gives the events to fn under a name, "" for none.
func (in *inbox) subscribe(name string, fn func(payment.StripeWebhookReceived) error) {
	signals.SubscribeNamed(in.app.Signals(), name, func(_ context.Context, e payment.StripeWebhookReceived) error { return fn(e) })
}

// await returns the next outcome.
func (in *inbox) await() outcome {
	in.Helper()
	return receive(in.TB, in.outcomes)
}

// want fails the test unless the next outcome is this one.
func (in *inbox) want(id string, state payment.State) {
	in.Helper()
	if got := in.await(); got != (outcome{id, state}) {
		in.Fatalf("outcome %v, want %v", got, outcome{id, state})
	}
}

// receive returns what comes next on a channel.
func receive[T any](tb testing.TB, c <-chan T) (v T) {
	tb.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		tb.Fatal("nothing has come")
	}
	return v
}

// event returns an event as Stripe sends it.
func event(id, kind string) string {
	return fmt.Sprintf(`{"id": %q, "object": "event", "api_version": "2023-10-16", "created": %d, "livemode": false,`+
		` "type": %q, "data": {"object": {"id": "ch_1", "object": "charge", "amount": 700}}}`, id, noon.Unix(), kind)
}

// sign returns the header with which Stripe would send a body.
func sign(body string, at time.Time, secrets ...string) string {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	header := "t=" + timestamp
	for _, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write([]byte(timestamp + "." + body))
		header += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return header
}

// answer is what a request was answered.
type answer struct {
	testing.TB

	status int
	header http.Header
	body   string
}

// deliver sends an event as Stripe would.
func (in *inbox) deliver(body string) answer {
	in.Helper()
	return in.post(body, sign(body, in.clock.Now(), secret))
}

// post sends a webhook with these headers.
func (in *inbox) post(body string, signatures ...string) answer {
	in.Helper()
	r := httptest.NewRequestWithContext(in.Context(), http.MethodPost, "/service/payment/v1/webhook", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	for _, s := range signatures {
		r.Header.Add("Stripe-Signature", s)
	}
	return in.serve(r)
}

// do sends a request with the API key.
func (in *inbox) do(method, path, body string) answer {
	in.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(in.Context(), method, "/service/payment/v1"+path, reader)
	r.Header.Set("X-API-Key", apiKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return in.serve(r)
}

func (in *inbox) serve(r *http.Request) answer {
	rec := httptest.NewRecorder()
	in.app.Handler(in.echo).ServeHTTP(rec, r)
	return answer{TB: in.TB, status: rec.Code, header: rec.Header(), body: strings.TrimSpace(rec.Body.String())}
}

// received fails the test unless a webhook was taken.
func (a answer) received() {
	a.Helper()
	if a.status != http.StatusOK || a.body != `{"received":true}` {
		a.Fatalf("status %d, body %s, want 200 and that it was received", a.status, a.body)
	}
}

// refused fails the test unless the answer is a problem with this status and code.
func (a answer) refused(status int, code string) {
	a.Helper()
	var p struct{ Code string }
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != status || p.Code != code {
		a.Errorf("status %d, body %s, want %d %s", a.status, a.body, status, code)
	}
}

// record returns what the inbox has of an event.
func (in *inbox) record(id string) payment.Record {
	in.Helper()
	r, err := in.pay.Event(in.Context(), id)
	if err != nil {
		in.Fatalf("the event %s: %v", id, err)
	}
	return r
}

// lease gives an event to an instance that is none of ours.
func (in *inbox) lease(id string, attempts int, due time.Time) {
	in.Helper()
	if err := in.pay.Lease(in.Context(), id, attempts, due); err != nil {
		in.Fatal(err)
	}
}

// count returns how many events there are.
func (in *inbox) count() int64 {
	in.Helper()
	n, err := in.pay.CountEvents(in.Context(), payment.EventFilter{})
	if err != nil {
		in.Fatal(err)
	}
	return n
}

func TestAWebhookIsStoredAnsweredAndHandled(t *testing.T) {
	t.Parallel()
	in := newInbox(t, dbtest.Database(t), newClock(), nil)
	events := make(chan payment.StripeWebhookReceived, 1)
	in.subscribe("mark-paid", func(e payment.StripeWebhookReceived) error {
		events <- e
		return nil
	})
	in.start()
	in.deliver(event("evt_1", "charge.succeeded")).received()
	e := receive(t, events)
	if e.ID != "evt_1" || e.Type != "charge.succeeded" || e.APIVersion != "2023-10-16" || e.Livemode || !e.Created.Equal(noon) || e.Attempt != 1 {
		t.Errorf("the event is %+v", e)
	}
	if got, want := string(e.Object), `{"id": "ch_1", "object": "charge", "amount": 700}`; got != want {
		t.Errorf("the object is %s, want %s", got, want)
	}
	in.want("evt_1", payment.StateDone)
	r := in.record("evt_1")
	if r.State != payment.StateDone || r.Attempts != 1 || len(r.Done) != 1 || r.Done[0] != "mark-paid" || r.Due != nil || r.Finished == nil {
		t.Errorf("the record is %+v", r)
	}
	if got, want := string(r.Payload), event("evt_1", "charge.succeeded"); got != want {
		t.Errorf("the payload is %s, want %s", got, want)
	}
}
