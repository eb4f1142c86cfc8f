package payment_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

const webhookURL = "https://shop.example/service/payment/v1/webhook"

// idle returns a shop whose webhooks go nowhere.
func idle(t *testing.T) *shop {
	t.Helper()
	c := newClock()
	return newShopOn(t, dbtest.Database(t), newStripe(t, &paymenttest.Options{Now: c.Now}), c)
}

func TestAnEndpointIsMadeOnceWithWhatIsHandled(t *testing.T) {
	t.Parallel()
	s := idle(t)
	made, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL, "charge.dispute.created")
	if err != nil || made.ID == "" || made.URL != webhookURL || made.APIVersion != "2023-10-16" || !strings.HasPrefix(made.Secret, "whsec_") {
		t.Fatalf("%+v, %v", made, err)
	}
	form := s.asked("POST", "/v1/webhook_endpoints")[0].Form
	var sent []string
	for name, values := range form {
		if strings.HasPrefix(name, "enabled_events") {
			sent = append(sent, values...)
		}
	}
	slices.Sort(sent)
	want := append(s.pay.HandledTypes(), "charge.dispute.created")
	slices.Sort(want)
	if !slices.Equal(sent, want) || form.Get("api_version") != "2023-10-16" {
		t.Errorf("Stripe was sent %v", form)
	}
	again, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL)
	if err != nil || again.ID != made.ID || again.Secret != "" {
		t.Errorf("again: %+v, %v", again, err)
	}
	if n := len(s.asked("POST", "/v1/webhook_endpoints/"+made.ID)); n != 0 {
		t.Errorf("it was updated %d times, though it lacked nothing", n)
	}
	other, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL+"2")
	if err != nil || other.ID == made.ID || other.Secret == made.Secret {
		t.Errorf("another URL: %+v, %v", other, err)
	}
}

func TestAnEndpointGetsWhatItLacks(t *testing.T) {
	t.Parallel()
	s := idle(t)
	made, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL)
	s.must(err)
	s.must(s.raw("POST", "/v1/webhook_endpoints/"+made.ID, "enabled_events[0]=invoice.paid&enabled_events[1]=payout.paid&disabled=true"))
	_, err = s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL)
	s.must(err)
	object, _ := s.stripe.Object(made.ID)
	for _, want := range append(s.pay.HandledTypes(), "payout.paid", `"status":"enabled"`) {
		if strings.Count(string(object), want) < 1 {
			t.Errorf("the endpoint %s lacks %s", object, want)
		}
	}
	s.must(s.raw("POST", "/v1/webhook_endpoints/"+made.ID, "enabled_events[0]=*"))
	_, err = s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL, "charge.dispute.created")
	s.must(err)
	if object, _ := s.stripe.Object(made.ID); strings.Contains(string(object), "invoice.paid") {
		t.Errorf("one that gets all events was narrowed: %s", object)
	}
}

func TestSeveralWhoMakeTheEndpointMakeOne(t *testing.T) {
	t.Parallel()
	s := idle(t)
	s.stripe.SetLatency(20 * time.Millisecond)
	ids := make([]string, 4)
	var racing sync.WaitGroup
	for i := range ids {
		racing.Go(func() {
			made, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL)
			if err != nil {
				t.Error(err)
			}
			ids[i] = made.ID
		})
	}
	racing.Wait()
	if ids = slices.Compact(ids); len(ids) != 1 || ids[0] == "" {
		t.Errorf("the endpoints are %v", ids)
	}
}

// Stripe repeats for a day what it answered, and does not know that it is no more.
func TestAnEndpointThatWasDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	s := idle(t)
	first, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL)
	s.must(err)
	s.must(s.raw("DELETE", "/v1/webhook_endpoints/"+first.ID, ""))
	second, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL)
	s.must(err)
	if second.ID == first.ID || second.Secret == "" {
		t.Errorf("made %s, then %+v", first.ID, second)
	}
	if _, ok := s.stripe.Object(second.ID); !ok {
		t.Error("Stripe does not have it")
	}
}

func TestAnEndpointIsMadeAfterACrashOfStripes(t *testing.T) {
	t.Parallel()
	c := newClock()
	stripe := newStripe(t, &paymenttest.Options{Now: c.Now})
	var once sync.Once
	s := newShopOn(t, dbtest.Database(t), stripe, c, func(o *payment.Options) {
		next := o.HTTPClient.Transport
		o.HTTPClient.Transport = transport(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				once.Do(func() { stripe.FailNext(1, paymenttest.Failure{Status: http.StatusInternalServerError}) })
			}
			return next.RoundTrip(r)
		})
	})
	if made, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL); err == nil {
		t.Fatalf("Stripe did not crash, but made %+v", made)
	}
	if made, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL); err != nil || made.ID == "" {
		t.Errorf("%+v, %v", made, err)
	}
}

func TestEndpointsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := idle(t)
	for _, url := range []string{"", "javascript:alert(1)", "/webhook"} {
		if _, err := s.pay.EnsureWebhookEndpoint(t.Context(), url); err == nil {
			t.Errorf("%q is an endpoint", url)
		}
	}
	if _, err := s.pay.EnsureWebhookEndpoint(t.Context(), webhookURL, "Not A Type"); err == nil {
		t.Error("there is a type with spaces")
	}
	if n := len(s.stripe.Requests()); n != 0 {
		t.Errorf("Stripe was asked %d times", n)
	}
}
