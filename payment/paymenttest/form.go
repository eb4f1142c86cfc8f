package paymenttest

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params is a form with bracketed names, as a tree: "items[0][price]=p" is
// {"items": {"0": {"price": "p"}}}. Leaves are strings.
type params map[string]any

// parseForm makes a tree of a form. Of two values that contradict each other the
// later in the order of names wins.
func parseForm(form url.Values) params {
	tree := params{}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for i, value := range form[name] {
			tree.set(segments(name, i), value)
		}
	}
	return tree
}

// segments splits "a[b][0]" into a, b and 0. An empty one, as in "types[]", is
// the index of the value.
func segments(name string, index int) []string {
	head, rest, _ := strings.Cut(name, "[")
	path := []string{head}
	for rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "]")
		if segment == "" {
			segment = strconv.Itoa(index)
		}
		path = append(path, segment)
		rest = strings.TrimPrefix(rest, "[")
	}
	return path
}

func (p params) set(path []string, value string) {
	for _, segment := range path[:len(path)-1] {
		next, ok := p[segment].(params)
		if !ok {
			next = params{}
			p[segment] = next
		}
		p = next
	}
	p[path[len(path)-1]] = value
}

// has tells whether a parameter was sent, empty or not.
func (p params) has(name string) bool {
	_, ok := p[name]
	return ok
}

func (p params) str(name string) string {
	s, _ := p[name].(string)
	return s
}

func (p params) bool(name string) bool { return p.str(name) == "true" }

// int returns a whole number, or def where none was sent.
func (p params) int(name string, def int64) (int64, *Failure) {
	text := p.str(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, invalid("parameter_invalid_integer", name, "Invalid integer: "+text)
	}
	return n, nil
}

// sub returns the parameters nested under a name, nil where there are none.
func (p params) sub(name string) params {
	n, _ := p[name].(params)
	return n
}

// list returns the elements of an array, in order.
func (p params) list(name string) []params {
	array := p.sub(name)
	var elements []params
	for _, i := range sortedIndexes(array) {
		if element, ok := array[i].(params); ok {
			elements = append(elements, element)
		}
	}
	return elements
}

// strs returns the strings of an array, in order.
func (p params) strs(name string) []string {
	array := p.sub(name)
	var texts []string
	for _, i := range sortedIndexes(array) {
		texts = append(texts, array.str(i))
	}
	return texts
}

func sortedIndexes(array params) []string {
	return slices.SortedFunc(maps.Keys(array), func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b) // "9" before "10"
		}
		return strings.Compare(a, b)
	})
}

// metadata merges what was sent under "metadata" into what there is: an empty
// value takes a key away, an empty metadata takes all.
func (p params) metadata(old map[string]string) map[string]string {
	merged := map[string]string{}
	if sent, ok := p["metadata"].(string); !ok || sent != "" {
		maps.Copy(merged, old)
	}
	for key := range p.sub("metadata") {
		value := p.sub("metadata").str(key)
		if value == "" {
			delete(merged, key)
			continue
		}
		merged[key] = value
	}
	return merged
}
