package paymenttest

import "context"

// Pause pauses a subscription, as Stripe does at the end of a trial for which no
// card was given: "customer.subscription.paused". The API resumes it.
func (s *Stripe) Pause(ctx context.Context, subscription string) error {
	return s.subscription(ctx, subscription, func(st *state, o object) {
		before := o.clone()
		o["status"] = "paused"
		st.emitChange("customer.subscription.updated", before, o)
		st.emit("customer.subscription.paused", o)
	})
}

// resumeSubscription ends a pause: a new period begins and is invoiced.
func resumeSubscription(c *call) (object, *Failure) {
	o, f := c.target(kindSubscription)
	if f != nil {
		return nil, f
	}
	if o.str("status") != "paused" {
		return nil, invalid("", "", "This subscription is not paused. Only subscriptions with status `paused` can be resumed.")
	}
	before := o.clone()
	o["status"], o["billing_cycle_anchor"] = "active", c.now
	o["current_period_start"], o["current_period_end"] = c.now, c.periodEnd(o, c.now)
	invoice := c.newInvoice(o, "subscription_update", c.itemLines(o))
	o["latest_invoice"] = invoice["id"]
	c.settle(invoice, charged)
	c.emitChange("customer.subscription.updated", before, o)
	c.emit("customer.subscription.resumed", o)
	return o, nil
}
