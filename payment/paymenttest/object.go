package paymenttest

import (
	"maps"
	"slices"
	"strings"
)

// object is one of Stripe's objects, as its JSON reads in [APIVersion]. Whole
// numbers are int64. Fields whose names begin with an underscore are ours, and
// never sent.
type object map[string]any

func (o object) str(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o object) int(name string) int64 {
	n, _ := o[name].(int64)
	return n
}

func (o object) bool(name string) bool {
	b, _ := o[name].(bool)
	return b
}

// object returns a nested object, nil where there is none.
func (o object) object(name string) object {
	n, _ := o[name].(object)
	return n
}

// data returns the objects of a nested list.
func (o object) data(name string) []object {
	d, _ := o.object(name)["data"].([]object)
	return d
}

// clone copies an object in depth.
func (o object) clone() object {
	if o == nil {
		return nil
	}
	c := make(object, len(o))
	for name, value := range o {
		c[name] = copied(value)
	}
	return c
}

func copied(v any) any {
	switch v := v.(type) {
	case object:
		return v.clone()
	case []object:
		return clones(v)
	case map[string]string:
		return maps.Clone(v)
	case []string:
		return slices.Clone(v)
	default:
		return v
	}
}

// clones copies objects in depth.
func clones(all []object) []object {
	copies := make([]object, len(all))
	for i, o := range all {
		copies[i] = o.clone()
	}
	return copies
}

// walk calls visit for an object and those nested in it, inner ones first.
func (o object) walk(visit func(object)) {
	for _, value := range o {
		switch value := value.(type) {
		case object:
			value.walk(visit)
		case []object:
			for _, nested := range value {
				nested.walk(visit)
			}
		}
	}
	visit(o)
}

// strip takes away what is never sent.
func (o object) strip() {
	o.walk(func(o object) {
		maps.DeleteFunc(o, func(name string, _ any) bool { return strings.HasPrefix(name, "_") })
	})
}

// orNil is null where a string is empty.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// orNilInt is null where a number is zero.
func orNilInt(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// listOf is a list object that holds everything.
func listOf(url string, data []object) object {
	if data == nil {
		data = []object{}
	}
	return object{"object": "list", "data": data, "has_more": false, "url": url}
}
