package paymenttest

import (
	"slices"
	"strconv"
)

// list is the endpoint that returns the objects of a kind which all filters let
// pass, newest first, a page at a time.
func list(k kind, filters ...filter) endpoint {
	return func(c *call) (object, *Failure) {
		filters := append([]filter{created}, filters...)
		return c.page(k, c.all(k), func(o object) bool {
			return !slices.ContainsFunc(filters, func(f filter) bool { return !f(c, o) })
		})
	}
}

// filter tells whether an object belongs into a list.
type filter func(*call, object) bool

// equal lets pass where the parameter is absent or the field of its name equal.
func equal(name string) filter {
	return func(c *call, o object) bool { return c.form.str(name) == "" || o.str(name) == c.form.str(name) }
}

// flag is equal for booleans.
func flag(name string) filter {
	return func(c *call, o object) bool { return c.form.str(name) == "" || o.bool(name) == c.form.bool(name) }
}

// created lets pass by "created", a time or bounds.
func created(c *call, o object) bool {
	at := o.int("created")
	if c.form.str("created") != "" && c.form.str("created") != strconv.FormatInt(at, 10) {
		return false
	}
	bounds := c.form.sub("created")
	for name, holds := range map[string]func(bound int64) bool{
		"gt":  func(bound int64) bool { return at > bound },
		"gte": func(bound int64) bool { return at >= bound },
		"lt":  func(bound int64) bool { return at < bound },
		"lte": func(bound int64) bool { return at <= bound },
	} {
		bound, f := bounds.int(name, -1)
		if f == nil && bound >= 0 && !holds(bound) {
			return false
		}
	}
	return true
}

// page cuts out of a list what limit, starting_after and ending_before ask for,
// and leaves what does not match out.
func (c *call) page(k kind, all []object, match func(object) bool) (object, *Failure) {
	limit, f := c.form.int("limit", 10)
	if f != nil {
		return nil, f
	}
	if limit < 1 || limit > 100 {
		return nil, invalid("parameter_invalid_integer", "limit", "This value must be between 1 and 100 (inclusive).")
	}
	all, f = c.cut(k, all)
	if f != nil {
		return nil, f
	}
	all = slices.DeleteFunc(all, func(o object) bool { return !match(o) })
	over := max(len(all)-int(limit), 0)
	if c.form.has("ending_before") {
		all = all[over:] // those next to it
	} else {
		all = all[:len(all)-over]
	}
	answer := listOf(c.r.URL.Path, all)
	answer["has_more"] = over > 0
	return answer, nil
}

// cut takes away what is on the wrong side of starting_after and ending_before.
func (c *call) cut(k kind, all []object) ([]object, *Failure) {
	after, before := c.form.str("starting_after"), c.form.str("ending_before")
	for param, id := range map[string]string{"starting_after": after, "ending_before": before} {
		if id != "" && position(all, id) < 0 {
			return nil, unknown(k, id, param)
		}
	}
	switch {
	case after != "" && before != "":
		return nil, invalid("", "", "You cannot specify both starting_after and ending_before")
	case after != "":
		all = all[position(all, after)+1:]
	case before != "":
		all = all[:position(all, before)]
	}
	return all, nil
}

func position(all []object, id string) int {
	return slices.IndexFunc(all, func(o object) bool { return o.str("id") == id })
}
