package generationtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// schema is what the stand-in understands of a JSON Schema, or of Gemini's own
// dialect of OpenAPI's.
type schema struct {
	Type       schemaType         `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Enum       []any              `json:"enum"`
	Const      any                `json:"const"`
	Items      *schema            `json:"items"`
	AnyOf      []*schema          `json:"anyOf"`
}

// parseSchema returns the first of these that is a schema, or one that says nothing.
func parseSchema(texts ...json.RawMessage) *schema {
	for _, text := range texts {
		var s schema
		if len(text) > 0 && json.Unmarshal(text, &s) == nil {
			return &s
		}
	}
	return &schema{}
}

// schemaType is a type, or the first that is not null of several.
type schemaType string

// UnmarshalJSON reads a name or a list of names, in any case.
func (t *schemaType) UnmarshalJSON(text []byte) error {
	var names []string
	if len(text) > 0 && text[0] == '"' {
		names = make([]string, 1)
		if err := json.Unmarshal(text, &names[0]); err != nil {
			return err
		}
	} else if err := json.Unmarshal(text, &names); err != nil {
		return err
	}
	for _, name := range names {
		if name = strings.ToLower(name); name != "null" {
			*t = schemaType(name)
			break
		}
	}
	return nil
}

// The types that the stand-in tells apart.
const (
	typeString  schemaType = "string"
	typeNumber  schemaType = "number"
	typeInteger schemaType = "integer"
	typeBoolean schemaType = "boolean"
	typeArray   schemaType = "array"
	typeObject  schemaType = "object"
)

// names returns the properties, the required ones first and in their order.
func (s *schema) names() []string {
	var names []string
	for _, name := range s.Required {
		if s.Properties[name] != nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if s.Properties[name] != nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// example returns a value that the schema allows, as far as it is understood.
func (s *schema) example(depth int) any {
	switch {
	case s == nil || depth > 10:
		return nil
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AnyOf) > 0:
		return s.AnyOf[0].example(depth + 1)
	}
	switch s.Type {
	case typeString:
		return "stand-in"
	case typeNumber, typeInteger:
		return 0
	case typeBoolean:
		return false
	case typeArray:
		if s.Items == nil {
			return []any{}
		}
		return []any{s.Items.example(depth + 1)}
	default:
		out := map[string]any{}
		for _, name := range s.names() {
			out[name] = s.Properties[name].example(depth + 1)
		}
		return out
	}
}
