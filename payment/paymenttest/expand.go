package paymenttest

import (
	"slices"
	"strings"
)

// expanded replaces the ids that the parameter "expand" names by their objects,
// and returns the answer with them.
func (c *call) expanded(o object) (object, *Failure) {
	o = o.clone()
	for _, path := range c.form.strs("expand") {
		if !c.expand(o, strings.Split(path, ".")) {
			return nil, invalid("", "expand", "This property cannot be expanded ("+path+").")
		}
	}
	return o, nil
}

// expand follows one path and tells whether it leads to something.
func (c *call) expand(o object, path []string) bool {
	if len(path) == 0 {
		return true
	}
	name, rest := path[0], path[1:]
	if hidden, ok := o["_"+name]; ok { // what is only sent when asked for
		o[name] = copied(hidden)
	}
	switch value := o[name].(type) {
	case nil:
		_, known := o[name]
		return known
	case string:
		target := c.objects[value]
		if target == nil {
			target = c.objects[deleted(value)]
		}
		if target == nil {
			return false
		}
		next := target.clone()
		o[name] = next
		return c.expand(next, rest)
	case object:
		return c.expand(value, rest)
	case []object:
		return !slices.ContainsFunc(value, func(o object) bool { return !c.expand(o, rest) })
	default:
		return false
	}
}
