package paymenttest

// createPortal makes a session of the page on which customers help themselves.
func createPortal(c *call) (object, *Failure) {
	if c.form.str("customer") == "" {
		return nil, required("customer")
	}
	customer, f := c.named(kindCustomer, "customer")
	if f != nil {
		return nil, f
	}
	if f := c.checkURL("return_url"); f != nil {
		return nil, f
	}
	id := c.id(kindPortal)
	return c.add(kindPortal, object{
		"id": id, "object": "billing_portal.session", "configuration": "bpc_" + c.seed, "created": c.now, "customer": customer["id"],
		"flow": nil, "livemode": false, "locale": orNil(c.form.str("locale")), "on_behalf_of": nil,
		"return_url": orNil(c.form.str("return_url")), "url": c.base + "/portal/" + id,
	}), nil
}
