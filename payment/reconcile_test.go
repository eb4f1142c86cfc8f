package payment_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
)

// eventsAPI is Stripe's list of events, of which there is one a minute from noon on.
type eventsAPI struct {
	testing.TB

	mu     sync.Mutex
	events []string // the oldest first
	asked  []string // the queries
	down   int      // so many of the next requests fail
	before func(n int)
}

func (api *eventsAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	api.mu.Lock()
	defer api.mu.Unlock()
	api.asked = append(api.asked, r.URL.RawQuery)
	if api.before != nil {
		api.before(len(api.asked))
	}
	if r.URL.Path != "/v1/events" || r.Header.Get("Authorization") != "Bearer "+stripeKey {
		api.Errorf("asked for %s by %q", r.URL, r.Header.Get("Authorization"))
	}
	if api.down > 0 {
		api.down--
		http.Error(w, `{"error": {"type": "invalid_request_error", "message": "of sk_test_123"}}`, http.StatusBadRequest)
		return
	}
	q := r.URL.Query()
	since, until := number(api, q.Get("created[gte]")), number(api, q.Get("created[lt]"))
	var found []string
	passed := q.Get("starting_after") == ""
	for i, body := range slices.Backward(api.events) {
		if created := noon.Unix() + int64(i)*60; passed && created >= since && created < until {
			found = append(found, body)
		}
		passed = passed || strings.Contains(body, `"`+q.Get("starting_after")+`"`)
	}
	limit := int(number(api, q.Get("limit")))
	more := len(found) > limit
	if more {
		found = found[:limit]
	}
	fmt.Fprintf(w, `{"object": "list", "has_more": %t, "data": [%s]}`, more, strings.Join(found, ","))
}

func number(tb testing.TB, text string) int64 {
	tb.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		tb.Errorf("%q is no number", text)
	}
	return n
}

