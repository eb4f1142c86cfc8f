// Package payment takes money through Stripe, and reacts to what Stripe reports:
// each webhook is stored before it is answered, and handled to its end by each
// subscriber once.
//
//	pay, err := payment.New(db, stripeKey, webhookSecret, nil)
//	err = app.Mount(e, pay) // at /service/payment/v1, behind the API key but for the webhook
//
//	signals.SubscribeNamed(app.Signals(), "mark-paid", func(ctx context.Context, e payment.Paid) error { … })
//
// # Routes
//
//	POST /checkout         a page of Stripe's where a customer pays → its session
//	POST /subscription     a subscription by invoice → Stripe's subscription
//	POST /portal           a page of Stripe's for a customer's own affairs → {url}
//	POST /webhook          what Stripe reports → {received}; no API key, but a signature
//	GET  /events           what Stripe has reported: id type state since until limit skip count
//	GET  /events/:id       one of them, with its payload
//	POST /events/replay    {ids, types, states, since, until, again, subscribers, limit, dry_run} → {queued, busy, more, dry_run}
//
// [Service.Routes] has the parameters and problem codes of each. [Service.Checkout],
// [Service.Subscribe] and [Service.Portal] are the first three in Go. Beside them there
// is what a gateway asks daily: [Service.IsSubscribed], [Service.Cancel],
// [Service.Swap], [Service.Refund] and others.
//
// # Events
//
// [Paid], [Failed], [SubscriptionChanged] and [Refunded] say what is true now,
// fetched from Stripe as they are told: late, doubled and disordered webhooks, and
// those of other versions of Stripe's API, come to the same. [StripeWebhookReceived]
// is each event as Stripe sent it; Coglex for Flask calls it
// "stripe_webhook_received". What it says may be out of date, and is written in the
// version of the endpoint: [Object] decodes it where the SDK can. [EventDead] tells
// that an event was given up.
//
// # The inbox
//
// A webhook is verified by the bytes that came, stored in _EVENTS under the id of the
// event, and answered 200; only then it is handled, by a worker of any instance that
// shares the database. An id is recorded once, whoever receives it and however often.
// Types and versions that are not known, and thin events, are stored and told like all
// others. What could not be stored is 503 not_stored, and Stripe sends it again; so are
// events of more than 64 KiB where many come at once, lest strangers fill the memory.
//
// A subscriber has a name (signals.SubscribeNamed), and the record says which names
// are done: the name is its memory, and under another one it is another subscriber.
// What fails, panics or takes longer than Options.HandleTimeout is tried again after a
// growing delay, and reaches only those that are not done. So is a try that was
// abandoned: when an instance dies, another takes its events over once their lease is
// over, and that counts as a failure, for the event may be what kills them. After
// Options.Attempts tries the event is dead: it is logged as an error, told as
// EventDead, and kept. So nothing is lost and nothing is done twice, with these
// exceptions:
//
//   - A process that dies inside a subscriber, or before the name is stored, has that
//     subscriber called again. So has one that lost its lease meanwhile, and then both
//     calls may run at once: one that was cut off from the database for
//     Options.Lease, that stood still for so long, or whose clock is behind another's
//     by more than two thirds of it. It ends the context of the subscriber as soon as
//     it can know.
//   - A subscriber without a name is called at each try.
//   - There is no order between events: handlers run at once, up to Options.Workers.
//
// To make a second call harmless, let the subscriber write what it does under a key
// that the event gives it: an update whose filter finds the order only as long as
// nobody or this payment has paid it, an insert under the event's id, or Stripe's
// idempotency key "order-"+e.ID. The examples of [Paid] and sendReceipt show the
// first two.
//
// An instance tells its own subscribers only. Where instances of two versions share a
// database, as in a deployment, an event that an old one took is done without those
// that it does not have: replay the events of that time afterwards. Subscribe before
// Start: who comes later sees what is not done yet, and of older events what is
// replayed.
//
// A subscriber's context ends when the lease is lost or its time is over. One that does
// not heed it keeps its worker, and its event, until it returns, which is logged as an
// error; as many of them as Options.Workers bring an instance to a standstill. Stop
// does not wait for them beyond its context. A Stripe that does not answer holds the
// workers for the time of one call, and then one of them: while an event waits for an
// answer, the others that need one fail at once, to be tried again.
//
// Events of the other mode than the key are StateIgnored: Stripe sends those of tests
// to live endpoints of platforms, too, and a test must not count as money. They are
// told if they are replayed by hand. Keys of an unknown form take both.
//
// [Service.Replay] makes events due again, with all attempts before them. Those who
// are done stay so, unless it is told otherwise; so a replay of a month of events
// reaches a subscriber that was added yesterday, and no other. [Service.Reconcile] asks
// Stripe for what did not come at all; Start does so in the background, from the newest
// event on: after a start that could not reach Stripe, tell it the time yourself.
//
// Events that are done are removed after Options.Keep. One that comes again after
// that is handled again; Stripe forgets its own after 30 days.
//
// # Errors
//
// The problem codes of the webhook are signature_invalid, signature_expired, invalid,
// too_large and not_stored. Stripe's words never reach a client or the log: see
// [StripeError]. The words of a subscriber's error are logged, so keep secrets out of
// them; the record has only its class.
//
// # The embedded database
//
// All of this works on it. What an instance receives itself is handled by look-ups of
// the id alone. Looking for what others left, lists, replays by anything but one id, and
// the sweep read the whole collection, which takes seconds for some ten thousands of
// events. The first is done less often the longer it takes, so what a dead instance
// left may wait for minutes then; a list that takes longer than Options.Timeout is 504.
// On MongoDB they go by indexes.
//
// # Testing
//
// Package paymenttest is a Stripe in the process that remembers and calls back. Give
// its URL as Options.APIBase.
package payment
