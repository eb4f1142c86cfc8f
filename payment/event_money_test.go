package payment_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestInterceptorsChangeAndRefuseWhatIsSold(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	signals.Intercept(s.app.Signals(), func(_ context.Context, e *payment.CheckingOut) error {
		if e.Request.Linedata[0].Price == pricePro {
			return &service.Problem{Status: http.StatusForbidden, Code: "not_for_sale"}
		}
		e.Request.Metadata = map[string]string{"checked": "yes"}
		return nil
	})
	signals.Intercept(s.app.Signals(), func(_ context.Context, e *payment.Subscribing) error {
		if e.Request.Items[0].Price == pricePro {
			return &service.Problem{Status: http.StatusForbidden, Code: "not_for_sale"}
		}
		e.Request.Due = 30
		return nil
	})
	var got session
	s.post("/checkout", checkoutBody("")).decode(&got)
	if got.Metadata["checked"] != "yes" {
		t.Errorf("the metadata is %v", got.Metadata)
	}
	pro := checkoutOf(payment.ModeSubscription, pricePro, nil)
	if _, err := s.pay.Checkout(t.Context(), pro); err == nil {
		t.Error("what is not for sale was sold")
	}
	const body = `{"email": "a@example.com", "items": [{"price": "price_basic"}]}`
	var sub struct {
		DaysUntilDue int `json:"days_until_due"`
	}
	s.post("/subscription", body).decode(&sub)
	if sub.DaysUntilDue != 30 {
		t.Errorf("due in %d days", sub.DaysUntilDue)
	}
	s.post("/subscription", `{"email": "a@example.com", "items": [{"price": "price_pro"}]}`).refused(http.StatusForbidden, "not_for_sale")
	if n := len(s.asked("POST", "/v1/checkout/sessions")) + len(s.asked("POST", "/v1/subscriptions")); n != 2 {
		t.Errorf("Stripe was asked %d times, want twice", n)
	}
}

// A subscriber that is done with what follows from an event is spared the retry for
// the sake of another.
func TestARetryOfWhatFollowsReachesTheOthersOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	failures := 2
	var shipped []string
	signals.SubscribeNamed(s.app.Signals(), "ship", func(_ context.Context, e payment.Paid) error {
		if failures--; failures >= 0 {
			return http.ErrServerClosed
		}
		shipped = append(shipped, e.ID)
		return nil
	})
	id := s.checkout(payment.ModePayment, priceOnce, nil)
	s.must(s.stripe.CompleteCheckout(t.Context(), id))
	completed := s.events("checkout.session.completed")[0]
	for state := payment.StatePending; state != payment.StateDone; {
		o := receive(s.TB, s.outcomes)
		if o.id != completed {
			continue
		}
		if state = o.state; state == payment.StatePending {
			s.clock.add(payment.DefaultMaxDelay)
			s.pay.LookNow()
		}
	}
	if len(shipped) != 1 || shipped[0] != id {
		t.Errorf("shipped: %v", shipped)
	}
	one[payment.Paid](s)
	record, err := s.pay.Event(t.Context(), completed)
	s.must(err)
	want := []string{"payment.Paid/" + id + "/test", "payment.Paid/" + id + "/ship"}
	if record.Attempts != 3 || len(record.Done) != 2 || record.Done[0] != want[0] || record.Done[1] != want[1] {
		t.Errorf("the record is %+v, want %v done", record, want)
	}
}
