package paymenttest

import (
	"fmt"
	"net/http"
)

// createRefund gives back a charge, whole or in part.
func createRefund(c *call) (object, *Failure) {
	charge, f := c.refundable()
	if f != nil {
		return nil, f
	}
	left := charge.int("amount") - charge.int("amount_refunded")
	if left == 0 {
		return nil, invalid("charge_already_refunded", "", "Charge "+charge.str("id")+" has already been refunded.")
	}
	amount, f := c.form.int("amount", left)
	switch {
	case f != nil:
		return nil, f
	case amount < 1:
		return nil, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	case amount > left:
		return nil, invalid("", "amount", fmt.Sprintf("Refund amount (%d) is greater than unrefunded amount on charge (%d)", amount, left))
	}
	return c.refund(charge, amount), nil
}

// refundable returns the charge that is to be given back.
func (c *call) refundable() (object, *Failure) {
	if !c.form.has("charge") && !c.form.has("payment_intent") {
		return nil, invalid("parameter_missing", "", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	charge, f := c.named(kindCharge, "charge")
	if f != nil {
		return nil, f
	}
	intent, f := c.named(kindPayment, "payment_intent")
	if f != nil {
		return nil, f
	}
	if charge == nil {
		charge = c.find(kindCharge, intent.str("latest_charge"))
	}
	if !charge.bool("paid") {
		return nil, &Failure{
			Status: http.StatusBadRequest, Code: "payment_intent_unexpected_state",
			Message: "This PaymentIntent (" + intent.str("id") + ") does not have a successful charge to refund.",
		}
	}
	return charge, nil
}

func (c *call) refund(charge object, amount int64) object {
	o := c.add(kindRefund, object{
		"id": c.id(kindRefund), "object": "refund", "amount": amount, "balance_transaction": nil, "charge": charge["id"], "created": c.now,
		"currency": charge["currency"], "metadata": c.form.metadata(nil), "payment_intent": charge["payment_intent"],
		"reason": orNil(c.form.str("reason")), "receipt_number": nil, "source_transfer_reversal": nil, "status": "succeeded", "transfer_reversal": nil,
	})
	before := charge.clone()
	charge["amount_refunded"] = charge.int("amount_refunded") + amount
	charge["refunded"] = charge["amount_refunded"] == charge["amount"]
	refunds := charge.object("_refunds")
	refunds["data"] = append([]object{o.clone()}, charge.data("_refunds")...)
	c.emit("refund.created", o)
	c.emitChange("charge.refunded", before, charge)
	return o
}
