package paymenttest

import (
	"context"
	"time"
)

// payment says what becomes of an invoice at once.
type payment int

const (
	charged payment = iota // it is paid
	refused                // the card is declined
	delayed                // the money is on its way
	owed                   // nobody tries
)

// Renew lets the period of a subscription end: the next one begins, and its
// invoice is paid ("invoice.paid"), or sent where the subscription sends invoices.
// One that was to end with its period ends.
func (s *Stripe) Renew(ctx context.Context, subscription string) error {
	return s.subscription(ctx, subscription, func(st *state, o object) { st.renew(o, charged) })
}

// FailRenewal is [Stripe.Renew] with a card that is declined:
// "invoice.payment_failed", and the subscription is past due. Where the subscription
// sends invoices nobody pays in time: it is past due without that event.
// [Stripe.PayInvoice] heals it.
func (s *Stripe) FailRenewal(ctx context.Context, subscription string) error {
	return s.subscription(ctx, subscription, func(st *state, o object) { st.renew(o, refused) })
}

// CancelNow ends a subscription, as someone at Stripe's dashboard does, or Stripe
// when every attempt to collect has failed.
func (s *Stripe) CancelNow(ctx context.Context, subscription string) error {
	return s.subscription(ctx, subscription, (*state).end)
}

// PayInvoice pays an open invoice, as a customer does on its page.
func (s *Stripe) PayInvoice(ctx context.Context, invoice string) error {
	return s.act(ctx, func(st *state) *Failure {
		o := st.find(kindInvoice, invoice)
		if o == nil {
			return missing(kindInvoice, invoice, "invoice")
		}
		return st.pay(o)
	})
}

func (s *Stripe) subscription(ctx context.Context, id string, change func(*state, object)) error {
	return s.act(ctx, func(st *state) *Failure {
		o := st.find(kindSubscription, id)
		if o == nil || ended(o) {
			return missing(kindSubscription, id, "id")
		}
		change(st, o)
		return nil
	})
}

// start begins a subscription with its first invoice, to which lines are added.
// Where nothing is to be paid at once it is made in its state, else it is made
// incomplete, and becomes active by the payment.
func (s *state) start(o object, lines []object, pay payment) object {
	trial := o.int("trial_end") > s.now
	switch {
	case trial:
		o["status"] = "trialing"
	case o.str("collection_method") == "send_invoice", total(o.data("items")) == 0 && len(lines) == 0:
		o["status"] = "active"
	}
	s.emit("customer.subscription.created", o)
	invoice := s.newInvoice(o, "subscription_create", append(lines, s.firstLines(o, trial)...))
	o["latest_invoice"] = invoice["id"]
	s.settle(invoice, pay)
	if pay == delayed && o.str("status") == "incomplete" {
		s.become(o, "active") // Stripe trusts that the money comes
	}
	return invoice
}

// firstLines makes the lines of the first period, which cost nothing in a trial.
func (s *state) firstLines(o object, trial bool) []object {
	lines := s.itemLines(o)
	for _, line := range lines {
		if trial {
			line["amount"], line["amount_excluding_tax"] = int64(0), int64(0)
		}
	}
	return lines
}

// renew begins the next period of a subscription.
func (s *state) renew(o object, pay payment) {
	start := o.int("current_period_end")
	if at := o.int("cancel_at"); at > 0 && at <= start {
		s.end(o)
		return
	}
	before := o.clone()
	o["current_period_start"], o["current_period_end"] = start, s.periodEnd(o, start)
	if o.str("status") == "trialing" {
		o["status"] = "active"
	}
	lines, _ := o["_pending"].([]object)
	delete(o, "_pending")
	invoice := s.newInvoice(o, "subscription_cycle", append(lines, s.itemLines(o)...))
	o["latest_invoice"] = invoice["id"]
	s.emitChange("customer.subscription.updated", before, o)
	s.settle(invoice, pay)
	if pay == refused && o.str("status") == "active" && invoice.str("status") == "open" {
		s.become(o, "past_due") // the invoice that was sent is overdue
	}
}

// end ends a subscription now.
func (s *state) end(o object) {
	o["status"], o["ended_at"] = "canceled", s.now
	if o["canceled_at"] == nil {
		o["canceled_at"] = s.now
	}
	if reason := o.object("cancellation_details"); reason["reason"] == nil {
		reason["reason"] = "cancellation_requested"
	}
	s.emit("customer.subscription.deleted", o)
}

// periodEnd is when the period of a subscription that begins at start ends.
func (s *state) periodEnd(o object, start int64) int64 {
	r := o.data("items")[0].object("price").object("recurring")
	return advance(start, r.str("interval"), int(r.int("interval_count")))
}

// advance adds intervals to a time. A month after January 31 is the last day of
// February.
func advance(start int64, interval string, count int) int64 {
	t := time.Unix(start, 0).UTC()
	switch interval {
	case "day":
		return t.AddDate(0, 0, count).Unix()
	case "week":
		return t.AddDate(0, 0, 7*count).Unix()
	case "year":
		count *= 12
	}
	next := t.AddDate(0, count, 0)
	if next.Day() != t.Day() {
		next = next.AddDate(0, 0, -next.Day())
	}
	return next.Unix()
}
