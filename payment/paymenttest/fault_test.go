package paymenttest_test

import (
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		failure paymenttest.Failure
		status  int
		typ     stripe.ErrorType
		code    stripe.ErrorCode
	}{
		{"down", paymenttest.Unavailable(), 503, "api_error", ""},
		{"too many", paymenttest.RateLimited(), 429, "invalid_request_error", "rate_limit"},
		{"declined", paymenttest.Declined(""), 402, "card_error", "card_declined"},
		{"key revoked", paymenttest.KeyRefused(), 401, "invalid_request_error", "api_key_expired"},
		{"of one's own", paymenttest.Failure{Status: 400, Code: "amount_too_small", Param: "amount"}, 400, "invalid_request_error", "amount_too_small"},
		{"broken", paymenttest.Failure{}, 500, "api_error", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			b.FailNext(2, row.failure)
			for range 2 {
				_, err := b.sdk.Customers.New(nil)
				if e := failure(t, err); e.HTTPStatusCode != row.status || e.Type != row.typ || e.Code != row.code || e.RequestID == "" {
					t.Fatalf("%+v", e)
				}
			}
			must(b.sdk.Customers.New(nil))(t)
			if n := len(b.Events()); n != 1 {
				t.Fatalf("%d made", n)
			}
		})
	}
}

func TestFailureOfOnePath(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	down := paymenttest.Unavailable()
	down.Path = "/v1/subscriptions"
	b.FailNext(1, down)
	customer := b.customer(t, "pm_card_visa")
	_, err := b.sdk.Subscriptions.New(order(customer, "price_basic"))
	if e := failure(t, err); e.HTTPStatusCode != 503 {
		t.Fatalf("%+v", e)
	}
}

func TestTheSDKGetsThroughWhileStripeIsDownForAMoment(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.FailNext(1, paymenttest.Unavailable())
	must(sdk(t, b.URL(), b.Key(), 2).Customers.New(nil))(t)
	if r := b.Requests(); len(r) != 2 || r[0].Status != 503 || r[1].Status != 200 || r[0].IdempotencyKey != r[1].IdempotencyKey {
		t.Fatalf("%+v", r)
	}
}

func TestKeyIsChecked(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, key := range []string{"sk_test_wrong_0123456789", "", "x"} {
		_, err := sdk(t, b.URL(), key, 0).Customers.New(nil)
		if e := failure(t, err); e.HTTPStatusCode != 401 || (key != "" && len(key) > 12 && e.Msg == "" || e.Msg == key) {
			t.Fatalf("%q: %+v", key, e)
		}
	}
	if len(b.Events()) != 0 {
		t.Fatal("took effect")
	}
}

func TestUnknownURL(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, err := b.sdk.Coupons.Get("x", nil)
	if e := failure(t, err); e.HTTPStatusCode != 404 || e.Msg != "Unrecognized request URL (GET: /v1/coupons/x)." {
		t.Fatalf("%+v", e)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.SetLatency(30 * time.Millisecond)
	began := time.Now()
	must(b.sdk.Customers.New(nil))(t)
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Fatal(took)
	}
}

func TestRequestsAreRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("payment", "price_mug"))
	r := b.Requests()[0]
	if r.Method != "POST" || r.Path != "/v1/checkout/sessions" || r.Form.Get("line_items[0][price]") != "price_mug" || r.APIVersion != stripe.APIVersion ||
		r.IdempotencyKey == "" || r.Status != 200 || r.ID != made.LastResponse.RequestID || !r.Time.Equal(b.clock.Now()) {
		t.Fatalf("%+v", r)
	}
}
