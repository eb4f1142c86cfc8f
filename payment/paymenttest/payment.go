package paymenttest

// bill is something to be paid for.
type bill struct {
	amount   int64
	currency string
	customer string
	method   string // of payment
	invoice  string // that it is for
	metadata map[string]string
}

// newPayment makes a payment intent for a bill.
func (s *state) newPayment(b bill) object {
	if b.metadata == nil {
		b.metadata = map[string]string{}
	}
	id := s.id(kindPayment)
	return s.add(kindPayment, object{
		"id": id, "object": "payment_intent", "amount": b.amount, "amount_capturable": int64(0), "amount_received": int64(0),
		"canceled_at": nil, "cancellation_reason": nil, "capture_method": "automatic", "client_secret": id + "_secret_test",
		"confirmation_method": "automatic", "created": s.now, "currency": b.currency, "customer": orNil(b.customer),
		"description": nil, "invoice": orNil(b.invoice), "last_payment_error": nil, "latest_charge": nil, "livemode": false,
		"metadata": b.metadata, "next_action": nil, "payment_method": orNil(b.method), "payment_method_types": []string{"card"},
		"processing": nil, "receipt_email": nil, "setup_future_usage": nil, "shipping": nil, "status": "requires_payment_method",
	})
}

// newCharge makes the charge of one attempt to pay.
func (s *state) newCharge(payment object) object {
	o := s.add(kindCharge, object{
		"id": s.id(kindCharge), "object": "charge", "amount": payment["amount"], "amount_captured": int64(0), "amount_refunded": int64(0),
		"balance_transaction": nil, "billing_details": object{"address": nil, "email": nil, "name": nil, "phone": nil},
		"captured": false, "created": s.now, "currency": payment["currency"], "customer": payment["customer"], "description": nil,
		"disputed": false, "failure_code": nil, "failure_message": nil, "invoice": payment["invoice"], "livemode": false,
		"metadata": payment["metadata"], "outcome": nil, "paid": false, "payment_intent": payment["id"],
		"payment_method": payment["payment_method"], "receipt_url": nil, "refunded": false, "status": "pending",
		"_refunds": listOf("/v1/charges/refunds", nil),
	})
	payment["latest_charge"] = o["id"]
	return o
}

// succeed makes a payment succeed.
func (s *state) succeed(payment object) {
	charge := s.newCharge(payment)
	charge["amount_captured"], charge["captured"], charge["paid"], charge["status"] = charge["amount"], true, true, "succeeded"
	charge["outcome"] = object{
		"network_status": "approved_by_network", "reason": nil, "risk_level": "normal", "seller_message": "Payment complete.", "type": "authorized",
	}
	payment["amount_received"], payment["status"] = payment["amount"], "succeeded"
	payment["last_payment_error"], payment["processing"] = nil, nil
	s.emit("charge.succeeded", charge)
	s.emit("payment_intent.succeeded", payment)
}

// decline makes an attempt to pay fail.
func (s *state) decline(payment object) {
	charge := s.newCharge(payment)
	charge["status"], charge["failure_code"], charge["failure_message"] = "failed", "card_declined", "Your card was declined."
	charge["outcome"] = object{
		"network_status": "declined_by_network", "reason": "generic_decline", "risk_level": "normal",
		"seller_message": "The bank did not return any further details with this decline.", "type": "issuer_declined",
	}
	payment["status"] = "requires_payment_method"
	payment["last_payment_error"] = object{
		"charge": charge["id"], "code": "card_declined", "decline_code": "generic_decline", "message": "Your card was declined.", "type": "card_error",
	}
	s.emit("charge.failed", charge)
	s.emit("payment_intent.payment_failed", payment)
}

// method returns a payment method of a customer. Stripe's test names, as
// "pm_card_visa", make one.
func (s *state) method(id, customer string) object {
	if o := s.find(kindMethod, id); o != nil {
		o["customer"] = orNil(customer)
		return o
	}
	return s.add(kindMethod, object{
		"id": s.id(kindMethod), "object": "payment_method", "allow_redisplay": "unspecified",
		"billing_details": object{"address": nil, "email": nil, "name": nil, "phone": nil},
		"card":            object{"brand": "visa", "country": "US", "exp_month": int64(12), "exp_year": int64(2040), "funding": "credit", "last4": "4242"},
		"created":         s.now, "customer": orNil(customer), "livemode": false, "metadata": map[string]string{}, "type": "card",
		"_declines": id == "pm_card_chargeDeclined" || id == "pm_card_chargeCustomerFail",
	})
}

// newSetup makes a setup intent that succeeded.
func (s *state) newSetup(customer string, metadata map[string]string) object {
	if metadata == nil {
		metadata = map[string]string{}
	}
	return s.add(kindSetup, object{
		"id": s.id(kindSetup), "object": "setup_intent", "created": s.now, "customer": orNil(customer), "livemode": false,
		"metadata": metadata, "payment_method": s.method("", customer)["id"], "payment_method_types": []string{"card"},
		"status": "succeeded", "usage": "off_session",
	})
}
