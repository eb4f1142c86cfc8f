package paymenttest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const (
	day             = int64(24 * 60 * 60)
	checkoutLife    = day
	minCheckoutLife = int64(30 * 60)
)

// createCheckout makes a checkout session that waits for the customer.
func createCheckout(c *call) (object, *Failure) {
	mode := c.form.str("mode")
	if f := c.checkCheckout(mode); f != nil {
		return nil, f
	}
	expires, f := c.form.int("expires_at", c.now+checkoutLife)
	if f != nil {
		return nil, f
	}
	if expires < c.now+minCheckoutLife || expires > c.now+checkoutLife {
		return nil, invalid("", "expires_at", "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.")
	}
	customer, f := c.named(kindCustomer, "customer")
	if f != nil {
		return nil, f
	}
	items, f := c.lineItems(mode)
	if f != nil {
		return nil, f
	}
	o := c.newCheckout(mode, items)
	o["expires_at"] = expires
	if customer != nil {
		o["customer"], o["_email"] = customer["id"], customer["email"]
		o["customer_details"] = object{"email": customer["email"], "name": customer["name"], "address": nil, "phone": nil, "tax_exempt": "none", "tax_ids": nil}
	}
	return o, nil
}

// checkCheckout refuses what can be refused without looking anything up.
func (c *call) checkCheckout(mode string) *Failure {
	hosted := c.form.str("ui_mode") != "embedded"
	switch {
	case mode == "":
		return required("mode")
	case !slices.Contains([]string{"payment", "setup", "subscription"}, mode):
		return invalid("", "mode", "Invalid mode: must be one of payment, setup, or subscription")
	case hosted && c.form.str("success_url") == "":
		return required("success_url")
	case mode == "setup" && c.form.has("line_items"):
		return invalid("", "line_items", "You can not pass `line_items` in `setup` mode.")
	case mode != "setup" && len(c.form.list("line_items")) == 0:
		return invalid("parameter_missing", "line_items", "The `line_items` parameter is required in "+mode+" mode.")
	case mode != "subscription" && c.form.has("subscription_data"):
		return invalid("", "subscription_data", "You can not pass `subscription_data` in `"+mode+"` mode.")
	case mode != "payment" && c.form.has("payment_intent_data"):
		return invalid("", "payment_intent_data", "You can not pass `payment_intent_data` in `"+mode+"` mode.")
	case c.form.has("customer") && c.form.has("customer_email"):
		return invalid("", "customer_email", "You may only specify one of these parameters: customer, customer_email.")
	}
	for _, param := range []string{"success_url", "cancel_url"} {
		if f := c.checkURL(param); f != nil {
			return f
		}
	}
	return c.checkEmail("customer_email")
}

// checkURL refuses what is no web address.
func (c *call) checkURL(param string) *Failure {
	text := c.form.str(param)
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return invalid("url_invalid", param, "Not a valid URL")
	}
	return nil
}

// lineItems makes the line items of a checkout.
func (c *call) lineItems(mode string) ([]object, *Failure) {
	var items []object
	for i, form := range c.form.list("line_items") {
		item, f := c.lineItem(form, fmt.Sprintf("line_items[%d]", i))
		if f != nil {
			return nil, f
		}
		items = append(items, item)
	}
	repeats := func(item object) bool { return item.object("price").str("type") == "recurring" }
	switch {
	case mode == "payment" && slices.ContainsFunc(items, repeats):
		return nil, invalid("", "mode", "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.")
	case mode == "subscription" && !slices.ContainsFunc(items, repeats):
		return nil, invalid("", "mode", "You must provide at least one recurring price in `subscription` mode when using prices.")
	}
	for i, item := range items {
		if item["currency"] != items[0]["currency"] {
			return nil, invalid("", fmt.Sprintf("line_items[%d]", i), "The currencies of line items do not match.")
		}
	}
	return items, nil
}

// lineItem makes one of "price" or "price_data", and "quantity".
func (c *call) lineItem(form params, at string) (object, *Failure) {
	price, f := c.priceOf(form, at)
	if f != nil {
		return nil, f
	}
	if !form.has("quantity") {
		return nil, required(nested(at, "quantity"))
	}
	quantity, f := form.int("quantity", 1)
	if f != nil || quantity < 1 {
		return nil, invalid("parameter_invalid_integer", nested(at, "quantity"), "This value must be greater than or equal to 1.")
	}
	total := price.int("unit_amount") * quantity
	return object{
		"id": c.id(kindLineItem), "object": "item", "amount_discount": int64(0), "amount_subtotal": total, "amount_tax": int64(0),
		"amount_total": total, "currency": price["currency"], "description": c.objects[price.str("product")]["name"],
		"price": price.clone(), "quantity": quantity,
	}, nil
}

