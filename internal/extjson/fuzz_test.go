package extjson_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a": [1, -2.5, "x", true, null, {"b": {}}]}`,
		`{"a": {"$oid": "0123456789abcdef01234567"}, "b": {"$date": "2024-01-01T00:00:00.5Z"}}`,
		`{"a": {"$date": {"$numberLong": "-1"}}, "b": {"$numberDecimal": "1E-3"}}`,
		`{"a": {"$binary": {"base64": "AQID", "subType": "02"}}, "b": {"$uuid": "c8edabc3-f738-4ca3-b68d-ab92a91478a3"}}`,
		`{"a": {"$regularExpression": {"pattern": "\u00e9", "options": "mi"}}, "b": {"$timestamp": {"t": 1, "i": 2}}}`,
		`{"a": {"$regex": "x", "$options": "i"}, "b": [{"$minKey": 1}, {"$maxKey": 1}]}`,
		`{"a": [{"$numberInt": "1"}, {"$numberLong": "2"}, {"$numberDouble": "NaN"}], "b": 9223372036854775807}`,
		`{"\u0024oid": 1}`, `{"a\u0000": 1}`, `{"a": 1, "\u0061": 2}`, `{"a": {"$code": "x"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := extjson.Parse(data, extjson.MaxDepth)
		if err != nil {
			checkError(t, err)
			return
		}
		if err := doc.Validate(); err != nil {
			t.Fatalf("invalid BSON: %v", err)
		}
		text, again := relaxed(t, doc)
		if stable, _ := relaxed(t, again); !bytes.Equal(stable, text) {
			t.Fatalf("not stable:\n%s\n%s", text, stable)
		}
		compareWithDriver(t, data, text)
	})
}

// checkError holds an error to its promise: it is typed, short and printable.
func checkError(t *testing.T, err error) {
	t.Helper()
	var e *extjson.Error
	if !errors.As(err, &e) || e.Reason == "" {
		t.Fatalf("got %v", err)
	}
	printable := func(r rune) bool { return unicode.IsPrint(r) || r == utf8.RuneError }
	if len(e.Path) > 260 || !utf8.ValidString(e.Path) || strings.ContainsFunc(e.Path, func(r rune) bool { return !printable(r) }) {
		t.Fatalf("path %q", e.Path)
	}
}

// relaxed writes a document and reads it again.
func relaxed(t *testing.T, doc bson.Raw) (text []byte, again bson.Raw) {
	t.Helper()
	text, err := extjson.AppendRelaxed(nil, doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err = extjson.Parse(text, extjson.MaxDepth)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return text, again
}

// compareWithDriver checks that the driver, where it accepts the text too,
// takes it for the same document.
func compareWithDriver(t *testing.T, data, text []byte) {
	t.Helper()
	var doc bson.D
	if err := bson.UnmarshalExtJSON(data, false, &doc); err != nil {
		return
	}
	theirs, err := bson.Marshal(doc)
	if err != nil {
		return
	}
	// Compared as text: the driver, too, sees the written int64 as the smallest integer.
	got, err := extjson.AppendRelaxed(nil, theirs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, text) {
		t.Fatalf("of %q\nours   %s\ntheirs %s", data, text, got)
	}
}
