package execution

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

type (
	inner    struct{ A int }
	embedded struct {
		inner
		B string
	}
	tagged struct {
		Inner `json:"in"`
	}
	pointed struct {
		*Inner
		B string
	}
	Inner struct {
		A int
		B int
	}
	shadowed struct {
		inner
		A string
	}
	rivals struct {
		inner
		Inner
	}
	grade    byte
	coded    struct{ v int }
	worded   struct{ v string }
	node2    struct{ Next *node2 }
	tree     struct{ Children []tree }
	mutual   struct{ Other map[string]*mutual }
	optional struct {
		Must  string
		Empty string    `json:",omitempty"`
		Zero  time.Time `json:"zero,omitzero"`
		Skip  string    `json:"-"`
		Pair  *int
	}
	quoted struct {
		N int64   `json:"n,string"`
		F *uint64 `json:"f,string"`
	}
)

func (c coded) MarshalJSON() ([]byte, error)      { return json.Marshal(c.v) }
func (c *coded) UnmarshalJSON(text []byte) error  { return json.Unmarshal(text, &c.v) }
func (w worded) MarshalText() ([]byte, error)     { return []byte(w.v), nil }
func (w *worded) UnmarshalText(text []byte) error { w.v = string(text); return nil }

func mustSchema(t *testing.T, typ reflect.Type) string {
	t.Helper()
	s, err := outputSchema(typ)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// closed returns the schema of a struct.
func closed(properties, required string) string {
	text := `{"type":"object","properties":{` + properties + `}`
	if required != "" {
		text += `,"required":[` + required + `]`
	}
	return text + `,"additionalProperties":false}`
}

// TestSchemas goes round for each type: its schema is as written, accepts what the
// encoder makes of the value, by our checker and by jsonschema's own validator, and
// the decoder takes it back.
func TestSchemas(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 22, 13, 0, 0, 5, time.UTC)
	four := 4
	big4 := uint64(1) << 63
	rows := []struct {
		value any
		want  string
	}{
		{"text", `{"type":"string"}`},
		{true, `{"type":"boolean"}`},
		{int64(1) << 62, `{"type":"integer"}`},
		{uint8(7), `{"type":"integer","minimum":0,"maximum":255}`},
		{1.5, `{"type":"number"}`},
		{[]byte("bytes"), `{"type":"string","contentEncoding":"base64"}`},
		{[]byte(nil), `{"type":"string","contentEncoding":"base64"}`},
		{[2]byte{1, 2}, `{"type":"array","items":{"type":"integer","minimum":0,"maximum":255},"minItems":2,"maxItems":2}`},
		{[]int{1}, `{"type":"array","items":{"type":"integer"}}`},
		{[]int(nil), `{"type":"array","items":{"type":"integer"}}`},
		{[][]string{{"a"}, nil}, `{"type":"array","items":{"type":"array","items":{"type":"string"}}}`},
		{map[string]int{"a": 1}, `{"type":"object","additionalProperties":{"type":"integer"}}`},
		{map[string]int(nil), `{"type":"object","additionalProperties":{"type":"integer"}}`},
		{map[int]bool{1: true}, `{"type":"object","additionalProperties":{"type":"boolean"}}`},
		{map[worded]bool{{"a"}: true}, `{"type":"object","additionalProperties":{"type":"boolean"}}`},
		{&four, `{"type":["null","integer"]}`},
		{(*int)(nil), `{"type":["null","integer"]}`},
		{json.RawMessage(`{"a":[1,"b"]}`), `{"description":"Any JSON value."}`},
		{map[string]any{"a": []any{1.0, "b", nil}}, `{"type":"object","additionalProperties":{"description":"Any JSON value."}}`},
		{when, `{"type":"string","format":"date-time"}`},
		{3 * time.Second, `{"type":"integer","description":"A duration in nanoseconds."}`},
		{*big.NewInt(0).Lsh(big.NewInt(1), 100), `{"type":"integer"}`},
		{coded{4}, `{"description":"Any JSON value."}`},
		{worded{"w"}, `{"type":"string"}`},
		{struct{}{}, closed("", "")},
		{embedded{inner{1}, "b"}, closed(`"A":{"type":"integer"},"B":{"type":"string"}`, `"A","B"`)},
		{tagged{Inner{1, 2}}, closed(`"in":`+closed(`"A":{"type":"integer"},"B":{"type":"integer"}`, `"A","B"`), `"in"`)},
		{pointed{&Inner{1, 2}, "b"}, closed(`"A":{"type":"integer"},"B":{"type":"string"}`, `"B"`)},
		{pointed{}, closed(`"A":{"type":"integer"},"B":{"type":"string"}`, `"B"`)},
		{shadowed{inner{1}, "a"}, closed(`"A":{"type":"string"}`, `"A"`)},
		{rivals{}, closed(`"B":{"type":"integer"}`, `"B"`)},
		{optional{Pair: &four}, closed(`"Must":{"type":"string"},"Empty":{"type":"string"},"zero":{"type":"string","format":"date-time"},"Pair":{"type":["null","integer"]}`, `"Must","Pair"`)},
		{quoted{1 << 62, &big4}, closed(`"n":{"type":"string"},"f":{"type":["null","string"]}`, `"n","f"`)},
	}
	for _, row := range rows {
		typ := reflect.TypeOf(row.value)
		t.Run(fmt.Sprintf("%s %s", typ, row.want), func(t *testing.T) {
			t.Parallel()
			if got := mustSchema(t, typ); got != row.want {
				t.Fatalf("schema of %s:\n got %s\nwant %s", typ, got, row.want)
			}
			s, err := outputSchema(typ)
			if err != nil {
				t.Fatal(err)
			}
			v := reflect.New(typ)
			v.Elem().Set(reflect.ValueOf(row.value))
			text, err := newEncoder(1 << 20).encode(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if err := compileSchema(s).check(text); err != nil {
				t.Errorf("our checker refuses %s: %v", text, err)
			}
			accepts(t, s, text)
			if err := decode(text, reflect.New(typ).Interface()); err != nil {
				t.Errorf("the decoder refuses %s: %v", text, err)
			}
		})
	}
}

// accepts fails the test where jsonschema's validator refuses the text.
func accepts(t *testing.T, s *jsonschema.Schema, text []byte) {
	t.Helper()
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if err := resolved.Validate(v); err != nil {
		t.Errorf("jsonschema refuses %s: %v", text, err)
	}
}

func TestTypesWithoutSchema(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		typ  reflect.Type
		want string
	}{
		"itself by pointer": {reflect.TypeFor[node2](), "node2 contains itself"},
		"itself in a list":  {reflect.TypeFor[tree](), "tree contains itself"},
		"itself in a map":   {reflect.TypeFor[mutual](), "mutual contains itself"},
		"a channel":         {reflect.TypeFor[struct{ C chan int }](), "chan int"},
		"a function":        {reflect.TypeFor[struct{ F func() }](), "func()"},
		"a complex number":  {reflect.TypeFor[complex128](), "complex128"},
		"keys of no text":   {reflect.TypeFor[map[float64]int](), "keys that are no text"},
		"json.Number":       {reflect.TypeFor[struct{ N json.Number }](), "json.Number"},
		"an odd tag option": {reflect.TypeFor[struct {
			T time.Time `json:"t,format:unix"`
		}](), "format:unix"},
		"a hidden struct by a name": {reflect.TypeFor[struct {
			inner `json:"in"`
		}](), "must be exported"},
		"two of one name": {reflect.StructOf([]reflect.StructField{
			{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`}, {Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		}), "conflict"},
		"bytes by another name": {reflect.TypeFor[chan grade](), "chan"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := outputSchema(row.typ); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want one with %q", err, row.want)
			}
		})
	}
}

func TestInputsWithoutSchema(t *testing.T) {
	t.Parallel()
	rows := map[string]reflect.Type{
		"a string":     reflect.TypeFor[string](),
		"a list":       reflect.TypeFor[[]int](),
		"a pointer":    reflect.TypeFor[*inner](),
		"an interface": reflect.TypeFor[struct{ V encoding.TextMarshaler }](),
		"a time":       reflect.TypeFor[time.Time](),
	}
	for name, typ := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := inputSchema(typ); err == nil {
				t.Errorf("%s is taken as an input", typ)
			}
		})
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[json.RawMessage](), reflect.TypeFor[any](), reflect.TypeFor[map[string]any](), reflect.TypeFor[struct{}]()} {
		if s, err := inputSchema(typ); err != nil || s.Type != "object" {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestBytesByAnotherName(t *testing.T) {
	t.Parallel()
	text, err := newEncoder(100).encode(&struct{ G []grade }{[]grade{1}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := outputSchema(reflect.TypeFor[struct{ G []grade }]())
	if err != nil {
		t.Fatal(err)
	}
	if err := compileSchema(s).check(text); err != nil {
		t.Errorf("%s: %v", text, err)
	}
}
