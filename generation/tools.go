package generation

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// maxDeclarations is how many functions a request may declare.
const maxDeclarations = 512

// functionName is what Gemini lets a function be called.
var functionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$`)

// toolReader reads the tools of a request over HTTP: a flat list of declarations,
// Gemini's own list of functionDeclarations, or both.
type toolReader struct {
	allowed      []string // of Google's own tools
	declarations []Declaration
	server       []json.RawMessage
}

// read reads the list.
func (r *toolReader) read(v jsontext.Value) error {
	if v == nil {
		return nil
	}
	return elements("tools", v, r.tool)
}

// tool reads one element of the list.
func (r *toolReader) tool(path string, v jsontext.Value) error {
	if v.Kind() != '{' {
		return service.Invalid(path, "must be an object")
	}
	v = v.Clone()
	flat, empty := false, true
	err := members(v, func(name string, value jsontext.Value) error {
		empty = false
		flat = flat || name == "name"
		return nil
	})
	switch {
	case err != nil:
		return err
	case empty:
		return service.Invalid(path, "is empty")
	case flat:
		return r.declaration(path, v)
	}
	return members(v, func(name string, value jsontext.Value) error {
		field, value := path+"."+printable(name), value.Clone()
		if camel(name) == "functionDeclarations" {
			return elements(field, value, r.declaration)
		}
		return r.google(field, camel(name), value)
	})
}

// google reads a tool of Google's own, which the host must have allowed.
func (r *toolReader) google(path, name string, v jsontext.Value) error {
	if !slices.Contains(r.allowed, name) {
		return service.Invalid(path, "is not allowed here")
	}
	if v.Kind() != '{' {
		return service.Invalid(path, "must be an object")
	}
	text, err := jsontext.AppendQuote([]byte{'{'}, name)
	if err != nil {
		return err
	}
	r.server = append(r.server, append(append(append(text, ':'), v...), '}'))
	return nil
}

// declaration reads the declaration of a function.
func (r *toolReader) declaration(path string, v jsontext.Value) error {
	if len(r.declarations) == maxDeclarations {
		return service.Invalid(path, "is one function too many")
	}
	var w writer
	has, err := w.object(path, v, declarationShape())
	if err != nil {
		return err
	}
	if has["parameters"] && has["parametersJsonSchema"] {
		return service.Invalid(path, "has both parameters and parametersJsonSchema")
	}
	d := Declaration{raw: w.out}
	err = members(w.out, func(name string, value jsontext.Value) error {
		switch name {
		case "name":
			d.Name = text(value)
		case "description":
			d.Description = text(value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(r.declarations, func(o Declaration) bool { return o.Name == d.Name }) {
		return service.Invalid(path+".name", "is the name of another one")
	}
	r.declarations = append(r.declarations, d)
	return nil
}

// declarationShape is what a declaration may have.
func declarationShape() shape {
	word, object := field{kinds: `"`}, field{kinds: `{`}
	return shape{
		"name": {kinds: `"`, must: true, check: func(path string, v jsontext.Value) error {
			if !functionName.MatchString(text(v)) {
				return service.Invalid(path, "must be 1 to 64 letters, digits and _ . : -, the first a letter or _")
			}
			return nil
		}},
		"description": word, "parameters": object, "parametersJsonSchema": object,
		"response": object, "responseJsonSchema": object, "behavior": word,
	}
}
