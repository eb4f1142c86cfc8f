package execution

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

type fuzzed struct {
	Text  string            `json:"text"`
	Small int8              `json:"small"`
	Long  int64             `json:"long,omitempty"`
	Real  float64           `json:"real,omitempty"`
	Bytes []byte            `json:"bytes,omitempty"`
	At    time.Time         `json:"at,omitzero"`
	Maybe *string           `json:"maybe,omitempty"`
	List  []struct{ A int } `json:"list,omitempty"`
	Map   map[string]*bool  `json:"map,omitempty"`
	Any   any               `json:"any,omitempty"`
	Pair  [2]uint8          `json:"pair,omitempty"`
}

// FuzzCheck compares the checker with jsonschema's validator and with the decoder:
// what passes is valid, can be decoded but for its texts and bounds of 64 bits, and
// comes out as it went in; what does not pass, and is JSON, is invalid.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"text":"a","small":1}`, `{"text":"a","small":1,"long":9007199254740993,"real":1e5,"bytes":"AAEC","at":"2026-11-22T13:00:00Z"}`,
		`{"text":"a","small":1,"maybe":null,"list":[{"A":1},{"A":2}],"map":{"x":true,"y":null},"any":[1,{"b":null}],"pair":[1,2]}`,
		`{"text":1,"small":"1","extra":[[]]}`, `{"text":"a","small":128,"list":[{}],"pair":[1]}`, `{"text":"a","text":"b"}`, `[]`, `null`, `{`, `{"small":1.0}`, `{"text":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	s, err := inputSchema(reflect.TypeFor[fuzzed]())
	if err != nil {
		f.Fatal(err)
	}
	n := compileSchema(s)
	resolved, err := s.Resolve(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		err := n.check(input)
		var v any
		if json.Unmarshal(input, &v) != nil {
			if err == nil {
				t.Fatalf("%q is no JSON to encoding/json", input)
			}
			return
		}
		invalid := resolved.Validate(v)
		if err == nil {
			if invalid != nil {
				t.Fatalf("%q passes, and is invalid: %v", input, invalid)
			}
			decodes(t, input)
			return
		}
		wrong, ok := errors.AsType[*InputError](err)
		if !ok || len(wrong.Fields) == 0 || len(wrong.Fields) > maxFaults {
			t.Fatalf("%q: %v", input, err)
		}
		if invalid == nil && !stricter(wrong) {
			t.Fatalf("%q is valid, and does not pass: %v", input, err)
		}
	})
}

// stricter reports whether all that is wrong is what a schema does not forbid.
func stricter(e *InputError) bool {
	for _, f := range e.Fields {
		switch {
		case f.Message == "is given twice", f.Message == "is not well-formed JSON", strings.HasPrefix(f.Message, "is nested"):
			return true // nothing is read beyond
		case f.Message == "must be an integer", f.Message == "is out of range": // 1.0, 1e999
		default:
			return false
		}
	}
	return true
}

// decodes fails the test unless a checked input is decoded, or refused as one is.
func decodes(t *testing.T, input []byte) {
	t.Helper()
	var in fuzzed
	err := decode(input, &in)
	if _, refused := errors.AsType[*InputError](err); err != nil && !refused {
		t.Fatalf("%q: %v", input, err)
	}
	if err != nil {
		return
	}
	if _, err := newEncoder(1 << 30).encode(&in); err != nil {
		t.Fatalf("%q cannot be encoded: %v", input, err)
	}
}
