package paymenttest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	stripe "github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

func TestEndpointHasItsVersionAndSecret(t *testing.T) {
	t.Parallel()
	b := setup(t, &paymenttest.Options{APIVersion: "2026-08-26.dahlia"})
	var secret string
	h := receive(t, func() string { return secret }, nil)
	made := must(b.sdk.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
		URL: stripe.String(h.URL), APIVersion: stripe.String(stripe.APIVersion), EnabledEvents: stripe.StringSlice([]string{"customer.created", "customer.deleted"}),
	}))(t)
	secret = made.Secret
	if secret == "" || made.APIVersion != stripe.APIVersion || made.Status != "enabled" {
		t.Fatalf("%+v", made)
	}
	if got := must(b.sdk.WebhookEndpoints.Get(made.ID, nil))(t); got.Secret != "" {
		t.Fatal("the secret is told again")
	}
	customer := b.customer(t, "pm_card_visa")
	must(b.sdk.Customers.Update(customer.ID, &stripe.CustomerParams{Name: stripe.String("Ada")}))(t)
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"customer.created"}, h.types()); diff != "" || len(h.errs) > 0 {
		t.Fatal(diff, h.errs)
	}
	if got := h.events[0].APIVersion; got != stripe.APIVersion {
		t.Fatal(got)
	}
	if got := must(b.sdk.Events.Get(h.events[0].ID, nil))(t).APIVersion; got != "2026-08-26.dahlia" {
		t.Fatal("the account's is", got)
	}
}

func TestEndpointIsChangedAndDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	h := receive(t, b.WebhookSecret, nil)
	id := b.SendTo(h.URL)
	b.customer(t, "")
	must(b.sdk.WebhookEndpoints.Update(id, &stripe.WebhookEndpointParams{Disabled: stripe.Bool(true)}))(t)
	b.customer(t, "")
	must(b.sdk.WebhookEndpoints.Update(id, &stripe.WebhookEndpointParams{Disabled: stripe.Bool(false), EnabledEvents: stripe.StringSlice([]string{"invoice.paid"})}))(t)
	b.customer(t, "")
	if err := b.Settle(t.Context()); err != nil || len(h.types()) != 1 {
		t.Fatal(err, h.types())
	}
	if i := b.sdk.WebhookEndpoints.List(nil); !i.Next() || i.WebhookEndpoint().URL != h.URL || i.Next() {
		t.Fatal(i.Err())
	}
	if got := must(b.sdk.WebhookEndpoints.Del(id, nil))(t); !got.Deleted {
		t.Fatalf("%+v", got)
	}
	_, err := b.sdk.WebhookEndpoints.Get(id, nil)
	if e := failure(t, err); e.HTTPStatusCode != 404 {
		t.Fatalf("%+v", e)
	}
	_, err = b.sdk.WebhookEndpoints.New(&stripe.WebhookEndpointParams{URL: stripe.String(h.URL)})
	if e := failure(t, err); e.Param != "enabled_events" {
		t.Fatalf("%+v", e)
	}
}
