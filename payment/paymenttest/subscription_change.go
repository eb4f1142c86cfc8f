package paymenttest

import (
	"fmt"
	"slices"
)

// updateSubscription changes a subscription: its items, metadata, when it ends.
func updateSubscription(c *call) (object, *Failure) {
	o, f := c.target(kindSubscription)
	if f != nil {
		return nil, f
	}
	if ended(o) {
		return nil, invalid("", "", "A canceled subscription can only update its cancellation_details and metadata.")
	}
	proration := c.form.str("proration_behavior")
	if !slices.Contains([]string{"", "create_prorations", "always_invoice", "none"}, proration) {
		return nil, invalid("", "proration_behavior", "Invalid proration_behavior: must be one of always_invoice, create_prorations, or none")
	}
	changed := o.clone() // takes effect once all of it is right
	for _, change := range []func(object) *Failure{c.changeItems, c.changeEnd, c.changeTrial, c.changeRest} {
		if f := change(changed); f != nil {
			return nil, f
		}
	}
	before := o.clone()
	for name, value := range changed {
		o[name] = value
	}
	if c.form.has("items") {
		c.prorate(before, o, proration)
	}
	c.emitChange("customer.subscription.updated", before, o)
	return o, nil
}

// changeItems replaces, adds and takes away items.
func (c *call) changeItems(o object) *Failure {
	items := o.data("items")
	for i, form := range c.form.list("items") {
		at := fmt.Sprintf("items[%d]", i)
		index := position(items, form.str("id"))
		var f *Failure
		switch {
		case form.str("id") == "":
			var item object
			if item, f = c.itemFrom(form, at); f == nil {
				item["subscription"] = o["id"]
				items = append(items, item)
			}
		case index < 0:
			f = unknown(kindItem, form.str("id"), nested(at, "id"))
		case form.bool("deleted"):
			items = slices.Delete(items, index, index+1)
		default:
			f = c.changeItem(items[index], form, at)
		}
		if f != nil {
			return f
		}
	}
	if len(items) == 0 {
		return invalid("", "items", "A subscription must have at least one active plan.")
	}
	o.object("items")["data"] = items
	return nil
}

// changeItem gives an item another price or quantity.
func (c *call) changeItem(item object, form params, at string) *Failure {
	if form.has("price") || form.has("price_data") {
		other, f := c.itemFrom(form, at)
		if f != nil {
			return f
		}
		item["price"], item["plan"] = other["price"], other["plan"]
	}
	quantity, f := form.int("quantity", item.int("quantity"))
	if f != nil {
		return f
	}
	item["quantity"] = quantity
	item["metadata"] = form.metadata(nil)
	return nil
}

// changeEnd makes a subscription end with its period, at a time, or not.
func (c *call) changeEnd(o object) *Failure {
	switch {
	case c.form.has("cancel_at_period_end") && c.form.has("cancel_at"):
		return invalid("", "cancel_at", "You may only specify one of these parameters: cancel_at, cancel_at_period_end.")
	case c.form.bool("cancel_at_period_end"):
		o["cancel_at_period_end"], o["cancel_at"], o["canceled_at"] = true, o["current_period_end"], c.now
		o.object("cancellation_details")["reason"] = "cancellation_requested"
	case c.form.has("cancel_at_period_end") && !o.bool("cancel_at_period_end"): // a date stays
	case c.form.has("cancel_at_period_end"), c.form.has("cancel_at"):
		at, f := c.form.int("cancel_at", 0)
		if f != nil {
			return f
		}
		o["cancel_at_period_end"], o["cancel_at"], o["canceled_at"] = false, orNilInt(at), nil
		o.object("cancellation_details")["reason"] = nil
		if at > 0 {
			o["canceled_at"] = c.now
		}
	}
	return nil
}

// changeTrial moves the end of a trial.
func (c *call) changeTrial(o object) *Failure {
	if !c.form.has("trial_end") {
		return nil
	}
	at, f := c.trialEnd(c.form)
	if f != nil {
		return f
	}
	if at > c.now {
		o["status"], o["trial_end"], o["current_period_end"] = "trialing", at, at
		return nil
	}
	if o.str("status") == "trialing" {
		o["status"], o["trial_end"] = "active", c.now
		o["current_period_start"], o["current_period_end"] = c.now, c.periodEnd(o, c.now)
	}
	return nil
}

// changeRest takes over what needs no thought.
func (c *call) changeRest(o object) *Failure {
	old, _ := o["metadata"].(map[string]string)
	o["metadata"] = c.form.metadata(old)
	if c.form.has("description") {
		o["description"] = orNil(c.form.str("description"))
	}
	if c.form.has("default_payment_method") {
		o["default_payment_method"] = c.method(c.form.str("default_payment_method"), o.str("customer"))["id"]
	}
	if c.form.has("collection_method") {
		method, due, f := c.collection()
		if f != nil {
			return f
		}
		o["collection_method"], o["days_until_due"] = method, orNilInt(due)
	}
	return nil
}

// prorate settles what a change within a period costs. Where the interval is
// another, a new period begins now and is invoiced at once.
func (s *state) prorate(before, o object, behavior string) {
	if o.str("status") == "trialing" {
		return
	}
	old, changed := before.data("items")[0].object("price").object("recurring"), o.data("items")[0].object("price").object("recurring")
	restart := old["interval"] != changed["interval"] || old["interval_count"] != changed["interval_count"]
	var lines []object
	if behavior != "none" {
		start, end := before.int("current_period_start"), before.int("current_period_end")
		for _, item := range before.data("items") {
			lines = append(lines, s.prorated(o, item, -share(total([]object{item}), end-s.now, end-start)))
		}
		for _, item := range o.data("items") {
			if !restart {
				lines = append(lines, s.prorated(o, item, share(total([]object{item}), end-s.now, end-start)))
			}
		}
	}
	switch {
	case restart:
		o["current_period_start"], o["current_period_end"], o["billing_cycle_anchor"] = s.now, s.periodEnd(o, s.now), s.now
		lines = append(lines, s.itemLines(o)...)
	case behavior != "always_invoice":
		pending, _ := o["_pending"].([]object)
		o["_pending"] = append(pending, lines...)
		return
	}
	invoice := s.newInvoice(o, "subscription_update", lines)
	o["latest_invoice"] = invoice["id"]
	s.settle(invoice, charged)
}

// share is amount * part / whole.
func share(amount, part, whole int64) int64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	return amount * part / whole
}

// cancelSubscription ends a subscription at once.
func cancelSubscription(c *call) (object, *Failure) {
	o, f := c.target(kindSubscription)
	if f != nil {
		return nil, f
	}
	if ended(o) {
		return nil, missing(kindSubscription, o.str("id"), "id")
	}
	details := c.form.sub("cancellation_details")
	for _, name := range []string{"comment", "feedback"} {
		if details.has(name) {
			o.object("cancellation_details")[name] = details.str(name)
		}
	}
	c.end(o)
	return o, nil
}
