package generation

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// shape is what a JSON object of Gemini's may have, by camelCase names.
type shape map[string]field

// field is one member of a shape.
type field struct {
	kinds string // of JSON: any of `"`, `{`, `[`, `0`, `t`
	inner shape  // of an object, nil where anything goes
	check func(path string, v jsontext.Value) error
	must  bool
}

// writer copies JSON while it checks it and spells its members as Gemini's JSON
// does, in camelCase.
type writer struct {
	out []byte
	// lenient keeps what it does not know: what Gemini sent goes back unchanged.
	lenient bool
}

// object copies an object, and returns the names that it has.
func (w *writer) object(path string, v jsontext.Value, s shape) (map[string]bool, error) {
	if v.Kind() != '{' {
		return nil, service.Invalid(path, "must be an object")
	}
	seen := map[string]bool{}
	w.out = append(w.out, '{')
	err := members(v, func(name string, value jsontext.Value) error {
		return w.member(path, name, value, s, seen)
	})
	if err != nil {
		return nil, err
	}
	w.out = append(w.out, '}')
	for name, f := range s {
		if f.must && !seen[name] {
			return nil, service.Invalid(path+"."+name, "is missing")
		}
	}
	return seen, nil
}

// member copies one member of an object.
func (w *writer) member(path, given string, value jsontext.Value, s shape, seen map[string]bool) error {
	name := camel(given)
	f, known := s[name]
	switch {
	case !known && !w.lenient:
		return service.Invalid(path+"."+printable(given), "is unknown")
	case !known:
		name = given
	}
	if seen[name] {
		return service.Invalid(path+"."+printable(name), "is given twice")
	}
	seen[name] = true
	if len(seen) > 1 {
		w.out = append(w.out, ',')
	}
	var err error
	if w.out, err = jsontext.AppendQuote(w.out, name); err != nil {
		return service.Invalid(path, "has a name that is no text")
	}
	w.out = append(w.out, ':')
	path += "." + printable(given)
	if !known {
		return w.unknown(path, value)
	}
	return w.value(path, value, f)
}

// value copies a value of a member that is known.
func (w *writer) value(path string, v jsontext.Value, f field) error {
	if kind := v.Kind(); !strings.ContainsRune(f.kinds, rune(plain(kind))) {
		return service.Invalid(path, "must be "+kindNames(f.kinds))
	}
	if f.check != nil {
		if err := f.check(path, v); err != nil {
			return err
		}
	}
	if f.inner != nil {
		_, err := w.object(path, v, f.inner)
		return err
	}
	w.out = append(w.out, v...)
	return nil
}

// unknown copies a value that may hold anything but the address of a file, by which
// Gemini would be sent elsewhere.
func (w *writer) unknown(path string, v jsontext.Value) error {
	if namesFile(v) {
		return service.Invalid(path, "names a file where none is expected")
	}
	w.out = append(w.out, v...)
	return nil
}

// decode returns a decoder of a value out of a body, which was read strictly: names
// that are given twice were refused there, at every depth.
func decode(v jsontext.Value) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(v), jsontext.AllowDuplicateNames(true))
}

// namesFile reports whether an object inside a value has a member like fileUri.
func namesFile(v jsontext.Value) bool {
	dec := decode(v)
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return false // the end: it was parsed before
		}
		kind, n := dec.StackIndex(dec.StackDepth())
		if kind == '{' && n%2 == 1 && token.Kind() == '"' && strings.EqualFold(strings.ReplaceAll(token.String(), "_", ""), "fileuri") {
			return true
		}
	}
}

// members calls fn for each member of an object.
func members(v jsontext.Value, fn func(name string, value jsontext.Value) error) error {
	dec := decode(v)
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := fn(name, value); err != nil {
			return err
		}
	}
	return nil
}

// elements calls fn for each element of an array.
func elements(path string, v jsontext.Value, fn func(path string, value jsontext.Value) error) error {
	if v.Kind() != '[' {
		return service.Invalid(path, "must be an array")
	}
	dec := decode(v)
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for i := 0; dec.PeekKind() != ']'; i++ {
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := fn(at(path, i), value); err != nil {
			return err
		}
	}
	return nil
}

// at returns the path of an element.
func at(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// camel returns a name in camelCase that is given in snake_case, and any other name
// as it is.
func camel(name string) string {
	if !strings.Contains(name, "_") || strings.ToLower(name) != name {
		return name
	}
	words := strings.Split(name, "_")
	for i, w := range words {
		if w == "" {
			return name
		}
		if i > 0 {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// printable returns a client's name for a path in an error: short and in ASCII.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, name)
	if len(name) > 64 {
		name = name[:64]
	}
	return name
}

// plain returns a kind of JSON value, with one kind for true and false.
func plain(k jsontext.Kind) jsontext.Kind {
	if k == 'f' {
		return 't'
	}
	return k
}

func kindNames(kinds string) string {
	names := map[rune]string{'"': "a string", '{': "an object", '[': "an array", '0': "a number", 't': "true or false"}
	var all []string
	for _, k := range kinds {
		all = append(all, names[k])
	}
	return strings.Join(all, " or ")
}
