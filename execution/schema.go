package execution

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/jsonschema-go/jsonschema"
)

// inputSchema returns the schema of what a function takes, which is an object.
func inputSchema(t reflect.Type) (*jsonschema.Schema, error) {
	if t.Kind() == reflect.Pointer {
		return nil, fmt.Errorf("%s is a pointer: take the value", t)
	}
	s, err := (&inferrer{input: true}).infer(t)
	if err != nil {
		return nil, err
	}
	if s.Type == "" && s.Types == nil { // it has a form of its own
		s = &jsonschema.Schema{Type: "object"}
	}
	if s.Type != "object" {
		return nil, fmt.Errorf("%s is no object in JSON: take a struct or a map", t)
	}
	return s, nil
}

// outputSchema returns the schema of what a function returns.
func outputSchema(t reflect.Type) (*jsonschema.Schema, error) { return new(inferrer).infer(t) }

// inferrer makes the JSON Schema of Go types. It follows what decode and encode
// make of a type; jsonschema's own inference does for numbers, strings and
// booleans, but not for bytes, embedded structs, slices that are nil, and types
// with methods of their own.
type inferrer struct {
	input bool
	path  []reflect.Type // the types that are being inferred
}

func (in *inferrer) infer(t reflect.Type) (*jsonschema.Schema, error) {
	if s, err := opaque(t); s != nil || err != nil {
		return s, err
	}
	if slices.Contains(in.path, t) {
		return nil, fmt.Errorf("%s contains itself, which has no finite JSON Schema here", t)
	}
	in.path = append(in.path, t)
	defer func() { in.path = in.path[:len(in.path)-1] }()
	switch t.Kind() {
	case reflect.Pointer:
		return in.pointer(t)
	case reflect.Slice, reflect.Array:
		return in.list(t)
	case reflect.Map:
		return in.object(t)
	case reflect.Struct:
		return in.record(t)
	case reflect.Interface:
		if in.input && t.NumMethod() > 0 {
			return nil, fmt.Errorf("%s is an interface that nothing can be decoded into", t)
		}
		return anything(), nil
	default:
		return jsonschema.ForType(t, nil)
	}
}

// anything is the schema true, in a form that those who take no booleans for
// schemas, as some language models do, take too.
func anything() *jsonschema.Schema { return &jsonschema.Schema{Description: "Any JSON value."} }

// opaque returns the schema of a type whose JSON is not that of its kind, or nil.
func opaque(t reflect.Type) (*jsonschema.Schema, error) {
	switch t {
	case reflect.TypeFor[time.Time]():
		return &jsonschema.Schema{Type: "string", Format: "date-time"}, nil
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "integer", Description: "A duration in nanoseconds."}, nil
	case reflect.TypeFor[big.Int]():
		return &jsonschema.Schema{Type: "integer"}, nil
	case reflect.TypeFor[json.Number]():
		return nil, errors.New("json.Number is a string to some decoders and a number to others: use a type of Go's, or json.RawMessage")
	}
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return nil, nil // what it points to decides
	}
	if implements[json.Marshaler](t) || implements[json.Unmarshaler](t) ||
		implements[jsonv2.MarshalerTo](t) || implements[jsonv2.UnmarshalerFrom](t) {
		return anything(), nil
	}
	if implements[encoding.TextMarshaler](t) || implements[encoding.TextUnmarshaler](t) || implements[encoding.TextAppender](t) {
		return &jsonschema.Schema{Type: "string"}, nil
	}
	return nil, nil
}

func implements[I any](t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[I]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[I]())
}

// pointer allows null besides.
func (in *inferrer) pointer(t reflect.Type) (*jsonschema.Schema, error) {
	s, err := in.infer(t.Elem())
	if err == nil && s.Type != "" {
		s.Types, s.Type = []string{"null", s.Type}, ""
	}
	return s, err
}

// list is an array; nil is the empty one. A slice of bytes is base64.
func (in *inferrer) list(t reflect.Type) (*jsonschema.Schema, error) {
	if t.Kind() == reflect.Slice && isByte(t.Elem()) {
		return &jsonschema.Schema{Type: "string", ContentEncoding: "base64"}, nil
	}
	items, err := in.infer(t.Elem())
	if err != nil {
		return nil, err
	}
	s := &jsonschema.Schema{Type: "array", Items: items}
	if t.Kind() == reflect.Array {
		s.MinItems, s.MaxItems = jsonschema.Ptr(t.Len()), jsonschema.Ptr(t.Len())
	}
	return s, nil
}

// isByte reports whether a slice of these is bytes: a byte by another name is a
// number.
func isByte(t reflect.Type) bool { return t == reflect.TypeFor[byte]() }