// priceOf returns the price that is named by "price" or made by "price_data".
func (c *call) priceOf(form params, at string) (object, *Failure) {
	id, data := form.str("price"), form.sub("price_data")
	switch {
	case id != "" && data != nil:
		return nil, invalid("", at, "You may only specify one of these parameters: price, price_data.")
	case data != nil:
		price, f := c.priceFrom(data, nested(at, "price_data"))
		if f != nil {
			return nil, f
		}
		price["active"] = false // it is for this once
		return price, nil
	case id == "":
		return nil, required(nested(at, "price"))
	}
	price := c.find(kindPrice, id)
	switch {
	case price == nil:
		return nil, unknown(kindPrice, id, nested(at, "price"))
	case !price.bool("active"):
		return nil, invalid("price_inactive", nested(at, "price"), "The price specified is inactive. This field only accepts active prices.")
	default:
		return price, nil
	}
}

func (c *call) newCheckout(mode string, items []object) object {
	id := c.id(kindCheckout)
	var total int64
	for _, item := range items {
		total += item.int("amount_total")
	}
	o := object{
		"id": id, "object": "checkout.session", "after_expiration": nil, "allow_promotion_codes": nil,
		"amount_subtotal": nil, "amount_total": nil, "automatic_tax": object{"enabled": false, "liability": nil, "status": nil},
		"billing_address_collection": nil, "cancel_url": orNil(c.form.str("cancel_url")), "client_reference_id": orNil(c.form.str("client_reference_id")),
		"client_secret": nil, "consent": nil, "created": c.now, "currency": nil, "custom_fields": []object{}, "customer": nil,
		"customer_creation": nil, "customer_details": nil, "customer_email": orNil(c.form.str("customer_email")), "expires_at": c.now + checkoutLife,
		"invoice": nil, "livemode": false, "locale": orNil(c.form.str("locale")), "metadata": c.form.metadata(nil), "mode": mode,
		"payment_intent": nil, "payment_link": nil, "payment_method_collection": "if_required", "payment_method_types": c.methodTypes(),
		"payment_status": "unpaid", "recovered_from": nil, "setup_intent": nil, "shipping_details": nil, "status": "open", "subscription": nil,
		"success_url": orNil(c.form.str("success_url")), "ui_mode": "hosted", "url": c.base + "/pay/" + id,
		"total_details": object{"amount_discount": int64(0), "amount_shipping": int64(0), "amount_tax": int64(0)},
		"_line_items":   listOf("/v1/checkout/sessions/"+id+"/line_items", items),
		"_email":        orNil(c.form.str("customer_email")), "_items": c.form.list("line_items"), "_customer_creation": c.form.str("customer_creation"),
		"_payment_intent_data": c.form.sub("payment_intent_data"), "_subscription_data": c.form.sub("subscription_data"),
		"_setup_intent_data": c.form.sub("setup_intent_data"),
	}
	if c.form.has("customer_email") {
		o["customer_details"] = object{"email": c.form.str("customer_email"), "name": nil, "address": nil, "phone": nil, "tax_exempt": "none", "tax_ids": nil}
	}
	if mode == "setup" {
		o["payment_status"] = "no_payment_required"
	} else {
		o["amount_subtotal"], o["amount_total"], o["currency"] = total, total, items[0]["currency"]
	}
	return c.add(kindCheckout, o)
}

func (c *call) methodTypes() []string {
	if types := c.form.strs("payment_method_types"); len(types) > 0 {
		return types
	}
	return []string{"card"}
}

func checkoutLineItems(c *call) (object, *Failure) {
	o, f := c.target(kindCheckout)
	if f != nil {
		return nil, f
	}
	all := func(object) bool { return true }
	return c.page(kindLineItem, slices.Clone(o.data("_line_items")), all)
}

func expireCheckout(c *call) (object, *Failure) {
	o, f := c.target(kindCheckout)
	if f != nil {
		return nil, f
	}
	return o, c.expire(o)
}

// returnURL fills the id of a checkout into the URL that the customer returns to.
func returnURL(o object) string {
	return strings.ReplaceAll(o.str("success_url"), "{CHECKOUT_SESSION_ID}", o.str("id"))
}
