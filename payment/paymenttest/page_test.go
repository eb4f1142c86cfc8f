package paymenttest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	stripe "github.com/stripe/stripe-go/v76"
)

// browse makes a request as a browser does that stays where it is.
func browse(t *testing.T, method, address, choice string) (status int, location, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(url.Values{"choice": {choice}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(text)
}

func TestPageOfACheckout(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		choice, to     string
		status, public string
	}{
		{"", "https://shop.test/ok?s={ID}", "complete", "paid"},
		{"pay", "https://shop.test/ok?s={ID}", "complete", "paid"},
		{"later", "https://shop.test/ok?s={ID}", "complete", "unpaid"},
		{"decline", "/pay/{ID}", "open", "unpaid"},
		{"cancel", "https://shop.test/cart", "open", "unpaid"},
		{"steal", "", "open", "unpaid"},
	} {
		t.Run("choice "+row.choice, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			h := receive(t, b.WebhookSecret, nil)
			b.SendTo(h.URL)
			made := b.checkout(t, cart("payment", "price_mug"))
			status, _, body := browse(t, "GET", made.URL, "")
			if status != 200 || !strings.Contains(body, "1 × Mug: 12.00 EUR") {
				t.Fatal(status, body)
			}
			status, to, _ := browse(t, "POST", made.URL, row.choice)
			if (status != 303 && row.to != "") || to != strings.ReplaceAll(row.to, "{ID}", made.ID) {
				t.Fatal(status, to)
			}
			if got := b.session(t, made.ID); string(got.Status) != row.status || string(got.PaymentStatus) != row.public {
				t.Fatalf("%+v", got)
			}
			if row.status == "complete" && h.types()[len(h.types())-1] != "checkout.session.completed" {
				t.Fatal(h.types())
			}
		})
	}
}

func TestPageOfACheckoutThatIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("payment", "price_mug"))
	if err := b.ExpireCheckout(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]int{"GET": 410, "POST": 409} {
		if status, _, body := browse(t, method, made.URL, ""); status != want {
			t.Fatal(method, status, body)
		}
	}
	for _, method := range []string{"GET", "POST"} {
		if status, _, _ := browse(t, method, b.URL()+"/pay/cs_test_x", ""); status != 404 {
			t.Fatal(method, status)
		}
	}
}

func TestPageShowsWhatWasSentAsText(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	made := b.checkout(t, cart("payment", "", func(p *stripe.CheckoutSessionParams) {
		p.LineItems[0].Price = nil
		p.LineItems[0].PriceData = &stripe.CheckoutSessionLineItemPriceDataParams{
			Currency: stripe.String("eur"), UnitAmount: stripe.Int64(1),
			ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("<script>alert(1)</script>")},
		}
	}))
	if _, _, body := browse(t, "GET", made.URL, ""); strings.Contains(body, "<script>") || !strings.Contains(body, "&lt;script&gt;") {
		t.Fatal(body)
	}
}

func TestPageOfAnInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := must(b.sdk.Subscriptions.New(order(b.customer(t, ""), "price_basic", func(p *stripe.SubscriptionParams) {
		p.CollectionMethod, p.DaysUntilDue = stripe.String("send_invoice"), stripe.Int64(7)
	})))(t)
	address := sub.LatestInvoice.HostedInvoiceURL
	if status, _, body := browse(t, "GET", address, ""); status != 200 || !strings.Contains(body, "9.00 EUR") {
		t.Fatal(status, body)
	}
	if status, _, body := browse(t, "POST", address, ""); status != 303 {
		t.Fatal(status, body)
	}
	if got := b.current(t, sub.ID).LatestInvoice; !got.Paid {
		t.Fatalf("%+v", got)
	}
}

func TestPageOfAPortal(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	sub := b.running(t, "price_basic")
	other := b.running(t, "price_basic")
	portal := must(b.sdk.BillingPortalSessions.New(&stripe.BillingPortalSessionParams{
		Customer: stripe.String(sub.Customer.ID), ReturnURL: stripe.String("https://shop.test/account"),
	}))(t)
	if status, _, body := browse(t, "GET", portal.URL, ""); status != 200 || !strings.Contains(body, "cancel "+sub.ID) || strings.Contains(body, other.ID) {
		t.Fatal(status, body)
	}
	for _, step := range []struct {
		choice string
		ends   bool
	}{{"cancel " + sub.ID, true}, {"keep " + sub.ID, false}, {"cancel " + other.ID, false}, {"", true}} {
		if status, _, body := browse(t, "POST", portal.URL, step.choice); status != 303 {
			t.Fatal(step, status, body)
		}
		if got := b.current(t, sub.ID).CancelAtPeriodEnd; got != step.ends {
			t.Fatal(step, got)
		}
	}
	if b.current(t, other.ID).CancelAtPeriodEnd {
		t.Fatal("another customer's subscription was ended")
	}
	if status, to, _ := browse(t, "POST", portal.URL, "return"); status != 303 || to != "https://shop.test/account" {
		t.Fatal(status, to)
	}
	if status, _, _ := browse(t, "GET", b.URL()+"/portal/bps_x", ""); status != 404 {
		t.Fatal(status)
	}
	_, err := b.sdk.BillingPortalSessions.New(&stripe.BillingPortalSessionParams{})
	if e := failure(t, err); e.Code != "parameter_missing" || e.Param != "customer" {
		t.Fatalf("%+v", e)
	}
}
