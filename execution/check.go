package execution

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/service"
)

// maxFaults is how many wrong fields an answer names.
const maxFaults = 20

// node checks a value against a schema that was inferred. jsonschema's validator
// stops at the first fault, quotes values, and wants the input decoded first.
type node struct {
	kinds      []jsontext.Kind // none: any
	expected   string
	integer    bool
	min, max   *float64
	members    map[string]*node
	required   []string
	values     *node // of members that have no name
	items      *node
	minN, maxN *int
}

// compileSchema returns the node of a schema.
func compileSchema(s *jsonschema.Schema) *node {
	n := &node{min: s.Minimum, max: s.Maximum, required: s.Required, minN: s.MinItems, maxN: s.MaxItems}
	types := s.Types
	if s.Type != "" {
		types = []string{s.Type}
	}
	for _, t := range types {
		n.accept(t)
	}
	if s.Properties != nil {
		n.members = make(map[string]*node, len(s.Properties))
		for name, p := range s.Properties {
			n.members[name] = compileSchema(p)
		}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Not == nil {
		n.values = compileSchema(s.AdditionalProperties)
	}
	if s.Items != nil {
		n.items = compileSchema(s.Items)
	}
	return n
}

func (n *node) accept(typ string) {
	switch typ {
	case "null":
		n.kinds = append(n.kinds, 'n')
		return
	case "boolean":
		n.kinds, n.expected = append(n.kinds, 't', 'f'), "must be true or false"
	case "integer":
		n.kinds, n.expected, n.integer = append(n.kinds, '0'), "must be an integer", true
	case "number":
		n.kinds, n.expected = append(n.kinds, '0'), "must be a number"
	case "string":
		n.kinds, n.expected = append(n.kinds, '"'), "must be a string"
	case "array":
		n.kinds, n.expected = append(n.kinds, '['), "must be an array"
	case "object":
		n.kinds, n.expected = append(n.kinds, '{'), "must be an object"
	}
}

// check returns an *InputError that names what is wrong with a whole input.
func (n *node) check(input []byte) error {
	c := checker{dec: jsontext.NewDecoder(bytes.NewBuffer(input))}
	err := c.value(n)
	if err == nil {
		if _, err = c.dec.ReadToken(); err == nil {
			c.fault("", "is followed by something")
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil && !errors.Is(err, errEnough) {
		c.syntax(err)
	}
	if len(c.faults) > 0 {
		return &InputError{Fields: c.faults}
	}
	return nil
}

// checker goes once through an input. Its methods return the errors of the
// decoder, and errEnough.
type checker struct {
	dec    *jsontext.Decoder
	faults []service.Field
}

var errEnough = errors.New("execution: enough is wrong")

func (c *checker) fault(at jsontext.Pointer, message string) {
	field := extjson.Path(at)
	if field == "" {
		field = "body"
	}
	c.faults = append(c.faults, service.Field{Field: field, Message: message})
}

// syntax notes what the decoder refused.
func (c *checker) syntax(err error) {
	message := "is not well-formed JSON"
	at := c.dec.StackPointer()
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = e.JSONPointer
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		message = "is given twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		message = "ends too early"
	}
	c.fault(at, message)
}

// wrong notes a fault of the value that was read, or of the member of this name.
func (c *checker) wrong(message string, member ...string) error {
	at := c.dec.StackPointer()
	for _, name := range member {
		at = at.AppendToken(name)
	}
	c.fault(at, message)
	if len(c.faults) >= maxFaults {
		return errEnough
	}
	return nil
}

func (c *checker) value(n *node) error {
	kind := c.dec.PeekKind()
	if len(n.kinds) > 0 && kind != 0 && !slices.Contains(n.kinds, kind) {
		if err := c.skip(); err != nil {
			return err
		}
		return c.wrong(n.expected)
	}
	switch {
	case kind == '{' && (n.members != nil || n.values != nil):
		return c.object(n)
	case kind == '[' && n.items != nil:
		return c.array(n)
	case kind == '0' && (n.integer || n.min != nil || n.max != nil):
		return c.number(n)
	default:
		return c.skip()
	}
}

// skip goes over a value whatever it is, without recursion, as long as it is not
// too deep.
func (c *checker) skip() error {
	depth := c.dec.StackDepth()
	for {
		if _, err := c.dec.ReadToken(); err != nil {
			return err
		}
		switch now := c.dec.StackDepth(); {
		case now == depth:
			return nil
		case now > MaxDepth:
			c.fault(c.dec.StackPointer(), fmt.Sprintf("is nested more than %d levels deep", MaxDepth))
			return errEnough
		}
	}
}

func (c *checker) object(n *node) error {
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	seen := make([]bool, len(n.required))
	for c.dec.PeekKind() != '}' {
		token, err := c.dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		if i := slices.Index(n.required, name); i >= 0 {
			seen[i] = true
		}
		member := n.members[name]
		if member == nil {
			member = n.values
		}
		if member == nil {
			if err := errors.Join(c.wrong("is not known"), c.skip()); err != nil {
				return err
			}
			continue
		}
		if err := c.value(member); err != nil {
			return err
		}
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	for i, name := range n.required {
		if !seen[i] {
			if err := c.wrong("is missing", name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checker) array(n *node) error {
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	count := 0
	for ; c.dec.PeekKind() != ']'; count++ {
		if err := c.value(n.items); err != nil {
			return err
		}
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	if n.minN != nil && count < *n.minN || n.maxN != nil && count > *n.maxN {
		return c.wrong(fmt.Sprintf("must have %d elements", *n.minN))
	}
	return nil
}

// number checks the bounds of a number; whether it fits into 64 bits the decoder
// says. None passes that of a float64, so that no one decodes a million digits.
func (c *checker) number(n *node) error {
	token, err := c.dec.ReadToken()
	if err != nil {
		return err
	}
	text := token.String()
	if n.integer && strings.ContainsAny(text, ".eE") {
		return c.wrong("must be an integer")
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || n.min != nil && value < *n.min || n.max != nil && value > *n.max {
		return c.wrong("is out of range")
	}
	return nil
}
