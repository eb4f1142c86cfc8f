package paymenttest_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func keyed(key, email string) *stripe.CustomerParams {
	params := &stripe.CustomerParams{Email: stripe.String(email)}
	params.SetIdempotencyKey(key)
	return params
}

func TestIdempotencyKeyRepeatsTheAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	first := must(b.sdk.Customers.New(keyed("k", "ada@example.com")))(t)
	again := must(b.sdk.Customers.New(keyed("k", "ada@example.com")))(t)
	if first.ID != again.ID || again.LastResponse.Header.Get("Idempotent-Replayed") != "true" || first.LastResponse.Header.Get("Idempotent-Replayed") != "" {
		t.Fatal(first.ID, again.ID, again.LastResponse.Header)
	}
	if len(b.Events()) != 1 || !b.Requests()[1].Replayed || b.Requests()[1].IdempotencyKey != "k" {
		t.Fatalf("%d events, %+v", len(b.Events()), b.Requests())
	}
	b.clock.Add(24 * time.Hour)
	if later := must(b.sdk.Customers.New(keyed("k", "ada@example.com")))(t); later.ID == first.ID {
		t.Fatal("remembered for more than a day")
	}
}

func TestIdempotencyKeyOfAnotherRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	must(b.sdk.Customers.New(keyed("k", "ada@example.com")))(t)
	_, err := b.sdk.Customers.New(keyed("k", "eve@example.com"))
	if e := failure(t, err); e.HTTPStatusCode != 400 || e.Type != "idempotency_error" {
		t.Fatalf("%+v", e)
	}
}

func TestIdempotencyKeyInUse(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.SetLatency(50 * time.Millisecond)
	var conflicts, made sync.Map
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			c, err := b.sdk.Customers.New(keyed("k", "ada@example.com"))
			if err != nil {
				conflicts.Store(i, failure(t, err))
				return
			}
			made.Store(c.ID, true)
		})
	}
	all.Wait()
	if len(b.Events()) != 1 {
		t.Fatalf("%d made", len(b.Events()))
	}
	n := 0
	conflicts.Range(func(_, e any) bool {
		n++
		if e := e.(*stripe.Error); e.HTTPStatusCode != 409 || e.Code != "idempotency_key_in_use" {
			t.Errorf("%+v", e)
		}
		return true
	})
	if n == 0 {
		t.Fatal("none was refused")
	}
}

func TestIdempotencyKeyOfARefusedRequestIsFree(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	if _, err := b.sdk.Customers.New(keyed("k", "ada")); err == nil {
		t.Fatal("no error")
	}
	must(b.sdk.Customers.New(keyed("k", "ada@example.com")))(t)
}

func TestIdempotencyKeyOfADeclineIsNot(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.FailNext(1, paymenttest.Declined("insufficient_funds"))
	for range 2 {
		_, err := b.sdk.Customers.New(keyed("k", "ada@example.com"))
		if e := failure(t, err); e.HTTPStatusCode != 402 || e.DeclineCode != "insufficient_funds" {
			t.Fatalf("%+v", e)
		}
	}
}

func TestIdempotencyKeyTooLong(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/v1/customers", strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(b.Key(), "")
	req.Header.Set("Idempotency-Key", strings.Repeat("k", 256))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 400 {
		t.Fatal(err, resp.StatusCode)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
}

func TestAnswerThatIsLostIsRepeatedToARetry(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	patient := sdk(t, b.URL(), b.Key(), 2)
	b.FailNext(1, paymenttest.Failure{Lost: true})
	customer := must(patient.Customers.New(&stripe.CustomerParams{Email: stripe.String("ada@example.com")}))(t)
	if len(b.Events()) != 1 || len(b.Requests()) != 2 || b.Requests()[0].Status != 0 || !b.Requests()[1].Replayed {
		t.Fatalf("%d events of %s, %+v", len(b.Events()), customer.ID, b.Requests())
	}
}
