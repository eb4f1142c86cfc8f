package strict

import (
	"errors"
	"io"
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/service"
)

// describe says what the decoder refused, in words that repeat nothing of the
// decoder's own: those quote the input and name Go types.
func describe(err error) error {
	if e, ok := errors.AsType[*extjson.Error](err); ok {
		return invalid(e.Path, e.Reason)
	}
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		return invalid(extjson.Path(e.JSONPointer), semantic(e))
	}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return invalid(extjson.Path(e.JSONPointer), syntactic(e))
	}
	return invalid("", "ends too early")
}

func invalid(path, message string) error {
	if path == "" {
		path = "body"
	}
	return service.Invalid(path, message)
}

func syntactic(e *jsontext.SyntacticError) string {
	switch {
	case errors.Is(e.Err, jsontext.ErrDuplicateName):
		return "is given twice"
	case errors.Is(e.Err, io.ErrUnexpectedEOF):
		return "ends too early"
	}
	return "is not well-formed JSON"
}

// nullError is a null where a Go type takes none.
type nullError struct{ goType reflect.Type }

func (e *nullError) Error() string { return "strict: null for " + e.goType.String() }

func semantic(e *json.SemanticError) string {
	if null, ok := errors.AsType[*nullError](e.Err); ok {
		return expected(null.goType)
	}
	switch {
	case errors.Is(e.Err, json.ErrUnknownName):
		return "is not known"
	case errors.Is(e.Err, strconv.ErrRange):
		return "is out of range"
	case e.GoType == nil:
		return "has the wrong type"
	}
	return expected(e.GoType)
}

// expected says in JSON's words what a field of a Go type takes.
func expected(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return "must be a date and time as in RFC 3339"
	}
	switch t.Kind() {
	case reflect.String:
		return "must be a string"
	case reflect.Bool:
		return "must be true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return "must be an integer"
	case reflect.Float32, reflect.Float64:
		return "must be a number"
	case reflect.Struct, reflect.Map:
		return "must be an object"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "must be base64 in a string"
		}
		return "must be an array"
	default:
		return "has the wrong type"
	}
}
