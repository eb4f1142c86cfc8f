package paymenttest

import "slices"

// SendTo sends every event to a URL from now on, signed with
// [Stripe.WebhookSecret], in the version of the account. It returns the id of the
// endpoint, which is listed by the API as if someone had made it at the dashboard.
func (s *Stripe) SendTo(url string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(nil)
	return s.state.newEndpoint(url, s.secret, s.state.version, []string{"*"}).str("id")
}

func (s *state) newEndpoint(url, secret, version string, events []string) object {
	return s.add(kindEndpoint, object{
		"id": s.id(kindEndpoint), "object": "webhook_endpoint", "api_version": version, "application": nil, "created": s.now,
		"description": nil, "enabled_events": events, "livemode": false, "metadata": map[string]string{}, "status": "enabled", "url": url,
		"_secret": secret,
	})
}

// createEndpoint is the one answer that tells the secret.
func createEndpoint(c *call) (object, *Failure) {
	if c.form.str("url") == "" {
		return nil, required("url")
	}
	if f := c.checkURL("url"); f != nil {
		return nil, f
	}
	events := c.form.strs("enabled_events")
	if len(events) == 0 {
		return nil, required("enabled_events")
	}
	version := c.form.str("api_version")
	if version == "" {
		version = c.version
	}
	o := c.newEndpoint(c.form.str("url"), "", version, events)
	o["_secret"] = "whsec_" + o.str("id")
	o["description"] = orNil(c.form.str("description"))
	o["metadata"] = c.form.metadata(nil)
	told := o.clone()
	told["secret"] = o["_secret"]
	return told, nil
}

func updateEndpoint(c *call) (object, *Failure) {
	o, f := c.target(kindEndpoint)
	if f != nil {
		return nil, f
	}
	if f := c.checkURL("url"); f != nil {
		return nil, f
	}
	if c.form.has("url") {
		o["url"] = c.form.str("url")
	}
	if events := c.form.strs("enabled_events"); len(events) > 0 {
		o["enabled_events"] = events
	}
	if c.form.has("disabled") {
		o["status"] = "enabled"
		if c.form.bool("disabled") {
			o["status"] = "disabled"
		}
	}
	if c.form.has("description") {
		o["description"] = orNil(c.form.str("description"))
	}
	old, _ := o["metadata"].(map[string]string)
	o["metadata"] = c.form.metadata(old)
	return o, nil
}

func deleteEndpoint(c *call) (object, *Failure) {
	o, f := c.target(kindEndpoint)
	if f != nil {
		return nil, f
	}
	c.remove(kindEndpoint, o.str("id"))
	return object{"id": o["id"], "object": "webhook_endpoint", "deleted": true}, nil
}

// wants tells whether events of a type are sent to an endpoint.
func wants(endpoint object, typ string) bool {
	events, _ := endpoint["enabled_events"].([]string)
	return endpoint.str("status") == "enabled" && (slices.Contains(events, "*") || slices.Contains(events, typ))
}
