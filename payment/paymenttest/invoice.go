package paymenttest

import "fmt"

// newInvoice makes an open invoice of a subscription.
func (s *state) newInvoice(sub object, reason string, lines []object) object {
	var sum int64
	for _, line := range lines {
		sum += line.int("amount")
	}
	due := max(sum, 0) // less than nothing is credit, which we do not carry on
	customer := s.find(kindCustomer, sub.str("customer"))
	id := s.id(kindInvoice)
	for _, line := range lines {
		line["invoice"] = id
	}
	o := object{
		"id": id, "object": "invoice", "account_country": "US", "account_name": "Test", "amount_due": due, "amount_paid": int64(0),
		"amount_remaining": due, "amount_shipping": int64(0), "attempt_count": int64(0), "attempted": false, "auto_advance": true,
		"automatic_tax": object{"enabled": false, "liability": nil, "status": nil}, "billing_reason": reason, "charge": nil,
		"collection_method": sub["collection_method"], "created": s.now, "currency": sub["currency"], "customer": sub["customer"],
		"customer_email": customer["email"], "customer_name": customer["name"], "default_payment_method": nil, "description": nil, "discount": nil,
		"due_date": nil, "ending_balance": int64(0), "hosted_invoice_url": s.base + "/pay/" + id, "invoice_pdf": s.base + "/pay/" + id + "/pdf",
		"lines": listOf("/v1/invoices/"+id+"/lines", lines), "livemode": false, "metadata": map[string]string{}, "next_payment_attempt": nil,
		"number": fmt.Sprintf("TEST-%04d", s.made[kindInvoice]), "paid": false, "paid_out_of_band": false, "payment_intent": nil,
		"period_end": sub["current_period_end"], "period_start": sub["current_period_start"], "receipt_number": nil, "starting_balance": int64(0),
		"status": "open", "status_transitions": object{"finalized_at": s.now, "marked_uncollectible_at": nil, "paid_at": nil, "voided_at": nil},
		"subscription": sub["id"], "subscription_details": object{"metadata": sub["metadata"]}, "subtotal": sum, "tax": nil, "total": sum,
		"webhooks_delivered_at": nil,
	}
	if sub.str("collection_method") == "send_invoice" {
		o["due_date"] = s.now + sub.int("days_until_due")*day
	}
	s.add(kindInvoice, o)
	s.emit("invoice.created", o)
	s.emit("invoice.finalized", o)
	return o
}

// newLine makes a line of an invoice.
func (s *state) newLine(price object, quantity, amount int64) object {
	return object{
		"id": s.id(kindInvoiceLine), "object": "line_item", "amount": amount, "amount_excluding_tax": amount, "currency": price["currency"],
		"description": fmt.Sprintf("%d × %s", quantity, s.objects[price.str("product")].str("name")), "discountable": true, "livemode": false,
		"metadata": map[string]string{}, "period": object{"start": s.now, "end": s.now}, "plan": nil, "price": price.clone(), "proration": false,
		"quantity": quantity, "subscription": nil, "subscription_item": nil, "type": "invoiceitem",
	}
}

// itemLine makes the line of a subscription's item.
func (s *state) itemLine(sub, item object, amount int64) object {
	line := s.newLine(item.object("price"), item.int("quantity"), amount)
	line["period"] = object{"start": sub["current_period_start"], "end": sub["current_period_end"]}
	line["plan"], line["subscription"], line["subscription_item"], line["type"] = item["plan"], sub["id"], item["id"], "subscription"
	return line
}

// itemLines makes the lines of a period.
func (s *state) itemLines(sub object) []object {
	items := sub.data("items")
	lines := make([]object, 0, len(items))
	for _, item := range items {
		lines = append(lines, s.itemLine(sub, item, total([]object{item})))
	}
	return lines
}

// prorated makes the line of a part of a period.
func (s *state) prorated(sub, item object, amount int64) object {
	line := s.itemLine(sub, item, amount)
	line["period"] = object{"start": s.now, "end": sub["current_period_end"]}
	line["proration"] = true
	return line
}

// settle does with a new invoice what its subscription says.
func (s *state) settle(invoice object, pay payment) {
	switch {
	case invoice.int("amount_due") == 0:
		s.paid(invoice)
	case invoice.str("collection_method") == "send_invoice":
		s.emit("invoice.sent", invoice)
	case pay == charged, pay == refused:
		s.collect(invoice, pay == charged)
	default:
		intent := s.intent(invoice)
		if pay == delayed {
			intent["status"] = "processing"
			s.emit("payment_intent.processing", intent)
		}
	}
}

