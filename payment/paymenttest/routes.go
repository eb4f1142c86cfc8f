package paymenttest

import (
	"fmt"
	"net/http"
)

// routes is everything that can be asked for.
func (s *Stripe) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, endpoint := range map[string]endpoint{
		"POST /v1/customers":        createCustomer,
		"GET /v1/customers":         list(kindCustomer, equal("email")),
		"GET /v1/customers/{id}":    getCustomer,
		"POST /v1/customers/{id}":   updateCustomer,
		"DELETE /v1/customers/{id}": deleteCustomer,

		"POST /v1/products":     createProduct,
		"GET /v1/products":      list(kindProduct, flag("active")),
		"GET /v1/products/{id}": get(kindProduct),
		"POST /v1/prices":       createPrice,
		"GET /v1/prices":        list(kindPrice, flag("active"), equal("product"), equal("type"), lookupKey),
		"GET /v1/prices/{id}":   get(kindPrice),

		"POST /v1/checkout/sessions":                createCheckout,
		"GET /v1/checkout/sessions":                 list(kindCheckout, equal("customer"), equal("payment_intent"), equal("subscription"), equal("status")),
		"GET /v1/checkout/sessions/{id}":            get(kindCheckout),
		"GET /v1/checkout/sessions/{id}/line_items": checkoutLineItems,
		"POST /v1/checkout/sessions/{id}/expire":    expireCheckout,

		"GET /v1/payment_intents":      list(kindPayment, equal("customer")),
		"GET /v1/payment_intents/{id}": get(kindPayment),
		"GET /v1/charges":              list(kindCharge, equal("customer"), equal("payment_intent")),
		"GET /v1/charges/{id}":         get(kindCharge),
		"GET /v1/setup_intents/{id}":   get(kindSetup),
		"GET /v1/payment_methods/{id}": get(kindMethod),
		"POST /v1/refunds":             createRefund,
		"GET /v1/refunds":              list(kindRefund, equal("charge"), equal("payment_intent")),
		"GET /v1/refunds/{id}":         get(kindRefund),

		"POST /v1/subscriptions":             createSubscription,
		"GET /v1/subscriptions":              list(kindSubscription, equal("customer"), subscriptionStatus, subscriptionPrice),
		"GET /v1/subscriptions/{id}":         get(kindSubscription),
		"POST /v1/subscriptions/{id}":        updateSubscription,
		"DELETE /v1/subscriptions/{id}":      cancelSubscription,
		"POST /v1/subscriptions/{id}/resume": resumeSubscription,

		"GET /v1/invoices":                 list(kindInvoice, equal("customer"), equal("subscription"), equal("status")),
		"GET /v1/invoices/upcoming":        upcomingInvoice,
		"GET /v1/invoices/{id}":            get(kindInvoice),
		"POST /v1/invoices/{id}/pay":       payInvoice,
		"POST /v1/invoices/{id}/void":      voidInvoice,
		"POST /v1/billing_portal/sessions": createPortal,

		"POST /v1/webhook_endpoints":        createEndpoint,
		"GET /v1/webhook_endpoints":         list(kindEndpoint),
		"GET /v1/webhook_endpoints/{id}":    get(kindEndpoint),
		"POST /v1/webhook_endpoints/{id}":   updateEndpoint,
		"DELETE /v1/webhook_endpoints/{id}": deleteEndpoint,

		"GET /v1/events":      s.listEvents,
		"GET /v1/events/{id}": s.getEvent,

		"/": unrecognized,
	} {
		mux.Handle(pattern, s.serve(endpoint))
	}
	mux.HandleFunc("GET /pay/{id}", s.showPayment)
	mux.HandleFunc("POST /pay/{id}", s.takePayment)
	mux.HandleFunc("GET /portal/{id}", s.showPortal)
	mux.HandleFunc("POST /portal/{id}", s.usePortal)
	return mux
}

// unrecognized answers what Stripe does not offer, or we do not.
func unrecognized(c *call) (object, *Failure) {
	return nil, &Failure{
		Status:  http.StatusNotFound,
		Message: fmt.Sprintf("Unrecognized request URL (%s: %s).", c.r.Method, c.r.URL.Path),
	}
}
