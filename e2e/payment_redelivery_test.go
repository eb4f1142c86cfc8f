package e2e_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// door is an address that stays while the gateways behind it come and go.
type door struct {
	URL string

	behind atomic.Pointer[gateway]
	left   atomic.Int64 // acknowledgements until the gateway is killed; none is the last one's
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			if to, err := url.Parse(d.behind.Load().URL); err == nil {
				r.SetURL(to)
			}
		},
		ModifyResponse: func(resp *http.Response) error {
			if resp.StatusCode == http.StatusOK && d.left.Add(-1) == 0 {
				_ = d.behind.Load().cmd.Process.Kill()
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	d.URL = server.URL
	return d
}

// TestPaymentIsToldThoughTheGatewayIsKilled has customers pay while the gateway is
// killed again and again. Stripe repeats what was not acknowledged. In the end each
// payment was told; more than once only where the telling itself was cut off.
func TestPaymentIsToldThoughTheGatewayIsKilled(t *testing.T) {
	t.Parallel()
	const rounds, sales = 10, 3
	stripe, err := paymenttest.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stripe.Close() })
	stripe.AddPrice(paymenttest.Price{ID: "price_mug", Product: "Mug", Amount: 1200, Currency: "eur"})
	db, front := startDatabase(t), newDoor(t)
	stripe.SendTo(front.URL + paymentPath + "webhook")
	var sessions []string
	for range rounds {
		g, _ := startPayment(t, db, stripe.URL(), "LEASE=300ms")
		front.behind.Store(g)
		for range sales {
			id, _ := till{g, stripe}.checkout(t, "payment", "price_mug")
			sessions = append(sessions, id)
		}
		front.left.Store(1 + rand.Int64N(3*sales)) // each sale is told by four events
		for _, id := range sessions[len(sessions)-sales:] {
			if err := stripe.CompleteCheckout(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if err := stripe.Redeliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-g.done
	}

	g, _ := startPayment(t, db, stripe.URL(), "LEASE=300ms")
	front.left.Store(0)
	front.behind.Store(g)
	if err := stripe.Redeliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts := func() map[string]int {
		told := map[string]int{}
		for _, line := range g.told(t) {
			told[strings.Fields(line)[1]]++
		}
		return told
	}
	soon(t, "every payment is told", func() bool { return len(counts()) == len(sessions) })
	till{g, stripe}.handled(t)
	again := 0
	for _, id := range sessions {
		again += counts()[id] - 1
	}
	if again > rounds*4 { // so many can be in hand
		t.Errorf("%d told again", again)
	}
	t.Logf("%d payments in %d lives, %d told again, none lost", len(sessions), rounds+1, again)
}
