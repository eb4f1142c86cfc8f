package paymenttest

import (
	"net/http"
)

// call is one request to the API, while it is carried out.
type call struct {
	*state
	form params
	r    *http.Request
}

// endpoint carries out a call and returns what is answered.
type endpoint func(*call) (object, *Failure)

// target returns the object that the path names.
func (c *call) target(k kind) (object, *Failure) {
	id := c.r.PathValue("id")
	o := c.find(k, id)
	if o == nil {
		return nil, missing(k, id, pathParam(k))
	}
	return o, nil
}

// pathParam is how Stripe names the object of the path in errors.
func pathParam(k kind) string {
	switch k {
	case kindCheckout:
		return "session"
	case kindPayment:
		return "intent"
	default:
		return "id"
	}
}

// get is the endpoint that returns the object which the path names.
func get(k kind) endpoint {
	return func(c *call) (object, *Failure) { return c.target(k) }
}

// named returns the object that a parameter names, nil where it was not sent.
func (c *call) named(k kind, param string) (object, *Failure) {
	id := c.form.str(param)
	if id == "" {
		return nil, nil
	}
	o := c.find(k, id)
	if o == nil {
		return nil, unknown(k, id, param)
	}
	return o, nil
}
