package paymenttest

import "context"

// CompleteCheckout pays an open checkout as a customer with a good card does. It
// makes the payment, the subscription with its first invoice, or the setup, and
// sends what Stripe sends then, "checkout.session.completed" last. It returns when
// each webhook was sent once.
func (s *Stripe) CompleteCheckout(ctx context.Context, id string) error {
	return s.checkout(ctx, id, func(st *state, o object) *Failure { return st.complete(o, true) })
}

// CompleteCheckoutLater completes an open checkout with a way to pay that takes
// days, as a bank transfer: "checkout.session.completed" says "unpaid".
// [Stripe.SucceedPayment] or [Stripe.FailPayment] end it.
func (s *Stripe) CompleteCheckoutLater(ctx context.Context, id string) error {
	return s.checkout(ctx, id, func(st *state, o object) *Failure { return st.complete(o, false) })
}

// SucceedPayment makes the money of a checkout that was completed unpaid arrive:
// "checkout.session.async_payment_succeeded".
func (s *Stripe) SucceedPayment(ctx context.Context, id string) error {
	return s.checkout(ctx, id, func(st *state, o object) *Failure { return st.clear(o, true) })
}

// FailPayment makes the money of a checkout that was completed unpaid never
// arrive: "checkout.session.async_payment_failed".
func (s *Stripe) FailPayment(ctx context.Context, id string) error {
	return s.checkout(ctx, id, func(st *state, o object) *Failure { return st.clear(o, false) })
}

// DeclineCheckout tries to pay an open checkout with a card that is refused. It
// stays open.
func (s *Stripe) DeclineCheckout(ctx context.Context, id string) error {
	return s.checkout(ctx, id, (*state).refuse)
}

// ExpireCheckout lets the time of an open checkout pass.
func (s *Stripe) ExpireCheckout(ctx context.Context, id string) error {
	return s.checkout(ctx, id, (*state).expire)
}

func (s *Stripe) checkout(ctx context.Context, id string, change func(*state, object) *Failure) error {
	return s.act(ctx, func(st *state) *Failure {
		o := st.find(kindCheckout, id)
		if o == nil {
			return missing(kindCheckout, id, "session")
		}
		return change(st, o)
	})
}

// open refuses a checkout that is over.
func open(o object) *Failure {
	if o.str("status") == "open" {
		return nil
	}
	return invalid("", "", "Only Checkout Sessions with a status in [\"open\"] can be changed. This Checkout Session has a status of "+o.str("status")+".")
}

func (s *state) expire(o object) *Failure {
	if f := open(o); f != nil {
		return f
	}
	o["status"], o["url"] = "expired", nil
	s.emit("checkout.session.expired", o)
	return nil
}

// complete ends a checkout well. Where it is not paid now, the money is on its way.
func (s *state) complete(o object, paid bool) *Failure {
	if f := open(o); f != nil {
		return f
	}
	o["status"], o["url"] = "complete", nil
	s.identify(o)
	switch o.str("mode") {
	case "payment":
		s.completePayment(o, paid)
	case "subscription":
		s.completeSubscription(o, paid)
	case "setup":
		setup := s.newSetup(o.str("customer"), nestedMetadata(o, "_setup_intent_data"))
		o["setup_intent"] = setup["id"]
		s.emit("setup_intent.succeeded", setup)
	}
	s.emit("checkout.session.completed", o)
	return nil
}

// identify finds out who pays: a customer where one is needed.
func (s *state) identify(o object) {
	email := o.str("_email")
	if email == "" {
		email = "buyer@example.com"
	}
	needs := o.str("mode") == "subscription" || o.str("_customer_creation") == "always"
	if o["customer"] == nil && needs {
		customer := s.newCustomer(email, "Test Buyer")
		o["customer"] = customer["id"]
		s.emit("customer.created", customer)
	}
	o["customer_details"] = object{
		"address": nil, "email": email, "name": "Test Buyer", "phone": nil, "tax_exempt": "none", "tax_ids": []object{},
	}
}

func (s *state) completePayment(o object, paid bool) {
	if o.int("amount_total") == 0 {
		o["payment_status"] = "no_payment_required"
		return
	}
	customer := o.str("customer")
	payment := s.newPayment(bill{
		amount: o.int("amount_total"), currency: o.str("currency"), customer: customer,
		method: s.method("", customer).str("id"), metadata: nestedMetadata(o, "_payment_intent_data"),
	})
	o["payment_intent"] = payment["id"]
	s.emit("payment_intent.created", payment)
	if !paid {
		payment["status"] = "processing"
		s.emit("payment_intent.processing", payment)
		return
	}
	s.succeed(payment)
	o["payment_status"] = "paid"
}

func (s *state) completeSubscription(o object, paid bool) {
	sub, invoice := s.subscribe(o, paid)
	o["subscription"], o["invoice"] = sub["id"], orNil(invoice.str("id"))
	switch {
	case sub.str("status") == "trialing" || invoice.int("amount_due") == 0:
		o["payment_status"] = "no_payment_required"
	case paid:
		o["payment_status"] = "paid"
	}
}

// clear ends the payment of a checkout that was completed unpaid.
func (s *state) clear(o object, paid bool) *Failure {
	if o.str("status") != "complete" || o.str("payment_status") != "unpaid" {
		return invalid("", "", "This Checkout Session does not wait for a payment.")
	}
	if invoice := s.find(kindInvoice, o.str("invoice")); invoice != nil {
		s.collect(invoice, paid)
	} else if payment := s.find(kindPayment, o.str("payment_intent")); paid {
		s.succeed(payment)
	} else {
		s.decline(payment)
	}
	if !paid {
		s.emit("checkout.session.async_payment_failed", o)
		return nil
	}
	o["payment_status"] = "paid"
	s.emit("checkout.session.async_payment_succeeded", o)
	return nil
}

// refuse declines the card of an open checkout.
func (s *state) refuse(o object) *Failure {
	if f := open(o); f != nil {
		return f
	}
	if o.str("mode") == "setup" {
		return nil
	}
	payment := s.find(kindPayment, o.str("_declined"))
	if payment == nil {
		payment = s.newPayment(bill{amount: o.int("amount_total"), currency: o.str("currency"), customer: o.str("customer")})
		o["_declined"] = payment["id"]
		s.emit("payment_intent.created", payment)
	}
	s.decline(payment)
	return nil
}

// nestedMetadata is the metadata that a request sent for something else than the
// checkout.
func nestedMetadata(o object, name string) map[string]string {
	data, _ := o[name].(params)
	return data.metadata(nil)
}
