package paymenttest

import (
	"fmt"
	"slices"
	"strconv"
)

// plan is what a subscription is to be.
type plan struct {
	customer   string
	method     string // of payment
	items      []object
	collection string // "charge_automatically" or "send_invoice"
	due        int64  // days, for send_invoice
	trialEnd   int64
	metadata   map[string]string
}

// newSubscription makes a subscription that has not begun.
func (s *state) newSubscription(p plan) object {
	if p.metadata == nil {
		p.metadata = map[string]string{}
	}
	id := s.id(kindSubscription)
	for _, item := range p.items {
		item["subscription"] = id
	}
	o := object{
		"id": id, "object": "subscription", "application": nil, "application_fee_percent": nil, "automatic_tax": object{"enabled": false, "liability": nil},
		"billing_cycle_anchor": s.now, "billing_thresholds": nil, "cancel_at": nil, "cancel_at_period_end": false, "canceled_at": nil,
		"cancellation_details": object{"comment": nil, "feedback": nil, "reason": nil}, "collection_method": p.collection, "created": s.now,
		"currency": p.items[0].object("price")["currency"], "current_period_start": s.now, "current_period_end": s.now, "customer": p.customer,
		"days_until_due": orNilInt(p.due), "default_payment_method": orNil(p.method), "default_source": nil, "default_tax_rates": []object{},
		"description": nil, "discount": nil, "ended_at": nil, "items": listOf("/v1/subscription_items?subscription="+id, p.items),
		"latest_invoice": nil, "livemode": false, "metadata": p.metadata, "next_pending_invoice_item_invoice": nil, "on_behalf_of": nil,
		"pause_collection": nil, "payment_settings": object{"payment_method_options": nil, "payment_method_types": nil, "save_default_payment_method": "off"},
		"pending_setup_intent": nil, "pending_update": nil, "schedule": nil, "start_date": s.now, "status": "incomplete", "test_clock": nil,
		"transfer_data": nil, "trial_end": orNilInt(p.trialEnd), "trial_start": nil,
	}
	o["current_period_end"] = s.periodEnd(o, s.now)
	if p.trialEnd > s.now {
		o["trial_start"], o["current_period_end"], o["billing_cycle_anchor"] = s.now, p.trialEnd, p.trialEnd
	}
	return s.add(kindSubscription, o)
}

// newItem makes a subscription item.
func (s *state) newItem(price object, quantity int64) object {
	return object{
		"id": s.id(kindItem), "object": "subscription_item", "billing_thresholds": nil, "created": s.now, "metadata": map[string]string{},
		"plan": planOf(price), "price": price.clone(), "quantity": quantity, "tax_rates": []object{},
	}
}

// planOf is a price as it was called once.
func planOf(price object) object {
	r := price.object("recurring")
	return object{
		"id": price["id"], "object": "plan", "active": true, "amount": price["unit_amount"], "created": price["created"],
		"currency": price["currency"], "interval": r["interval"], "interval_count": r["interval_count"], "livemode": false,
		"metadata": map[string]string{}, "nickname": nil, "product": price["product"], "usage_type": "licensed",
	}
}

// createSubscription makes a subscription, and collects or sends the first invoice.
func createSubscription(c *call) (object, *Failure) {
	p, f := c.planFrom()
	if f != nil {
		return nil, f
	}
	if p.method != "" {
		p.method = c.method(p.method, p.customer).str("id")
	}
	behavior := c.form.str("payment_behavior")
	owes := p.collection == "charge_automatically" && p.trialEnd <= c.now && total(p.items) > 0
	method := c.methodFor(p.method, p.customer)
	declined := method.bool("_declines")
	switch {
	case owes && method == nil && behavior != "default_incomplete":
		return nil, invalid("resource_missing", "", "This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.")
	case owes && declined && behavior == "error_if_incomplete":
		refused := Declined("")
		return nil, &refused
	}
	o := c.newSubscription(p)
	pay := charged
	switch {
	case behavior == "default_incomplete":
		pay = owed
	case declined:
		pay = refused
	}
	c.start(o, nil, pay)
	return o, nil
}

// methodFor returns how is paid: the default of the subscription, or else of the
// customer. It is nil where there is none.
func (s *state) methodFor(method, customer string) object {
	if method == "" {
		method = s.find(kindCustomer, customer).object("invoice_settings").str("default_payment_method")
	}
	return s.find(kindMethod, method)
}

