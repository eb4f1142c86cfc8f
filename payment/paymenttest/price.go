package paymenttest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Price is what a shop sells, and for how much.
type Price struct {
	// ID is the price's, as "price_basic". Empty makes one.
	ID string
	// Product is the name of what is sold. Defaults to ID. Prices of one name are
	// of one product.
	Product string
	// Amount is in the smallest unit of the currency: 1999 is 19.99 €.
	Amount int64
	// Currency is a three-letter code in lower case. Defaults to "usd".
	Currency string
	// Interval is "day", "week", "month" or "year" for what is paid again and
	// again, empty for what is paid once.
	Interval string
	// IntervalCount is how many intervals are between payments. Defaults to 1.
	IntervalCount int64
	// LookupKey is a name of one's own.
	LookupKey string
	// Metadata is kept with the price.
	Metadata map[string]string
}

// AddPrice adds a price to the shop and returns its id. One with the same id is
// replaced.
func (s *Stripe) AddPrice(p Price) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(nil)
	st := &s.state
	if p.ID == "" {
		p.ID = st.id(kindPrice)
	}
	if p.Product == "" {
		p.Product = p.ID
	}
	if p.Currency == "" {
		p.Currency = "usd"
	}
	product := st.productNamed(p.Product)
	o := st.newPrice(p.ID, product.str("id"), p.Currency, p.Amount, recurring(p.Interval, p.IntervalCount))
	o["lookup_key"] = orNil(p.LookupKey)
	if p.Metadata != nil {
		o["metadata"] = maps.Clone(p.Metadata)
	}
	return p.ID
}

// productNamed finds the product of a name, or makes it.
func (s *state) productNamed(name string) object {
	for _, o := range s.all(kindProduct) {
		if o.str("name") == name {
			return o
		}
	}
	return s.newProduct(s.id(kindProduct), name)
}

func (s *state) newProduct(id, name string) object {
	return s.add(kindProduct, object{
		"id": id, "object": "product", "active": true, "created": s.now, "default_price": nil, "description": nil,
		"images": []string{}, "livemode": false, "metadata": map[string]string{}, "name": name, "type": "service", "updated": s.now,
	})
}

func (s *state) newPrice(id, product, currency string, amount int64, recurring object) object {
	o := object{
		"id": id, "object": "price", "active": true, "billing_scheme": "per_unit", "created": s.now,
		"currency": strings.ToLower(currency), "custom_unit_amount": nil, "livemode": false, "lookup_key": nil,
		"metadata": map[string]string{}, "nickname": nil, "product": product, "recurring": nil, "tax_behavior": "unspecified",
		"tiers_mode": nil, "transform_quantity": nil, "type": "one_time", "unit_amount": amount,
		"unit_amount_decimal": strconv.FormatInt(amount, 10),
	}
	if recurring != nil {
		o["recurring"], o["type"] = recurring, "recurring"
	}
	return s.add(kindPrice, o)
}

// recurring says how often a price is paid, nil for once.
func recurring(interval string, count int64) object {
	if interval == "" {
		return nil
	}
	return object{
		"aggregate_usage": nil, "interval": interval, "interval_count": max(count, 1), "meter": nil,
		"trial_period_days": nil, "usage_type": "licensed",
	}
}

func createProduct(c *call) (object, *Failure) {
	if c.form.str("name") == "" {
		return nil, required("name")
	}
	id := c.form.str("id")
	if id == "" {
		id = c.id(kindProduct)
	}
	if c.objects[id] != nil {
		return nil, invalid("resource_already_exists", "id", "Product already exists.")
	}
	o := c.newProduct(id, c.form.str("name"))
	o["description"] = orNil(c.form.str("description"))
	o["metadata"] = c.form.metadata(nil)
	c.emit("product.created", o)
	return o, nil
}

func createPrice(c *call) (object, *Failure) {
	o, f := c.priceFrom(c.form, "")
	if f != nil {
		return nil, f
	}
	o["nickname"] = orNil(c.form.str("nickname"))
	o["lookup_key"] = orNil(c.form.str("lookup_key"))
	o["metadata"] = c.form.metadata(nil)
	c.emit("price.created", o)
	return o, nil
}

// priceFrom makes a price of parameters, those of /v1/prices or of a price_data.
// At is where they are, "line_items[0][price_data]", for errors.
func (c *call) priceFrom(form params, at string) (object, *Failure) {
	if form.str("currency") == "" {
		return nil, required(nested(at, "currency"))
	}
	if form.str("unit_amount") == "" && form.str("unit_amount_decimal") == "" {
		return nil, required(nested(at, "unit_amount"))
	}
	amount, f := form.int("unit_amount", 0)
	if f != nil || amount < 0 {
		return nil, invalid("parameter_invalid_integer", nested(at, "unit_amount"), "Invalid non-negative integer")
	}
	count, f := form.sub("recurring").int("interval_count", 1)
	if f != nil {
		return nil, f
	}
	interval := form.sub("recurring").str("interval")
	if form.has("recurring") && !slices.Contains([]string{"day", "week", "month", "year"}, interval) {
		return nil, invalid("", nested(at, "recurring[interval]"), "Invalid recurring[interval]: must be one of day, month, week, or year")
	}
	product, f := c.productFrom(form, at)
	if f != nil {
		return nil, f
	}
	return c.newPrice(c.id(kindPrice), product, form.str("currency"), amount, recurring(interval, count)), nil
}

// productFrom returns the id of the product that a price is of.
func (c *call) productFrom(form params, at string) (string, *Failure) {
	if data := form.sub("product_data"); data != nil {
		if data.str("name") == "" {
			return "", required(nested(at, "product_data[name]"))
		}
		o := c.newProduct(c.id(kindProduct), data.str("name"))
		o["description"] = orNil(data.str("description"))
		o["metadata"] = data.metadata(nil)
		return o.str("id"), nil
	}
	id := form.str("product")
	switch {
	case id == "":
		return "", required(nested(at, "product"))
	case c.find(kindProduct, id) == nil:
		return "", unknown(kindProduct, id, nested(at, "product"))
	default:
		return id, nil
	}
}

// nested is the name of a parameter inside another: "a" and "b[c]" are "a[b][c]".
func nested(at, name string) string {
	if at == "" {
		return name
	}
	head, rest, ok := strings.Cut(name, "[")
	if ok {
		rest = "[" + rest
	}
	return at + "[" + head + "]" + rest
}

// lookupKey lets prices pass by the parameter lookup_keys.
func lookupKey(c *call, o object) bool {
	keys := c.form.strs("lookup_keys")
	return len(keys) == 0 || slices.Contains(keys, o.str("lookup_key"))
}
