package paymenttest

// basil is the version that moved the periods of subscriptions, and what an
// invoice is for.
const basil = "2025-03-31"

// render writes an object in the shape of a version. Events are in the version
// that they say.
func render(o object, version string) object {
	o = o.clone()
	shape(o, version)
	o.strip()
	return o
}

func shape(o object, version string) {
	switch o.str("object") {
	case "event":
		version = o.str("api_version")
	case "list":
		elements, _ := o["data"].([]object)
		for _, element := range elements {
			shape(element, version)
		}
		return
	}
	if version >= basil {
		o.walk(toBasil)
	}
}

// toBasil rewrites one object.
func toBasil(o object) {
	switch o.str("object") {
	case "subscription":
		subscriptionToBasil(o)
	case "invoice":
		invoiceToBasil(o)
	case "line_item":
		lineToBasil(o)
	case "payment_intent", "charge":
		delete(o, "invoice")
	}
}

func subscriptionToBasil(o object) {
	for _, item := range o.data("items") {
		item["current_period_start"] = o["current_period_start"]
		item["current_period_end"] = o["current_period_end"]
	}
	delete(o, "current_period_start")
	delete(o, "current_period_end")
}

func invoiceToBasil(o object) {
	o["parent"] = nil
	if o["subscription"] != nil {
		o["parent"] = object{
			"type": "subscription_details", "quote_details": nil,
			"subscription_details": object{
				"subscription": o["subscription"], "metadata": o.object("subscription_details")["metadata"],
			},
		}
	}
	for _, gone := range []string{"subscription", "subscription_details", "paid", "paid_out_of_band", "charge", "payment_intent", "quote", "tax"} {
		delete(o, gone)
	}
}

func lineToBasil(o object) {
	price := o.object("price")
	o["pricing"] = object{
		"type": "price_details", "unit_amount_decimal": price["unit_amount_decimal"],
		"price_details": object{"price": price["id"], "product": price["product"]},
	}
	o["parent"] = object{
		"type": "subscription_item_details",
		"subscription_item_details": object{
			"subscription": o["subscription"], "subscription_item": o["subscription_item"], "proration": o["proration"],
		},
	}
	for _, gone := range []string{"price", "plan", "type", "subscription", "subscription_item", "proration"} {
		delete(o, gone)
	}
}
