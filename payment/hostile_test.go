package payment_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// transport stands between the service and Stripe.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// rewriting changes what Stripe answers.
func rewriting(next http.RoundTripper, old, replaced string) transport {
	return func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(old), []byte(replaced))))
		return res, err
	}
}

// What a version to come says in place of "paid" may mean anything.
func TestOnlyWhatStripeCallsPaidIsPaid(t *testing.T) {
	t.Parallel()
	for name, member := range map[string]string{
		"a word that is not known": `"payment_status": "partially_paid"`,
		"no word":                  `"payment_status": null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			s := newShopOn(t, dbtest.Database(t), newStripe(t, &paymenttest.Options{Now: c.Now}), c, func(o *payment.Options) {
				o.HTTPClient.Transport = rewriting(o.HTTPClient.Transport, `"payment_status": "paid"`, member)
			}).open()
			s.must(s.stripe.CompleteCheckout(t.Context(), s.checkout(payment.ModePayment, priceOnce, nil)))
			s.handled()
			if told := toldOf[payment.Paid](s); len(told) != 0 {
				t.Errorf("told: %+v", told)
			}
		})
	}
}

// Nor is a checkout failed of which Stripe says something else than that.
func TestACheckoutOfAnUnknownStatusIsNotFailed(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newShopOn(t, dbtest.Database(t), newStripe(t, &paymenttest.Options{Now: c.Now}), c, func(o *payment.Options) {
		o.HTTPClient.Transport = rewriting(o.HTTPClient.Transport, `"status": "expired"`, `"status": "postponed"`)
	}).open()
	s.must(s.stripe.ExpireCheckout(t.Context(), s.checkout(payment.ModePayment, priceOnce, nil)))
	s.handled()
	if told := toldOf[payment.Failed](s); len(told) != 0 {
		t.Errorf("told: %+v", told)
	}
}

// A connected account names its customers as it likes: ours are in our own account.
func TestACustomerOfAnotherAccountIsNoneOfOurUsers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	customer, err := s.pay.Customer(t.Context(), ann, "ann@example.com")
	s.must(err)
	s.handled()
	s.stripe.Hold()
	s.must(s.raw("POST", "/v1/subscriptions", "customer="+customer+"&items[0][price]="+priceBasic+"&collection_method=send_invoice&days_until_due=7"))
	created := s.events("customer.subscription.created")[0]
	s.webhook(fmt.Sprintf(`{"id": "evt_theirs", "object": "event", "api_version": "2023-10-16", "type": "customer.subscription.created",`+
		` "account": "acct_theirs", "livemode": false, "data": {"object": {"id": %q}}}`, objectID(t, s.stripe, created)))
	s.handled("evt_theirs")
	s.isSubscribed(false)
	if told := one[payment.SubscriptionChanged](s); !told.User.IsZero() || !told.Subscription.User.IsZero() || told.Account != "acct_theirs" {
		t.Errorf("told: %+v", told)
	}
}

// webhook sends a signed event.
func (s *shop) webhook(body string) {
	s.Helper()
	a := s.request("/service/payment/v1/webhook", body, "Stripe-Signature", paymenttest.Sign([]byte(body), s.clock.Now(), s.stripe.WebhookSecret()))
	if a.status != http.StatusOK {
		s.Fatalf("%d %s", a.status, a.body)
	}
}

// A subscription by invoice is active before it is paid, and one of nothing costs
// nothing: neither is for a browser to ask for.
func TestNobodySubscribesForNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const body = `{"email": "ann@example.com", "items": [{"price": "price_basic", "quantity": %d}]%s}`
	s.request("/alone/subscription", fmt.Sprintf(body, 1, `, "due": 365`), "Authorization", "Bearer ann").refused(http.StatusForbidden, "due_forbidden")
	s.request("/alone/subscription", fmt.Sprintf(body, 0, ""), "Authorization", "Bearer ann").refused(http.StatusBadRequest, "invalid")
	s.request("/alone/checkout", strings.Replace(checkoutBody(""), `"quantity": 2`, `"quantity": 0`, 1), "Authorization", "Bearer ann").
		refused(http.StatusBadRequest, "invalid")
	s.isSubscribed(false)
	s.post("/subscription", fmt.Sprintf(body, 1, `, "due": 30`), "Authorization", "Bearer ann").decode(&struct{}{})
}

// One line, like all answers.
func TestStripesAnswersAreCompact(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for path, body := range map[string]string{
		"/checkout":     checkoutBody(`, "metadata": {"note": "two  blanks"}`),
		"/subscription": `{"email": "ann@example.com", "items": [{"price": "price_basic"}], "metadata": {"note": "two  blanks"}}`,
	} {
		a := s.post(path, body)
		if a.status != http.StatusOK || strings.ContainsAny(a.body, "\n\t") || strings.Contains(a.body, `": `) || !strings.Contains(a.body, `"note":"two  blanks"`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
