package extjson_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

func TestAppendRelaxed(t *testing.T) {
	t.Parallel()
	id := primitive.ObjectID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67}
	tests := map[string]struct {
		value any
		want  string
	}{
		"null":                       {nil, `null`},
		"booleans":                   {bson.A{true, false}, `[true,false]`},
		"integers":                   {bson.A{int32(-1), int64(1), int64(math.MinInt64)}, `[-1,1,-9223372036854775808]`},
		"doubles":                    {bson.A{1.0, 0.1, -2.5, 1e20, 123456789.0}, `[1.0,0.1,-2.5,100000000000000000000.0,123456789.0]`},
		"doubles with an exponent":   {bson.A{1e21, 5e-324, 1.5e-7}, `[1e+21,5e-324,1.5e-07]`},
		"zeros":                      {bson.A{0.0, math.Copysign(0, -1)}, `[0.0,-0.0]`},
		"doubles that are no number": {bson.A{math.NaN(), math.Inf(1), math.Inf(-1)}, `[{"$numberDouble":"NaN"},{"$numberDouble":"Infinity"},{"$numberDouble":"-Infinity"}]`},
		"decimals":                   {bson.A{decimal(t, "0.10"), decimal(t, "-Infinity")}, `[{"$numberDecimal":"0.10"},{"$numberDecimal":"-Infinity"}]`},
		"strings":                    {bson.A{"", "a\"\\\n\x00\x1f", "é😀\u2028<>&"}, `["","a\"\\\n\u0000\u001f","é😀` + "\u2028" + `<>&"]`},
		"invalid UTF-8":              {"a\xffb\xed\xa0\x80", `"a` + strings.Repeat("\ufffd", 1) + `b` + strings.Repeat("\ufffd", 3) + `"`},
		"invalid UTF-8 in a name":    {bson.D{{Key: "\xff", Value: int32(1)}}, `{"` + "\ufffd" + `":1}`},
		"documents keep their order": {bson.D{{Key: "b", Value: bson.D{}}, {Key: "a", Value: bson.A{}}, {Key: "\"", Value: nil}}, `{"b":{},"a":[],"\"":null}`},
		"an ObjectId":                {id, `{"$oid":"0123456789abcdef01234567"}`},
		"a date":                     {primitive.DateTime(1704067200000), `{"$date":"2024-01-01T00:00:00Z"}`},
		"a date with milliseconds":   {primitive.DateTime(1704067200050), `{"$date":"2024-01-01T00:00:00.050Z"}`},
		"the first and last strings": {bson.A{primitive.DateTime(0), primitive.DateTime(253402300799999)}, `[{"$date":"1970-01-01T00:00:00Z"},{"$date":"9999-12-31T23:59:59.999Z"}]`},
		"dates beyond":               {bson.A{primitive.DateTime(-1), primitive.DateTime(253402300800000)}, `[{"$date":{"$numberLong":"-1"}},{"$date":{"$numberLong":"253402300800000"}}]`},
		"binary":                     {primitive.Binary{Subtype: 4, Data: []byte{1, 2, 3, 4}}, `{"$binary":{"base64":"AQIDBA==","subType":"04"}}`},
		"binary of old subtype":      {primitive.Binary{Subtype: 2, Data: []byte{1, 2, 3}}, `{"$binary":{"base64":"AQID","subType":"02"}}`},
		"a regular expression":       {primitive.Regex{Pattern: `a"\.`, Options: "im"}, `{"$regularExpression":{"pattern":"a\"\\.","options":"im"}}`},
		"a timestamp":                {primitive.Timestamp{T: math.MaxUint32, I: 1}, `{"$timestamp":{"t":4294967295,"i":1}}`},
		"the ends of the order":      {bson.A{primitive.MinKey{}, primitive.MaxKey{}}, `[{"$minKey":1},{"$maxKey":1}]`},
		"what Parse refuses": {
			bson.A{
				primitive.JavaScript("f()"), primitive.Symbol("s"),
				primitive.Undefined{},
				primitive.CodeWithScope{Code: "f()", Scope: bson.D{{Key: "x", Value: int32(1)}}},
				primitive.DBPointer{DB: "db.c", Pointer: id},
			},
			`[{"$code":"f()"},{"$symbol":"s"},{"$undefined":true},{"$code":"f()","$scope":{"x":1}},` +
				`{"$dbPointer":{"$ref":"db.c","$id":{"$oid":"0123456789abcdef01234567"}}}]`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := marshal(t, bson.D{{Key: "v", Value: test.value}})
			got, err := extjson.AppendRelaxed([]byte("before"), doc)
			if err != nil {
				t.Fatal(err)
			}
			if want := `before{"v":` + test.want + `}`; string(got) != want {
				t.Errorf("\ngot  %s\nwant %s", got, want)
			}
			value, err := extjson.AppendValue(nil, doc.Lookup("v"))
			if err != nil || string(value) != test.want {
				t.Errorf("the value alone: %s, %v", value, err)
			}
		})
	}
}

