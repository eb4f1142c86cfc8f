package payment_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// private is what Stripe's messages may hold and nobody but the operator may see.
const private = "No such thing: ann@example.com, sk_test_coglex"

func TestWhatStripeRefusesIsMapped(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		failure paymenttest.Failure
		times   int
		status  int
		code    string
		body    []string
	}{
		"a bad request": {
			failure: paymenttest.Failure{Status: 400, Code: "parameter_invalid_empty", Param: "line_items[0][price]", Message: private},
			status:  400, code: "parameter_invalid_empty", body: []string{`"param":"line_items[0][price]"`},
		},
		"a bad request without a code": {
			failure: paymenttest.Failure{Status: 400, Message: private}, status: 400, code: "stripe_refused",
		},
		"a missing object": {
			failure: paymenttest.Failure{Status: 404, Code: "resource_missing", Param: "line_items[0][price]", Message: private},
			status:  400, code: "resource_missing", body: []string{`"param":"line_items[0][price]"`},
		},
		"a declined card": {
			failure: paymenttest.Declined("insufficient_funds"), status: 400, code: "card_declined", body: []string{`"decline_code":"insufficient_funds"`},
		},
		"words that are none": {
			failure: paymenttest.Failure{Status: 400, Code: "see <b>here</b>", Param: "a\"b\nc", Message: private}, status: 400, code: "stripe_refused",
		},
		"too many requests": {failure: paymenttest.RateLimited(), status: 429, code: "stripe_rate_limited"},
		"a refused key":     {failure: paymenttest.KeyRefused(), status: 502, code: "stripe_key_refused"},
		"a key that may not": {
			failure: paymenttest.Failure{Status: 403, Message: private}, status: 502, code: "stripe_key_refused",
		},
		"a crash":   {failure: paymenttest.Failure{Status: 500, Message: private}, status: 502, code: "stripe_unavailable"},
		"an outage": {failure: paymenttest.Unavailable(), times: 3, status: 502, code: "stripe_unavailable"},
		"a lost connection": {
			failure: paymenttest.Failure{Lost: true}, times: 1, status: 200, // the SDK repeats it, and it counts once
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.stripe.FailNext(max(tt.times, 1), tt.failure)
			a := s.post("/checkout", checkoutBody(""))
			if tt.status == http.StatusOK {
				a.decode(&session{})
				return
			}
			a.refused(tt.status, tt.code)
			for _, want := range tt.body {
				if !strings.Contains(a.body, want) {
					t.Errorf("the body %s lacks %s", a.body, want)
				}
			}
			if (tt.status == http.StatusTooManyRequests) != (a.header.Get("Retry-After") != "") {
				t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
			}
			for where, text := range map[string]string{"the answer": a.body, "the log": s.log.String()} {
				for _, secret := range []string{"ann@example.com", "No such thing", "sk_test", "customer@example.com", "<b>", "Invalid API Key"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s has %q: %s", where, secret, text)
					}
				}
			}
			if !strings.Contains(s.log.String(), "asking Stripe to create a checkout session") {
				t.Errorf("the log does not say what failed: %s", s.log)
			}
		})
	}
}

// foreign answers for a Stripe that is none, or that is ill.
func foreign(t *testing.T, h http.HandlerFunc) *payment.Service {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	pay, err := payment.New(dbtest.Database(t), "sk_test_secret", "whsec_x", &payment.Options{
		APIBase: server.URL, HTTPClient: &http.Client{Transport: transport}, CallTimeout: 3 * time.Second, NoReconcile: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return pay
}

func TestAnAnswerThatIsNotStripesIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"a page that repeats the request": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>" + r.Header.Get("Authorization")))
		},
		"an error that repeats the request": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"message": "` + r.Header.Get("Authorization") + `"}`))
		},
		"a code that repeats the request": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error": {"type": "` + r.Header.Get("Authorization") + `", "code": "` + r.Header.Get("Authorization") + `"}}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pay := foreign(t, h)
			_, err := pay.Checkout(t.Context(), checkoutOf(payment.ModePayment, priceOnce, nil))
			if _, ok := errors.AsType[*payment.StripeError](err); !ok || strings.Contains(err.Error(), "sk_test") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestACallEndsWithItsTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	pay := foreign(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := pay.Checkout(ctx, checkoutOf(payment.ModePayment, priceOnce, nil))
	e, ok := errors.AsType[*payment.StripeError](err)
	if !ok || e.Status != 0 || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("the error is %v", err)
	}
}

func TestTheVendorsErrorIsReachable(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, err := s.pay.Checkout(t.Context(), checkoutOf(payment.ModePayment, "price_nowhere", nil))
	e, ok := errors.AsType[*payment.StripeError](err)
	if !ok || e.Code != "resource_missing" || e.Param != "line_items[0][price]" || e.Status/100 != 4 || e.RequestID == "" {
		t.Errorf("the error is %+v", e)
	}
	if vendors, ok := errors.AsType[*stripe.Error](err); !ok || !strings.Contains(vendors.Msg, "price_nowhere") || strings.Contains(err.Error(), "price_nowhere") {
		t.Errorf("the vendor's error is %v, ours %v", vendors, err)
	}
}
