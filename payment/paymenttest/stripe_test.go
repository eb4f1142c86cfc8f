package paymenttest_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	stripe "github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func TestNewServesWithoutAListener(t *testing.T) {
	t.Parallel()
	s := paymenttest.New(nil)
	if s.Key() != paymenttest.DefaultKey || s.WebhookSecret() != paymenttest.DefaultWebhookSecret {
		t.Fatal(s.Key(), s.WebhookSecret())
	}
	r := httptest.NewRequest("POST", "/v1/customers", strings.NewReader("email=ada%40example.com"))
	r.Header.Set("Authorization", "Bearer "+s.Key())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"id": "cus_Test00000001"`) || w.Header().Get("Request-Id") != "req_Test00000001" {
		t.Fatal(w.Code, w.Body, w.Header())
	}
}

func TestIdsAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	made := func(seed string) (all []string) {
		b := setup(t, &paymenttest.Options{Seed: seed})
		sub := b.running(t, "price_basic")
		for _, e := range b.Events() {
			all = append(all, e.ID)
		}
		return append(all, sub.ID, sub.LatestInvoice.ID, sub.Items.Data[0].ID)
	}
	if diff := cmp.Diff(made(""), made("")); diff != "" {
		t.Error(diff)
	}
	first := made("Monday")
	for i, id := range made("Tuesday") {
		if id == first[i] || !strings.Contains(first[i], "Monday") {
			t.Error(id, first[i])
		}
	}
}

func TestObjectIsInTheVersionOfTheAccount(t *testing.T) {
	t.Parallel()
	for version, at := range map[string]string{stripe.APIVersion: "sub", "2025-03-31.basil": "item"} {
		b := setup(t, &paymenttest.Options{APIVersion: version})
		text, ok := b.Object(b.running(t, "price_basic").ID)
		var o struct {
			End   int64 `json:"current_period_end"`
			Items struct {
				Data []struct {
					End int64 `json:"current_period_end"`
				}
			}
		}
		if err := json.Unmarshal(text, &o); err != nil || !ok {
			t.Fatal(err, ok)
		}
		if (at == "sub") != (o.End > 0) || (at == "item") != (o.Items.Data[0].End > 0) {
			t.Errorf("%s: %s", version, text)
		}
	}
	if _, ok := setup(t, nil).Object("cus_x"); ok {
		t.Error("found what is not there")
	}
}

func TestStartTellsThatItCanNotListen(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	if _, err := paymenttest.Start(&paymenttest.Options{Addr: strings.TrimPrefix(b.URL(), "http://")}); err == nil {
		t.Fatal("two listen at one address")
	}
}

// TestManyAtOnce has everything done by several at the same time: for the race
// detector, and for the sums.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	b.SendTo(h.URL)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			made := b.checkout(t, cart("subscription", "price_basic"))
			if err := b.CompleteCheckout(t.Context(), made.ID); err != nil {
				t.Error(err)
			}
			id := b.session(t, made.ID).Subscription.ID
			for _, change := range []func() error{
				func() error { return b.Renew(t.Context(), id) },
				func() error { return b.FailRenewal(t.Context(), id) },
				func() error { return b.CancelNow(t.Context(), id) },
				func() error { return b.Redeliver(t.Context()) },
			} {
				if err := change(); err != nil {
					t.Error(err)
				}
			}
			_, _, _ = b.Events(), b.Deliveries(), b.Requests()
		})
	}
	all.Wait()
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seen := len(h.types()); seen != len(b.Events()) || len(h.errs) > 0 {
		t.Fatalf("%d of %d, %v", seen, len(b.Events()), h.errs)
	}
}
