package paymenttest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	stripe "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func Example() {
	ctx := context.Background()
	shop, err := paymenttest.Start(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = shop.Close() }()
	shop.AddPrice(paymenttest.Price{ID: "price_mug", Product: "Mug", Amount: 1200, Currency: "eur"})

	// What is tested: here a webhook of four lines, else a gateway.
	gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), shop.WebhookSecret())
		fmt.Println(event.Type, err)
	}))
	defer gateway.Close()
	shop.SendTo(gateway.URL)

	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(shop.URL()), HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	api := client.New(shop.Key(), &stripe.Backends{API: backend})
	session, err := api.CheckoutSessions.New(&stripe.CheckoutSessionParams{
		Mode:       stripe.String("payment"),
		SuccessURL: stripe.String("https://shop.example/thanks"),
		LineItems:  []*stripe.CheckoutSessionLineItemParams{{Price: stripe.String("price_mug"), Quantity: stripe.Int64(1)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := shop.CompleteCheckout(ctx, session.ID); err != nil {
		fmt.Println(err)
	}
	// Output:
	// payment_intent.created <nil>
	// charge.succeeded <nil>
	// payment_intent.succeeded <nil>
	// checkout.session.completed <nil>
}
