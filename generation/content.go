package generation

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// maxParts is how many contents a request may have, and a content parts.
const maxParts = 10_000

// parseContents reads the contents of a request over HTTP, in snake_case or
// camelCase.
func parseContents(v jsontext.Value, part shape) ([]Content, error) {
	if v == nil {
		return nil, service.Invalid("contents", "is missing")
	}
	var contents []Content
	err := elements("contents", v, func(path string, v jsontext.Value) error {
		if len(contents) == maxParts {
			return service.Invalid("contents", fmt.Sprintf("has more than %d elements", maxParts))
		}
		c, err := parseContent(path, v, part)
		contents = append(contents, c)
		return err
	})
	if err == nil && len(contents) == 0 {
		err = service.Invalid("contents", "must not be empty")
	}
	return contents, err
}

func parseContent(path string, v jsontext.Value, part shape) (Content, error) {
	c := Content{Role: RoleUser}
	if v.Kind() != '{' {
		return c, service.Invalid(path, "must be an object")
	}
	var parts jsontext.Value
	err := members(v, func(name string, value jsontext.Value) error {
		switch name {
		case "role":
			if c.Role = text(value); c.Role != RoleUser && c.Role != RoleModel {
				return service.Invalid(path+".role", `must be "user" or "model"`)
			}
		case "parts":
			parts = value.Clone()
		default:
			return service.Invalid(path+"."+printable(name), "is unknown")
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	path += ".parts"
	if parts == nil {
		return c, service.Invalid(path, "is missing")
	}
	err = elements(path, parts, func(path string, v jsontext.Value) error {
		if len(c.Parts) == maxParts {
			return service.Invalid(path, "is one too many")
		}
		p, err := parsePart(path, v, part, c.Role)
		c.Parts = append(c.Parts, p)
		return err
	})
	if err == nil && len(c.Parts) == 0 {
		err = service.Invalid(path, "must not be empty")
	}
	return c, err
}

// parsePart reads one part. Those of the model are what Gemini has sent, be it of a
// kind that is not known here: they go back as they are. Those of a user have
// nothing that is unknown.
func parsePart(path string, v jsontext.Value, part shape, role string) (Part, error) {
	w := writer{out: make([]byte, 0, len(v)+16), lenient: role == RoleModel}
	has, err := w.object(path, v, part)
	if err != nil {
		return nil, err
	}
	var data []string
	for _, name := range dataFields() {
		if has[name] {
			data = append(data, name)
		}
	}
	switch {
	case len(data) > 1:
		return nil, service.Invalid(path, "has both "+data[0]+" and "+data[1])
	case len(has) == 0, len(data) == 0 && !w.lenient:
		return nil, service.Invalid(path, "is empty")
	case !w.lenient && string(w.out) == `{"text":""}`:
		return nil, service.Invalid(path+".text", "must not be empty")
	}
	return Part(w.out), nil
}

// dataFields are what a part can be, of which it is one.
func dataFields() []string {
	return []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"}
}

// partShape is what a part may have.
func partShape(origins fileOrigins) shape {
	text, object, number := field{kinds: `"`}, field{kinds: `{`}, field{kinds: `0`}
	name := field{kinds: `"`, must: true, check: notEmpty}
	blob := shape{"data": name, "mimeType": name, "displayName": text}
	file := shape{"fileUri": {kinds: `"`, must: true, check: origins.check}, "mimeType": text, "displayName": text}
	return shape{
		"text":                text,
		"thought":             {kinds: `t`},
		"thoughtSignature":    text,
		"inlineData":          {kinds: `{`, inner: blob},
		"fileData":            {kinds: `{`, inner: file},
		"functionCall":        {kinds: `{`, inner: shape{"id": text, "name": name, "args": object, "partialArgs": {kinds: `[`}, "willContinue": {kinds: `t`}}},
		"functionResponse":    {kinds: `{`, inner: shape{"id": text, "name": name, "response": {kinds: `{`, must: true}, "willContinue": {kinds: `t`}, "scheduling": text}},
		"executableCode":      {kinds: `{`, inner: shape{"id": text, "language": text, "code": text}},
		"codeExecutionResult": {kinds: `{`, inner: shape{"id": text, "outcome": text, "output": text}},
		"videoMetadata":       {kinds: `{`, inner: shape{"startOffset": text, "endOffset": text, "fps": number}},
		"mediaResolution":     {kinds: `{"`},
		"partMetadata":        object,
	}
}

// notEmpty refuses an empty string.
func notEmpty(path string, v jsontext.Value) error {
	if strings.TrimSpace(text(v)) == "" {
		return service.Invalid(path, "must not be empty")
	}
	return nil
}

// text returns the text of a JSON string, and "" for any other value.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	raw, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(raw)
}
