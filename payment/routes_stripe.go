package payment

import (
	"net/http"

	"github.com/imadelakhaldev/coglex/service"
)

// The answers. Those of checkout and subscription are Stripe's own objects, which have
// more members than these.
type (
	checkoutAnswer struct {
		ID            string            `json:"id"`
		URL           string            `json:"url"`
		Mode          Mode              `json:"mode"`
		Status        string            `json:"status"`
		PaymentStatus string            `json:"payment_status"`
		Customer      *string           `json:"customer"`
		AmountTotal   *int64            `json:"amount_total"`
		Currency      *string           `json:"currency"`
		Metadata      map[string]string `json:"metadata"`
	}
	subscriptionAnswer struct {
		ID            string            `json:"id"`
		Customer      string            `json:"customer"`
		Status        string            `json:"status"`
		LatestInvoice *string           `json:"latest_invoice"`
		DaysUntilDue  int64             `json:"days_until_due"`
		Metadata      map[string]string `json:"metadata"`
	}
	portalAnswer struct {
		URL string `json:"url"`
	}
)

// stripeRoutes are those that call Stripe.
func (s *Service) stripeRoutes() []service.Route {
	return []service.Route{
		{
			Name: "checkout", Method: http.MethodPost, Path: "/checkout", Scope: ScopeWrite, Need: service.KeyMaybeUser, Handler: keyed(s.HandleCheckout),
			Summary: "Makes a session of Stripe Checkout.", Request: CheckoutRequest{}, Response: checkoutAnswer{}, Doc: docCheckout(),
		},
		{
			Name: "subscription", Method: http.MethodPost, Path: "/subscription", Scope: ScopeWrite, Need: service.KeyMaybeUser, Handler: keyed(s.HandleSubscription),
			Summary: "Makes a subscription that is paid by invoice.", Request: SubscribeRequest{}, Response: subscriptionAnswer{}, Doc: docSubscription(),
		},
		{
			Name: "portal", Method: http.MethodPost, Path: "/portal", Scope: ScopeWrite, Need: service.KeyMaybeUser, Handler: keyed(s.HandlePortal),
			Summary: "Opens Stripe's billing portal.", Request: PortalRequest{}, Response: portalAnswer{}, Doc: docPortal(),
		},
	}
}

// stripeCodes returns the problem codes of the routes that call Stripe, and those of
// one besides.
func stripeCodes(more map[string]string) map[string]string {
	all := map[string]string{
		"invalid":                "400: the request is malformed; errors names the field.",
		"stripe_refused":         "400: Stripe refuses the request. Where it has a code of its own, such as resource_missing or card_declined, that stands in place of this one; param names the parameter.",
		"unauthenticated":        "401: nobody is signed in.",
		"too_large":              "413: the body is too large.",
		"unsupported_media_type": "415: the body is no JSON in UTF-8.",
		"stripe_rate_limited":    "429: Stripe asks for fewer requests.",
		"internal":               "500: the cause is in the log of the gateway, under the request_id.",
		"stripe_unavailable":     "502: Stripe does not answer, or not as it should.",
		"stripe_key_refused":     "502: Stripe refuses the key of this gateway.",
		"database_unavailable":   "503: the database is away.",
		"timeout":                "504: the database did not answer in time.",
	}
	for code, text := range more {
		all[code] = text
	}
	return all
}

// keyCodes returns the codes of requests that may have an Idempotency-Key.
func keyCodes(more map[string]string) map[string]string {
	all := stripeCodes(more)
	all["idempotency_key_in_use"] = "409: a request with this Idempotency-Key is still under way."
	all["idempotency_key_reused"] = "409: this Idempotency-Key was used for another request."
	return all
}

// idempotencyText is part of the description of routes that take the header.
const idempotencyText = "With an `Idempotency-Key` header, a request that is repeated within a day is answered as it was the first time."

func docCheckout() *service.Doc {
	return &service.Doc{
		Description: "`linedata` has lines of either `price`, an id of Stripe, or `price_data`, and a `quantity`; the mode `setup` has none. " +
			"The customer is that of who is signed in, or of `user` (`{\"id\", \"collection\"}`) whom the holder of the API key names, else a guest. " +
			"The answer is Stripe's session; send the customer to its `url`. " + idempotencyText,
		Codes: keyCodes(map[string]string{
			"price_data_forbidden": "403: without an API key linedata has prices that Stripe knows.",
		}),
	}
}

func docSubscription() *service.Doc {
	return &service.Doc{
		Description: "Stripe mails an invoice each period, to be paid within `due` days. Whose it is, is as in checkout; for a guest a customer is made. " +
			"The answer is Stripe's subscription, which is active before its first invoice is paid. " + idempotencyText,
		Codes: keyCodes(map[string]string{
			"due_forbidden": "403: without an API key due is the gateway's default.",
		}),
	}
}

func docPortal() *service.Doc {
	return &service.Doc{
		Description: "Who is signed in need not name a `customer`, and gets their own. The holder of an API key names a `customer` or a `user`. " + idempotencyText,
		Codes: keyCodes(map[string]string{
			"customer_unknown":   "404: this user is no customer yet.",
			"customer_forbidden": "403: the customer is someone else.",
		}),
	}
}
