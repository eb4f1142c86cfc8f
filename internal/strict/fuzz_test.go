package strict_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// plain is the part of a body that encoding/json decodes alike.
type plain struct {
	Key    string   `json:"_key"`
	Age    int8     `json:"age"`
	Open   bool     `json:"open"`
	Tags   []string `json:"tags"`
	Nested nested   `json:"nested"`
	Any    any      `json:"any"`
}

func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"_key": "a", "age": 1, "open": true, "tags": ["x"], "nested": {"name": "n"}, "any": {"a": [null, 1.5]}}`,
		`{"_key": "a", "\u005fkey": "b"}`, `{"_KEY": "a"}`, `{"any": {"a": 1, "a": 2}}`, `{"_key": null}`, `{} {}`, "\ufeff{}",
		`{"any": [[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]}`, `{"_key": "\ud800"}`, `{"age": 1e2}`, `{"tags": ["\"[{"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want plain
		c, _ := post(bytes.NewReader(data))
		if err := strict.Body(c, strict.MaxBody, &got); err != nil {
			checkProblem(t, err)
			return
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		// Not go-cmp: its time doubles with every level of nested lists.
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %+v, want %+v", data, got, want)
		}
		checkUnique(t, json.NewDecoder(bytes.NewReader(data)))
	})
}

// checkProblem holds a problem to its promise: it is one, bounded and printable.
func checkProblem(t *testing.T, err error) {
	t.Helper()
	var p *service.Problem
	if !errors.As(err, &p) || p.Status != http.StatusBadRequest || len(p.Errors) != 1 {
		t.Fatalf("got %v", err)
	}
	field := p.Errors[0].Field
	printable := func(r rune) bool { return unicode.IsPrint(r) || r == utf8.RuneError }
	if len(field) > 300 || !utf8.ValidString(p.Detail) || strings.ContainsFunc(p.Detail, func(r rune) bool { return !printable(r) }) {
		t.Fatalf("got %q", p.Detail)
	}
}

// checkUnique walks an accepted body and fails on a name given twice anywhere.
func checkUnique(t *testing.T, dec *json.Decoder) {
	t.Helper()
	type level struct {
		names  map[string]bool // nil in an array
		inName bool
	}
	var stack []level
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack) - 1; n >= 0 && stack[n].names != nil {
			stack[n].inName = !stack[n].inName
			if name, ok := token.(string); ok && stack[n].inName {
				if stack[n].names[name] {
					t.Fatalf("%q is given twice", name)
				}
				stack[n].names[name] = true
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		}
	}
}
