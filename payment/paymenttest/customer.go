package paymenttest

import "strings"

func createCustomer(c *call) (object, *Failure) {
	if f := c.checkEmail("email"); f != nil {
		return nil, f
	}
	o := c.newCustomer(c.form.str("email"), c.form.str("name"))
	c.describeCustomer(o)
	c.emit("customer.created", o)
	return o, nil
}

// newCustomer makes a customer, as the API and a checkout do.
func (s *state) newCustomer(email, name string) object {
	return s.add(kindCustomer, object{
		"id": s.id(kindCustomer), "object": "customer", "address": nil, "balance": int64(0), "created": s.now, "currency": nil,
		"default_source": nil, "delinquent": false, "description": nil, "discount": nil, "email": orNil(email),
		"invoice_prefix": "TEST", "invoice_settings": object{"custom_fields": nil, "default_payment_method": nil, "footer": nil},
		"livemode": false, "metadata": map[string]string{}, "name": orNil(name), "phone": nil, "preferred_locales": []string{},
		"shipping": nil, "tax_exempt": "none", "test_clock": nil,
	})
}

// describeCustomer takes over what a request says of a customer.
func (c *call) describeCustomer(o object) {
	for _, name := range []string{"email", "name", "phone", "description"} {
		if c.form.has(name) {
			o[name] = orNil(c.form.str(name))
		}
	}
	method := c.form.str("payment_method")
	if settings := c.form.sub("invoice_settings"); settings.has("default_payment_method") {
		method = settings.str("default_payment_method")
	}
	if method != "" {
		o.object("invoice_settings")["default_payment_method"] = c.method(method, o.str("id")).str("id")
	}
	old, _ := o["metadata"].(map[string]string)
	o["metadata"] = c.form.metadata(old)
}

// checkEmail refuses what is no e-mail address at a glance, as Stripe does.
func (c *call) checkEmail(param string) *Failure {
	email := c.form.str(param)
	local, domain, ok := strings.Cut(email, "@")
	if email == "" || (ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(email, " \t\r\n")) {
		return nil
	}
	return invalid("email_invalid", param, "Invalid email address: "+email)
}

// getCustomer answers what is left of a deleted customer, too.
func getCustomer(c *call) (object, *Failure) {
	if o := c.objects[deleted(c.r.PathValue("id"))]; o != nil {
		return o, nil
	}
	return c.target(kindCustomer)
}

func updateCustomer(c *call) (object, *Failure) {
	o, f := c.target(kindCustomer)
	if f != nil {
		return nil, f
	}
	if f := c.checkEmail("email"); f != nil {
		return nil, f
	}
	before := o.clone()
	c.describeCustomer(o)
	c.emitChange("customer.updated", before, o)
	return o, nil
}

// deleteCustomer takes a customer away and ends the subscriptions.
func deleteCustomer(c *call) (object, *Failure) {
	o, f := c.target(kindCustomer)
	if f != nil {
		return nil, f
	}
	id := o.str("id")
	for _, sub := range c.all(kindSubscription) {
		if sub.str("customer") == id && !ended(sub) {
			c.end(sub)
		}
	}
	c.remove(kindCustomer, id)
	c.emit("customer.deleted", o)
	gone := object{"id": id, "object": "customer", "deleted": true}
	c.objects[deleted(id)] = gone
	return gone, nil
}

// deleted is where what is left of a deleted object is kept.
func deleted(id string) string { return "deleted " + id }