// intent returns the payment of an invoice.
func (s *state) intent(invoice object) object {
	if o := s.find(kindPayment, invoice.str("payment_intent")); o != nil {
		return o
	}
	sub := s.find(kindSubscription, invoice.str("subscription"))
	o := s.newPayment(bill{
		amount: invoice.int("amount_due"), currency: invoice.str("currency"), customer: invoice.str("customer"),
		method: s.methodFor(sub.str("default_payment_method"), invoice.str("customer")).str("id"), invoice: invoice.str("id"),
	})
	invoice["payment_intent"] = o["id"]
	return o
}

// collect tries to get the money of an invoice.
func (s *state) collect(invoice object, succeeds bool) {
	intent := s.intent(invoice)
	invoice["attempted"], invoice["attempt_count"] = true, invoice.int("attempt_count")+1
	if succeeds {
		s.succeed(intent)
		invoice["charge"] = intent["latest_charge"]
		s.paid(invoice)
		return
	}
	s.decline(intent)
	invoice["charge"], invoice["next_payment_attempt"] = intent["latest_charge"], s.now+3*day
	s.emit("invoice.payment_failed", invoice)
	if sub := s.find(kindSubscription, invoice.str("subscription")); sub.str("status") == "active" {
		s.become(sub, "past_due")
	}
}

// paid marks an invoice as paid, and heals its subscription.
func (s *state) paid(invoice object) {
	invoice["status"], invoice["paid"], invoice["amount_paid"], invoice["amount_remaining"] = "paid", true, invoice["amount_due"], int64(0)
	invoice["attempted"], invoice["next_payment_attempt"] = true, nil
	invoice.object("status_transitions")["paid_at"] = s.now
	s.emit("invoice.paid", invoice)
	s.emit("invoice.payment_succeeded", invoice)
	sub := s.find(kindSubscription, invoice.str("subscription"))
	if sub["latest_invoice"] != invoice["id"] {
		return
	}
	switch sub.str("status") {
	case "incomplete", "past_due", "unpaid":
		s.become(sub, "active")
	}
}

// become gives a subscription another status.
func (s *state) become(sub object, status string) {
	before := sub.clone()
	sub["status"] = status
	s.emitChange("customer.subscription.updated", before, sub)
}

// pay pays an open invoice.
func (s *state) pay(invoice object) *Failure {
	switch invoice.str("status") {
	case "open":
		s.collect(invoice, true)
		return nil
	case "paid":
		return invalid("", "", "Invoice is already paid")
	default:
		return invalid("", "", "Invoice is "+invoice.str("status")+" and can not be paid.")
	}
}

func payInvoice(c *call) (object, *Failure) {
	o, f := c.target(kindInvoice)
	if f != nil {
		return nil, f
	}
	sub := c.find(kindSubscription, o.str("subscription"))
	if o.str("status") == "open" && c.methodFor(sub.str("default_payment_method"), o.str("customer")).bool("_declines") {
		c.collect(o, false)
		declined := Declined("")
		return nil, &declined
	}
	return o, c.pay(o)
}

func voidInvoice(c *call) (object, *Failure) {
	o, f := c.target(kindInvoice)
	if f != nil {
		return nil, f
	}
	if o.str("status") != "open" {
		return nil, invalid("", "", "You can only pass in open or uncollectible invoices. This invoice is "+o.str("status")+".")
	}
	o["status"] = "void"
	o.object("status_transitions")["voided_at"] = c.now
	c.emit("invoice.voided", o)
	return o, nil
}

// upcomingInvoice shows what the next invoice of a subscription will be.
func upcomingInvoice(c *call) (object, *Failure) {
	var sub object
	for _, o := range c.all(kindSubscription) {
		mine := c.form.str("customer") == "" || o["customer"] == c.form.str("customer")
		named := c.form.str("subscription") == "" || o["id"] == c.form.str("subscription")
		if mine && named && !ended(o) && !o.bool("cancel_at_period_end") {
			sub = o
		}
	}
	if sub == nil {
		return nil, &Failure{Status: 404, Code: "invoice_upcoming_none", Message: "No upcoming invoices for customer: '" + c.form.str("customer") + "'"}
	}
	preview := state{seed: c.seed, now: c.now, base: c.base, made: map[kind]int{}, objects: map[string]object{}, order: map[kind][]string{}}
	next := sub.clone()
	next["current_period_start"] = sub["current_period_end"]
	next["current_period_end"] = c.periodEnd(sub, sub.int("current_period_end"))
	lines, _ := sub["_pending"].([]object)
	preview.objects[sub.str("customer")] = c.objects[sub.str("customer")]
	o := preview.newInvoice(next, "upcoming", append(clones(lines), preview.itemLines(next)...))
	o["status"] = "draft"
	delete(o, "id") // it is not there yet
	return o, nil
}
