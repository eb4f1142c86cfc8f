// Package paymenttest is a Stripe in the process, for testing what takes money and
// for trying it without an account.
//
// It remembers: what one request makes, the next one finds. It speaks Stripe's wire
// format to the unmodified stripe-go, answers with Stripe's errors, keeps
// idempotency keys, and sends signed webhooks, on demand late, twice, out of order
// or in another version of Stripe's API.
//
// # Usage
//
//	stripe, err := paymenttest.Start(nil)       // on a free port of 127.0.0.1
//	defer stripe.Close()
//	stripe.AddPrice(paymenttest.Price{ID: "price_basic", Amount: 900, Currency: "eur", Interval: "month"})
//	stripe.SendTo(gateway.URL + "/service/payment/v1/webhook")
//	…                                           // the gateway, with stripe.URL(), stripe.Key() and stripe.WebhookSecret()
//	err = stripe.CompleteCheckout(ctx, session) // the customer pays; the webhooks were sent
//
// [New] makes the same without a listener: a [Stripe] is an [http.Handler].
//
// # What customers, banks and time do
//
//   - A checkout: [Stripe.CompleteCheckout], [Stripe.DeclineCheckout], [Stripe.ExpireCheckout],
//     [Stripe.CompleteCheckoutLater] and then [Stripe.SucceedPayment] or [Stripe.FailPayment].
//   - A subscription: [Stripe.Renew], [Stripe.FailRenewal], [Stripe.PayInvoice], [Stripe.Pause],
//     [Stripe.CancelNow].
//   - By hand: the URL of a checkout session, of an invoice and of a portal session is a
//     page here. A browser shows its buttons; `curl -X POST` presses the first.
//
// # Webhooks
//
// What happens is sent to the URLs of [Stripe.SendTo], and to the endpoints that were
// made through the API, to each in its version and signed with its secret. They are
// sent one after the other in the order in which things happened. The methods return
// when each was sent once, whatever was answered; what a request to the API causes is
// sent after its answer, for which [Stripe.Settle] waits.
//
//   - [Stripe.Hold] keeps them back, [Stripe.Release] lets them go.
//   - [Stripe.Deliver] sends events in the order given, as often as they are named;
//     [Stripe.DeliverAtOnce] sends one many times at the same time.
//   - [Stripe.DeliverAs] sends in another version, [Stripe.DeliverThin] a thin event.
//   - [Stripe.Redeliver] sends again what was not acknowledged.
//   - [Sign] signs whatever a test wants to be sent.
//
// # Faults
//
// [Stripe.FailNext] makes requests fail: [Unavailable], [RateLimited], [Declined],
// [KeyRefused], any [Failure], or an answer that is lost after the request took
// effect. [Stripe.SetLatency] makes them slow.
//
// # What was seen
//
// [Stripe.Requests] is what the API was asked, [Stripe.Events] what happened,
// [Stripe.Deliveries] what was sent and answered, [Stripe.Object] anything by its id.
//
// # What it is not
//
// It knows the calls and parameters that a shop with subscriptions needs. Parameters
// it does not know are recorded and ignored; other URLs are 404. Taxes, discounts,
// shipping, credit balances and other currencies than a price's own are not there,
// and invoices are final at once. Nothing happens by itself as time passes: a checkout
// stays open and a period goes on until one of the methods says otherwise.
package paymenttest
