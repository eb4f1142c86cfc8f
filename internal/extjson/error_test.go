package extjson_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

func TestErrorUnder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ path, want string }{
		{"", "query"},
		{"a.$date", "query.a.$date"},
		{"[2].a", "query[2].a"},
	} {
		if got := (&extjson.Error{Path: test.path}).Under("query").Path; got != test.want {
			t.Errorf("%q under query is %q, want %q", test.path, got, test.want)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ in, want string }{
		"letters stay":               {"naïve_Key-2.$x y/é", "naïve_Key-2.$x y/é"},
		"control characters go":      {"a\x00\n\r\x1b\x7f", "a\ufffd\ufffd\ufffd\ufffd\ufffd"},
		"bidirectional ones go":      {"a\u202e\u2066", "a\ufffd\ufffd"},
		"line separators go":         {"a\u2028\u0085", "a\ufffd\ufffd"},
		"invalid UTF-8 goes":         {"a\xff", "a\ufffd"},
		"an empty one is seen":       {"", `""`},
		"64 characters stay":         {strings.Repeat("é", 64), strings.Repeat("é", 64)},
		"those after the 64th do go": {strings.Repeat("é", 65), strings.Repeat("é", 64) + "…"},
	} {
		if got := extjson.Name(test.in); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ pointer, want string }{
		{"", ""},
		{"/a", "a"},
		{"/a/0/b/12", "a[0].b[12]"},
		{"/0/1", "0[1]"},
		{"/a~1b/~0", "a/b.~"},
		{"/a//", `a."".""`},
		{"/" + strings.Repeat("a", 64) + "/" + strings.Repeat("b", 64), strings.Repeat("a", 64) + "." + strings.Repeat("b", 64)},
	} {
		if got := extjson.Path(jsontext.Pointer(test.pointer)); got != test.want {
			t.Errorf("%q is %q, want %q", test.pointer, got, test.want)
		}
	}
}

func TestPathIsBounded(t *testing.T) {
	t.Parallel()
	for shift := range 4 { // so that the cut falls on each byte of a character
		pointer := "/" + strings.Repeat("x", shift) + strings.Repeat("/😀", 1000) + "/end"
		got := extjson.Path(jsontext.Pointer(pointer))
		if len(got) > 260 || !utf8.ValidString(got) || !strings.HasSuffix(got, "😀.end") || !strings.Contains(got, "…") {
			t.Errorf("shift %d: %q", shift, got)
		}
	}
}
