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
		matching := slices.DeleteFunc(c.all(k), func(o object) bool {
			return slices.ContainsFunc(filters, func(f filter) bool { return !f(c, o) })
		})
		return c.page(k, matching)
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

// page cuts out of a list what limit, starting_after and ending_before ask for.
func (c *call) page(k kind, all []object) (object, *Failure) {
	limit, f := c.form.int("limit", 10)
	if f != nil {
		return nil, f
	}
	if limit < 1 || limit > 100 {
		return nil, invalid("parameter_invalid_integer", "limit", "This value must be between 1 and 100 (inclusive).")
	}
	if c.form.has("starting_after") && c.form.has("ending_before") {
		return nil, invalid("", "", "You cannot specify both starting_after and ending_before")
	}
	if _, f := c.named(k, "starting_after"); f != nil {
		return nil, f
	}
	if _, f := c.named(k, "ending_before"); f != nil {
		return nil, f
	}
	page, more := all, false
	if id := c.form.str("ending_before"); id != "" {
		page, more = before(all, id, int(limit))
	} else {
		page, more = after(all, c.form.str("starting_after"), int(limit))
	}
	answer := listOf(c.r.URL.Path, page)
	answer["has_more"] = more
	return answer, nil
}

// after returns the first objects that follow id, and whether there are more.
func after(all []object, id string, limit int) ([]object, bool) {
	if id != "" {
		all = all[position(all, id)+1:]
	}
	if len(all) <= limit {
		return all, false
	}
	return all[:limit], true
}

// before returns the last objects that precede id, and whether there are more.
func before(all []object, id string, limit int) ([]object, bool) {
	if at := position(all, id); at >= 0 {
		all = all[:at]
	}
	if len(all) <= limit {
		return all, false
	}
	return all[len(all)-limit:], true
}

func position(all []object, id string) int {
	return slices.IndexFunc(all, func(o object) bool { return o.str("id") == id })
}