func TestAppendRelaxedSkips(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		doc  bson.D
		want string
	}{
		"first, last and between": {
			bson.D{{Key: "_password", Value: "x"}, {Key: "a", Value: 1}, {Key: "_sessions", Value: bson.D{{Key: "s", Value: 1}}}, {Key: "b", Value: 2}, {Key: "_password", Value: "y"}},
			`{"a":1,"b":2}`,
		},
		"everything":            {bson.D{{Key: "_password", Value: "x"}, {Key: "_sessions", Value: 1}}, `{}`},
		"nothing":               {bson.D{{Key: "a", Value: 1}}, `{"a":1}`},
		"the top level only":    {bson.D{{Key: "a", Value: bson.D{{Key: "_password", Value: 1}}}}, `{"a":{"_password":1}}`},
		"names that match only": {bson.D{{Key: "_passwor", Value: 1}, {Key: "_password2", Value: 1}, {Key: "_Password", Value: 1}}, `{"_passwor":1,"_password2":1,"_Password":1}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := extjson.AppendRelaxed(nil, marshal(t, test.doc), "_password", "_sessions")
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

// element returns a document with one element called v.
func element(kind bsontype.Type, value string) bson.Raw {
	raw := string([]byte{byte(kind), 'v', 0}) + value + "\x00"
	return bson.Raw(string([]byte{byte(len(raw) + 4), 0, 0, 0}) + raw)
}

func TestAppendRelaxedRefusesCorruptBSON(t *testing.T) {
	t.Parallel()
	tests := map[string]bson.Raw{
		"nothing":                       nil,
		"a length alone":                {4, 0, 0, 0},
		"a length too short":            {4, 0, 0, 0, 0},
		"a length too long":             {6, 0, 0, 0, 0},
		"a negative length":             {0xff, 0xff, 0xff, 0xff, 0},
		"no terminator":                 {5, 0, 0, 0, 1},
		"bytes after it":                {5, 0, 0, 0, 0, 0},
		"a name without an end":         {7, 0, 0, 0, 1, 'v', 0},
		"an unknown type":               element(0x20, "xxxx"),
		"half a double":                 element(bson.TypeDouble, "xxxx"),
		"half an ObjectId":              element(bson.TypeObjectID, "xxxx"),
		"a string without a length":     element(bson.TypeString, "x"),
		"a string of length zero":       element(bson.TypeString, "\x00\x00\x00\x00"),
		"a string longer than it is":    element(bson.TypeString, "\x05\x00\x00\x00x\x00"),
		"a string without a terminator": element(bson.TypeString, "\x01\x00\x00\x00x"),
		"binary longer than it is":      element(bson.TypeBinary, "\x05\x00\x00\x00\x00x"),
		"binary of the largest length":  element(bson.TypeBinary, "\xff\xff\xff\x7f\x00x"),
		"a regular expression half":     element(bson.TypeRegex, "a"),
		"a document beyond its parent":  element(bson.TypeEmbeddedDocument, "\x10\x00\x00\x00\x00"),
		"an array beyond its parent":    element(bson.TypeArray, "\x10\x00\x00\x00\x00"),
		"an array of half an element":   element(bson.TypeArray, "\x08\x00\x00\x00\x10\x30\x00\x00"),
		"an array with half a name":     element(bson.TypeArray, "\x07\x00\x00\x00\x0a\x30\x00"),
		"code shorter than its length":  element(bson.TypeCodeWithScope, "\xff\x00\x00\x00"),
		"code without a string":         element(bson.TypeCodeWithScope, "\x04\x00\x00\x00"),
		"code with half a scope":        element(bson.TypeCodeWithScope, "\x0a\x00\x00\x00\x01\x00\x00\x00\x00\x05"),
		"code with more than a scope":   element(bson.TypeCodeWithScope, "\x0f\x00\x00\x00\x01\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00"),
		"a pointer without a string":    element(bson.TypeDBPointer, "\x00"),
	}
	for name, doc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := extjson.AppendRelaxed(nil, doc); !errors.Is(err, extjson.ErrCorrupt) {
				t.Errorf("got %s, %v", out, err)
			}
			value := bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: doc}
			if out, err := extjson.AppendValue(nil, value); !errors.Is(err, extjson.ErrCorrupt) {
				t.Errorf("as a value: got %s, %v", out, err)
			}
		})
	}
}

func TestAppendRelaxedBoundsItsRecursion(t *testing.T) {
	t.Parallel()
	nested := func(n int) bson.Raw {
		doc := bson.Raw{5, 0, 0, 0, 0}
		for range n {
			doc = marshal(t, bson.D{{Key: "a", Value: doc}})
		}
		return doc
	}
	if _, err := extjson.AppendRelaxed(nil, nested(999)); err != nil {
		t.Errorf("1000 levels: %v", err)
	}
	if _, err := extjson.AppendRelaxed(nil, nested(1000)); !errors.Is(err, extjson.ErrCorrupt) {
		t.Errorf("1001 levels: %v", err)
	}
}

// Binary of subtype 2 repeats its length inside; where it does not, the bytes
// are still somebody's.
func TestAppendRelaxedKeepsOddBinary(t *testing.T) {
	t.Parallel()
	got, err := extjson.AppendRelaxed(nil, element(bson.TypeBinary, "\x03\x00\x00\x00\x02abc"))
	if want := `{"v":{"$binary":{"base64":"YWJj","subType":"02"}}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAppendRelaxedAllocatesNothing(t *testing.T) { //nolint:paralleltest // AllocsPerRun refuses to run in parallel
	doc := marshal(t, sample())
	dst := make([]byte, 0, 4096)
	hidden := []string{"_password", "_sessions"}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := extjson.AppendRelaxed(dst, doc, hidden...); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAppendRelaxed(f *testing.F) {
	f.Add([]byte(marshal(f, sample())))
	f.Add([]byte(element(bson.TypeCodeWithScope, "\x0e\x00\x00\x00\x01\x00\x00\x00\x00\x05\x00\x00\x00\x00")))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := extjson.AppendRelaxed(nil, data)
		if err == nil && !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Errorf("not JSON: %s", out)
		}
	})
}