// object is a map; nil is the empty one.
func (in *inferrer) object(t reflect.Type) (*jsonschema.Schema, error) {
	switch kind := t.Key().Kind(); {
	case kind == reflect.String, kind >= reflect.Int && kind <= reflect.Uintptr, implements[encoding.TextMarshaler](t.Key()):
	default:
		return nil, fmt.Errorf("%s has keys that are no text", t)
	}
	values, err := in.infer(t.Elem())
	if err != nil {
		return nil, err
	}
	return &jsonschema.Schema{Type: "object", AdditionalProperties: values}, nil
}

// record is a struct: an object that has these members and no others. A member is
// required unless it may be omitted.
func (in *inferrer) record(t reflect.Type) (*jsonschema.Schema, error) {
	// The decoder refuses a struct that it cannot handle, whatever it decodes.
	if err := jsonv2.Unmarshal([]byte("{}"), reflect.New(t).Interface(), decodeOptions); err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	s := &jsonschema.Schema{
		Type: "object", Properties: map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, m := range membersOf(t) {
		if m.unsupported != "" {
			return nil, fmt.Errorf("%s.%s: %s", t, m.goName, m.unsupported)
		}
		p, err := in.member(m)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, m.goName, err)
		}
		s.Properties[m.name] = p
		s.PropertyOrder = append(s.PropertyOrder, m.name)
		if !m.optional {
			s.Required = append(s.Required, m.name)
		}
	}
	return s, nil
}

func (in *inferrer) member(m member) (*jsonschema.Schema, error) {
	s, err := in.infer(m.typ)
	if err != nil {
		return nil, err
	}
	if m.quoted {
		quote(s)
	}
	if m.description != "" {
		s.Description = m.description
	}
	return s, nil
}

// quote is the tag option ",string": numbers in strings.
func quote(s *jsonschema.Schema) {
	switch {
	case s.Type == "integer" || s.Type == "number":
		s.Type = "string"
	case len(s.Types) == 2 && (s.Types[1] == "integer" || s.Types[1] == "number"):
		s.Types[1] = "string"
	default:
		return
	}
	s.Minimum, s.Maximum = nil, nil
}

// member is a field of a struct, or of one embedded in it, as JSON has it.
type member struct {
	goName, name, description string
	typ                       reflect.Type
	tagged, optional, quoted  bool
	unsupported               string
}

// membersOf returns the members of a struct in the order of its fields. Of those
// with the same name the least deep one counts, of several such the one that is
// named by its tag, and else none. Those of an embedded pointer may be missing.
func membersOf(t reflect.Type) []member {
	type found struct {
		member
		depth, rivals int
	}
	byName := map[string]*found{}
	var order []*found
	var walk func(t reflect.Type, depth int, above []reflect.Type, optional bool)
	walk = func(t reflect.Type, depth int, above []reflect.Type, optional bool) {
		for field := range t.Fields() {
			m, embedded, ok := memberOf(field)
			if embedded != nil {
				if !slices.Contains(above, embedded) {
					walk(embedded, depth+1, append(slices.Clone(above), embedded), optional || field.Type.Kind() == reflect.Pointer)
				}
				continue
			}
			if !ok {
				continue
			}
			m.optional = m.optional || optional
			f := &found{m, depth, 0}
			switch rival := byName[m.name]; {
			case rival == nil, depth < rival.depth, depth == rival.depth && m.tagged && !rival.tagged:
				byName[m.name] = f
			case depth == rival.depth && m.tagged == rival.tagged:
				rival.rivals++
			}
			order = append(order, f)
		}
	}
	walk(t, 0, []reflect.Type{t}, false)
	var members []member
	for _, f := range order {
		if byName[f.name] == f && f.rivals == 0 {
			members = append(members, f.member)
		}
	}
	return members
}

// memberOf returns a field as a member, or the struct whose members are those of
// the outer one.
func memberOf(field reflect.StructField) (m member, embedded reflect.Type, ok bool) {
	tag, _ := field.Tag.Lookup("json")
	name, options, _ := strings.Cut(tag, ",")
	if tag == "-" {
		return member{}, nil, false
	}
	if field.Anonymous && name == "" {
		t := field.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
			if !field.IsExported() {
				return member{goName: field.Name, name: field.Name, unsupported: "an embedded pointer to a struct that is not exported cannot be set: embed the struct"}, nil, true
			}
		}
		return member{}, t, false // the decoder has refused what is no struct
	}
	if !field.IsExported() && !field.Anonymous {
		return member{}, nil, false
	}
	m = member{goName: field.Name, name: name, typ: field.Type, tagged: name != "", description: field.Tag.Get("jsonschema")}
	if name == "" {
		m.name = field.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		switch {
		case option == "omitempty", option == "omitzero":
			m.optional = true
		case option == "string":
			m.quoted = true
		case option != "":
			m.unsupported = "the tag option " + option + " is not supported"
		}
	}
	if !field.IsExported() {
		m.unsupported = "an embedded struct that has a name in JSON must be exported"
	}
	if strings.HasPrefix(name, "'") {
		m.unsupported = "names in quotes are not supported"
	}
	return m, nil, true
}
