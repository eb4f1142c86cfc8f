package payment_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
)

// deafStripe returns a Stripe that takes questions and answers them once release is
// closed, with a refusal. Each question is told on asked.
func deafStripe(t *testing.T) (url string, asked chan string, release chan struct{}) {
	t.Helper()
	asked, release = make(chan string, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		select {
		case <-release:
			http.Error(w, `{"error": {"type": "invalid_request_error", "code": "resource_missing"}}`, http.StatusNotFound)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked, release
}

func TestAStripeThatDoesNotAnswerHoldsOneWorkerAtMost(t *testing.T) {
	t.Parallel()
	url, asked, release := deafStripe(t)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	in := newInbox(t, dbtest.Database(t), newClock(), func(o *payment.Options) {
		o.APIBase, o.HTTPClient, o.Workers = url, &http.Client{Transport: transport}, 2
		o.CallTimeout = time.Second
	})
	told := make(chan string, 100)
	in.subscribe("see", func(e payment.StripeWebhookReceived) error { told <- e.ID; return nil })
	in.start()
	paid := func(id string) string { return strings.Replace(event(id, "invoice.paid"), "ch_1", "in_1", 1) }
	in.deliver(paid("evt_1")).received()
	in.want("evt_1", payment.StatePending) // after CallTimeout
	receive(t, asked)
	in.deliver(paid("evt_2")).received() // asks whether it is over
	receive(t, asked)
	in.deliver(paid("evt_3")).received()
	in.deliver(event("evt_4", "charge.succeeded")).received()
	in.want("evt_3", payment.StatePending) // at once, by the other worker
	in.want("evt_4", payment.StateDone)
	if got := in.record("evt_3").Faults; !slices.Equal(got, []payment.Fault{{Class: "stripe"}}) {
		t.Errorf("faults %v", got)
	}
	in.want("evt_2", payment.StatePending)
	close(release)
	in.clock.add(time.Minute)
	in.pay.LookNow()
	for done := map[string]bool{}; len(done) < 3; {
		if o := in.await(); o.state == payment.StateDone {
			done[o.id] = true
		} else { // it came while another asked
			in.clock.add(time.Minute)
			in.pay.LookNow()
		}
	}
}