// planFrom reads what a subscription is to be.
func (c *call) planFrom() (plan, *Failure) {
	if c.form.str("customer") == "" {
		return plan{}, required("customer")
	}
	customer, f := c.named(kindCustomer, "customer")
	if f != nil {
		return plan{}, f
	}
	p := plan{customer: customer.str("id"), method: c.form.str("default_payment_method"), metadata: c.form.metadata(nil)}
	if p.collection, p.due, f = c.collection(); f != nil {
		return plan{}, f
	}
	if p.trialEnd, f = c.trialEnd(c.form); f != nil {
		return plan{}, f
	}
	if len(c.form.list("items")) == 0 {
		return plan{}, required("items")
	}
	for i, form := range c.form.list("items") {
		item, f := c.itemFrom(form, fmt.Sprintf("items[%d]", i))
		if f != nil {
			return plan{}, f
		}
		p.items = append(p.items, item)
	}
	return p, nil
}

// collection reads how a subscription is paid.
func (c *call) collection() (method string, due int64, f *Failure) {
	method = c.form.str("collection_method")
	if method == "" {
		method = "charge_automatically"
	}
	due, f = c.form.int("days_until_due", 0)
	switch {
	case f != nil:
		return "", 0, f
	case !slices.Contains([]string{"charge_automatically", "send_invoice"}, method):
		return "", 0, invalid("", "collection_method", "Invalid collection_method: must be one of charge_automatically or send_invoice")
	case method == "send_invoice" && !c.form.has("days_until_due"):
		return "", 0, invalid("parameter_missing", "days_until_due", "When creating an invoice or subscription with `collection_method=send_invoice`, you must specify `days_until_due`.")
	case method != "send_invoice" && c.form.has("days_until_due"):
		return "", 0, invalid("", "days_until_due", "You can only set `days_until_due` when `collection_method` is `send_invoice`.")
	}
	return method, due, nil
}

// trialEnd reads when a trial ends, zero where there is none.
func (c *call) trialEnd(form params) (int64, *Failure) {
	days, f := form.int("trial_period_days", 0)
	if f != nil || days > 0 {
		return c.now + days*day, f
	}
	if form.str("trial_end") == "now" {
		return 0, nil
	}
	return form.int("trial_end", 0)
}

// itemFrom makes a subscription item of "price" or "price_data", and "quantity".
func (c *call) itemFrom(form params, at string) (object, *Failure) {
	price, f := c.priceOf(form, at)
	if f != nil {
		return nil, f
	}
	if price.str("type") != "recurring" {
		return nil, invalid("", nested(at, "price"), "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.")
	}
	quantity, f := form.int("quantity", 1)
	if f != nil || quantity < 0 {
		return nil, invalid("parameter_invalid_integer", nested(at, "quantity"), "Invalid non-negative integer")
	}
	return c.newItem(price, quantity), nil
}

// subscribe makes the subscription of a checkout.
func (s *state) subscribe(checkout object, paid bool) (sub, invoice object) {
	customer := checkout.str("customer")
	data, _ := checkout["_subscription_data"].(params)
	days, _ := strconv.ParseInt(data.str("trial_period_days"), 10, 64)
	p := plan{
		customer: customer, method: s.method("", customer).str("id"), collection: "charge_automatically", metadata: data.metadata(nil),
	}
	if days > 0 {
		p.trialEnd = s.now + days*day
	}
	var once []object
	for _, item := range checkout.data("_line_items") {
		price, quantity := item.object("price"), item.int("quantity")
		if price.str("type") == "recurring" {
			p.items = append(p.items, s.newItem(price, quantity))
		} else {
			once = append(once, s.newLine(price, quantity, price.int("unit_amount")*quantity))
		}
	}
	sub = s.newSubscription(p)
	pay := charged
	if !paid {
		pay = delayed
	}
	return sub, s.start(sub, once, pay)
}

// total is what items cost in a period.
func total(items []object) int64 {
	var sum int64
	for _, item := range items {
		sum += item.object("price").int("unit_amount") * item.int("quantity")
	}
	return sum
}

// ended tells whether a subscription is over.
func ended(o object) bool {
	return o.str("status") == "canceled" || o.str("status") == "incomplete_expired"
}

// subscriptionStatus lets pass by "status": those not canceled where it is absent.
func subscriptionStatus(c *call, o object) bool {
	switch want := c.form.str("status"); want {
	case "":
		return !ended(o)
	case "all":
		return true
	case "ended":
		return ended(o)
	default:
		return o.str("status") == want
	}
}

// subscriptionPrice lets pass by "price".
func subscriptionPrice(c *call, o object) bool {
	want := c.form.str("price")
	return want == "" || slices.ContainsFunc(o.data("items"), func(item object) bool { return item.object("price").str("id") == want })
}