// newEventsAPI returns a Stripe with so many events, and a gateway that asks it.
func newEventsAPI(t *testing.T, events int, change func(*payment.Options)) (*eventsAPI, *inbox) {
	t.Helper()
	api := &eventsAPI{TB: t}
	for i := range events {
		api.events = append(api.events, at(i, fmt.Sprintf("evt_%d", i), "charge.succeeded"))
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	c := newClock()
	c.add(time.Duration(events) * time.Minute)
	in := newInbox(t, dbtest.Database(t), c, func(o *payment.Options) {
		o.APIBase, o.HTTPClient = server.URL, server.Client()
		if change != nil {
			change(o)
		}
	})
	return api, in
}

func TestReconcileStoresWhatWasMissed(t *testing.T) {
	t.Parallel()
	api, in := newEventsAPI(t, 250, nil)
	in.deliver(api.events[100]).received() // an hour of overlap: from the 40th on
	in.deliver(api.events[7]).received()
	report, err := in.pay.Reconcile(t.Context(), time.Time{})
	if err != nil || report.Seen != 210 || report.Stored != 209 || !report.Since.Equal(noon.Add(40*time.Minute)) {
		t.Fatalf("%+v, %v", report, err)
	}
	if n := in.count(); n != 211 {
		t.Errorf("%d events are stored, want 211", n)
	}
	r := in.record("evt_249")
	if r.State != payment.StatePending || r.Type != "charge.succeeded" || !json.Valid(r.Payload) || string(r.Payload) != api.events[249] {
		t.Errorf("the record is %+v", r)
	}
	if report, err = in.pay.Reconcile(t.Context(), time.Time{}); err != nil || report.Stored != 0 {
		t.Errorf("again: %+v, %v", report, err)
	}
	in.subscribe("count", func(payment.StripeWebhookReceived) error { return nil })
	in.start()
	for range 211 {
		if o := in.await(); o.state != payment.StateDone {
			t.Errorf("%v", o)
		}
	}
}

func TestReconcileStoresTheOldestFirst(t *testing.T) {
	t.Parallel()
	var ticks atomic.Int64
	_, in := newEventsAPI(t, 150, func(o *payment.Options) {
		now := o.Now
		o.Now = func() time.Time { return now().Add(time.Duration(ticks.Add(1)) * time.Millisecond) }
	})
	if report, err := in.pay.Reconcile(t.Context(), noon); err != nil || report.Stored != 150 {
		t.Fatalf("%+v, %v", report, err)
	}
	events, err := in.pay.Events(t.Context(), payment.EventFilter{}, payment.Page{Limit: 150})
	if err != nil || !slices.IsSortedFunc(events, func(a, b payment.Record) int { return b.Received.Compare(a.Received) }) {
		t.Errorf("the newest is not the one that was stored last: %v", err)
	}
}

func TestWhatClaimsToBeOfTheFutureHidesNothingMissed(t *testing.T) {
	t.Parallel()
	_, in := newEventsAPI(t, 3, nil)
	in.deliver(at(0, "evt_0", "charge.succeeded")).received()
	in.deliver(at(1_000_000, "evt_future", "charge.succeeded")).received()
	if report, err := in.pay.Reconcile(t.Context(), time.Time{}); err != nil || report.Stored != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A list that leads back to where it was is not read for ever.
func TestAListWithoutAnEndIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]string{"the same page": at(0, "evt_1", "a.b"), "none that is an event": `{"id": ""}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, `{"object": "list", "has_more": true, "data": [%s]}`, last)
			}))
			t.Cleanup(server.Close)
			in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) { o.APIBase, o.HTTPClient = server.URL, server.Client() })
			if report, err := in.pay.Reconcile(t.Context(), noon); err == nil {
				t.Errorf("%+v", report)
			}
		})
	}
}

func TestReconcileThatIsBrokenOffBeginsAnew(t *testing.T) {
	t.Parallel()
	api, in := newEventsAPI(t, 250, nil)
	in.deliver(api.events[0]).received()
	api.before = func(n int) {
		if n == 4 { // three pages, and back
			api.down = 1
		}
	}
	if report, err := in.pay.Reconcile(t.Context(), noon); err == nil {
		t.Fatalf("%+v", report)
	} else if strings.Contains(err.Error(), stripeKey) {
		t.Errorf("the error has Stripe's words: %v", err)
	}
	if n := in.count(); n != 50 {
		t.Errorf("%d events are stored, want the oldest 50", n)
	}
	report, err := in.pay.Reconcile(t.Context(), time.Time{})
	if err != nil || in.count() != 250 {
		t.Errorf("%+v, %v; %d events are stored, want 250", report, err, in.count())
	}
}

func TestReconcileGoesBackAsFarAsStripe(t *testing.T) {
	t.Parallel()
	_, in := newEventsAPI(t, 1, nil)
	report, err := in.pay.Reconcile(t.Context(), noon.AddDate(-1, 0, 0))
	if want := in.clock.Now().Add(-payment.ReconcileReach); err != nil || !report.Since.Equal(want) || report.Stored != 1 {
		t.Errorf("%+v, %v; want from %v on", report, err, want)
	}
}

func TestStartAsksForWhatWasMissed(t *testing.T) {
	t.Parallel()
	api, in := newEventsAPI(t, 3, func(o *payment.Options) { o.NoReconcile = false })
	in.deliver(api.events[0]).received()
	in.start()
	got := []string{in.await().id, in.await().id, in.await().id}
	slices.Sort(got)
	if want := []string{"evt_0", "evt_1", "evt_2"}; !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}

func TestAGatewayThatBeginsAsksForNothing(t *testing.T) {
	t.Parallel()
	api, in := newEventsAPI(t, 3, func(o *payment.Options) { o.NoReconcile = false })
	in.start()
	in.stop(t.Context())
	if report, err := in.pay.Reconcile(t.Context(), time.Time{}); err != nil || !report.Since.IsZero() {
		t.Errorf("%+v, %v", report, err)
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if len(api.asked) > 0 {
		t.Errorf("asked %v", api.asked)
	}
}

func TestStripeThatIsDownKeepsNobodyFromStarting(t *testing.T) {
	t.Parallel()
	api, in := newEventsAPI(t, 3, func(o *payment.Options) { o.NoReconcile = false })
	asked := make(chan struct{}, 10)
	api.before = func(int) { asked <- struct{}{} }
	api.down = 1000
	in.deliver(api.events[0]).received()
	in.start()
	in.want("evt_0", payment.StateDone)
	receive(t, asked)
	in.stop(t.Context()) // does not wait for the next attempt
}
