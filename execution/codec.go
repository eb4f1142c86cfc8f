package execution

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/service"
)

// decodeOptions and encodeOptions are those of encoding/json but for what doc.go lists. They
// hold caches by type, and so are made once; they never change.
//
//nolint:gochecknoglobals // see above
var (
	decodeOptions = jsonv2.JoinOptions(
		jsonv1.FormatByteArrayAsArray(true), jsonv1.FormatDurationAsNano(true),
		jsonv1.StringifyWithLegacySemantics(true), jsonv2.RejectUnknownMembers(true),
	)
	encodeOptions = jsonv2.JoinOptions(
		jsonv1.FormatByteArrayAsArray(true), jsonv1.FormatDurationAsNano(true),
		jsonv1.StringifyWithLegacySemantics(true), jsonv1.OmitEmptyWithLegacySemantics(true),
		jsontext.AllowInvalidUTF8(true), jsonv2.Deterministic(true),
	)
)

// decode decodes an input that was checked. What it still refuses is refused by the
// methods of a type, or is a number, a time or a base64 that is none.
func decode(input []byte, dst any) error {
	err := jsonv2.Unmarshal(input, dst, decodeOptions)
	if err == nil {
		return nil
	}
	field, message := "body", "is not what is expected"
	if e, ok := errors.AsType[*jsonv2.SemanticError](err); ok {
		message = "has the wrong form"
		if e.JSONPointer != "" {
			field = extjson.Path(e.JSONPointer)
		}
		if errors.Is(e.Err, strconv.ErrRange) {
			message = "is out of range"
		}
	}
	return &InputError{Fields: []service.Field{{Field: field, Message: message}}}
}

// encoder encodes outputs into so many bytes at most.
type encoder struct {
	limit   int
	options jsonv2.Options // holds a cache by type
}

func newEncoder(limit int) *encoder {
	large := jsonv2.MarshalToFunc(func(_ *jsontext.Encoder, v any) error {
		if size(v) > limit {
			return ErrTooLarge
		}
		return jsonv2.SkipFunc
	})
	return &encoder{limit, jsonv2.JoinOptions(encodeOptions, jsonv2.WithMarshalers(large))}
}

// encode encodes what v points to, or returns ErrTooLarge. It stops as soon as the
// limit is passed, whatever is left, and so ends with types that encode themselves
// without end.
func (e *encoder) encode(v any) (json.RawMessage, error) {
	w := bounded{left: e.limit}
	if err := jsonv2.MarshalWrite(&w, v, e.options); err != nil {
		return nil, fmt.Errorf("execution: %w", err)
	}
	return w.text, nil
}

// size returns the length of a text or of bytes, which the encoder would copy whole.
func size(v any) int {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		r = r.Elem()
	}
	if r.Kind() == reflect.String || r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
		return r.Len()
	}
	return 0
}

// bounded keeps what is written up to a limit.
type bounded struct {
	text []byte
	left int
}

var _ io.Writer = (*bounded)(nil)

// Write refuses what passes the limit.
func (b *bounded) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, ErrTooLarge
	}
	b.text = append(b.text, p...)
	b.left -= len(p)
	return len(p), nil
}
