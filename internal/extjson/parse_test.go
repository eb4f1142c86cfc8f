package extjson_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// marshal returns the BSON of a value that a test wrote by hand.
func marshal(tb testing.TB, v any) bson.Raw {
	tb.Helper()
	raw, err := bson.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func decimal(tb testing.TB, s string) primitive.Decimal128 {
	tb.Helper()
	d, err := primitive.ParseDecimal128(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestParseReads(t *testing.T) {
	t.Parallel()
	id := primitive.ObjectID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67}
	uuid := []byte{0xc8, 0xed, 0xab, 0xc3, 0xf7, 0x38, 0x4c, 0xa3, 0xb6, 0x8d, 0xab, 0x92, 0xa9, 0x14, 0x78, 0xa3}
	day := primitive.NewDateTimeFromTime(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	tests := map[string]struct {
		in   string
		want any
	}{
		"null":                           {`null`, nil},
		"booleans":                       {`[true, false]`, bson.A{true, false}},
		"an integer of 32 bits":          {`[0, -1, 2147483647, -2147483648]`, bson.A{int32(0), int32(-1), int32(math.MaxInt32), int32(math.MinInt32)}},
		"an integer of 64 bits":          {`[2147483648, -2147483649, 9223372036854775807, -9223372036854775808]`, bson.A{int64(math.MaxInt32 + 1), int64(math.MinInt32 - 1), int64(math.MaxInt64), int64(math.MinInt64)}},
		"minus zero is an integer":       {`-0`, int32(0)},
		"a fraction makes a double":      {`[1.0, -0.0, 0.1]`, bson.A{1.0, math.Copysign(0, -1), 0.1}},
		"an exponent makes a double":     {`[1e3, 1E+2, 5e-324]`, bson.A{1e3, 1e2, 5e-324}},
		"strings":                        {`["", "é\u00e9\n\"", "\ud83d\ude00", "a\u0000b"]`, bson.A{"", "éé\n\"", "😀", "a\x00b"}},
		"documents keep their order":     {`{"b": 1, "a": {"d": 2, "c": 3}}`, bson.D{{Key: "b", Value: int32(1)}, {Key: "a", Value: bson.D{{Key: "d", Value: int32(2)}, {Key: "c", Value: int32(3)}}}}},
		"names of any kind":              {`{"": 1, "a.b": 2, "é": 3, "\u005fx": 4}`, bson.D{{Key: "", Value: int32(1)}, {Key: "a.b", Value: int32(2)}, {Key: "é", Value: int32(3)}, {Key: "_x", Value: int32(4)}}},
		"empty containers":               {`[{}, []]`, bson.A{bson.D{}, bson.A{}}},
		"twelve elements":                {`[0,0,0,0,0,0,0,0,0,0,0,1]`, bson.A{int32(0), int32(0), int32(0), int32(0), int32(0), int32(0), int32(0), int32(0), int32(0), int32(0), int32(0), int32(1)}},
		"$numberInt":                     {`{"$numberInt": "-42"}`, int32(-42)},
		"$numberLong":                    {`{"$numberLong": "42"}`, int64(42)},
		"$numberDouble":                  {`[{"$numberDouble": "-1.5E+3"}, {"$numberDouble": "Infinity"}, {"$numberDouble": "-Infinity"}, {"$numberDouble": "NaN"}]`, bson.A{-1.5e3, math.Inf(1), math.Inf(-1), math.NaN()}},
		"$numberDecimal":                 {`[{"$numberDecimal": "0.10"}, {"$numberDecimal": "NaN"}, {"$numberDecimal": "-1E+6111"}]`, bson.A{decimal(t, "0.10"), decimal(t, "NaN"), decimal(t, "-1E+6111")}},
		"$numberDecimal, zero times any": {`{"$numberDecimal": "0E+999999999"}`, decimal(t, "0E+6111")},
		"$oid in either case":            {`[{"$oid": "0123456789abcdef01234567"}, {"$oid": "0123456789ABCDEF01234567"}]`, bson.A{id, id}},
		"a wrapper with an escaped name": {`{"\u0024oid": "0123456789abcdef01234567"}`, id},
		"$date in UTC":                   {`{"$date": "2024-01-01T00:00:00Z"}`, day},
		"$date with an offset":           {`{"$date": "2024-01-01T05:30:00.000+05:30"}`, day},
		"$date cut to milliseconds":      {`{"$date": "2024-01-01T00:00:00.123999999Z"}`, day + 123},
		"$date before 1970":              {`{"$date": "1969-12-31T23:59:59.9999Z"}`, primitive.DateTime(-1)},
		"$date as a number":              {`[{"$date": {"$numberLong": "-9223372036854775808"}}]`, bson.A{primitive.DateTime(math.MinInt64)}},
		"$binary":                        {`{"$binary": {"base64": "AQID", "subType": "80"}}`, primitive.Binary{Subtype: 0x80, Data: []byte{1, 2, 3}}},
		"$binary in the other order":     {`{"$binary": {"subType": "0", "base64": ""}}`, primitive.Binary{Data: []byte{}}},
		"$binary of old subtype":         {`{"$binary": {"base64": "AQID", "subType": "02"}}`, primitive.Binary{Subtype: 2, Data: []byte{1, 2, 3}}},
		"$uuid":                          {`{"$uuid": "c8edabc3-f738-4ca3-b68d-ab92a91478a3"}`, primitive.Binary{Subtype: 4, Data: uuid}},
		"$regularExpression":             {`{"$regularExpression": {"pattern": "^a\\.b", "options": "xi"}}`, primitive.Regex{Pattern: `^a\.b`, Options: "ix"}},
		"$regularExpression, turned":     {`{"$regularExpression": {"options": "", "pattern": "\u00e9"}}`, primitive.Regex{Pattern: "é"}},
		"$timestamp":                     {`{"$timestamp": {"i": 1, "t": 4294967295}}`, primitive.Timestamp{T: math.MaxUint32, I: 1}},
		"$minKey and $maxKey":            {`[{"$minKey": 1}, {"$maxKey": 1}]`, bson.A{primitive.MinKey{}, primitive.MaxKey{}}},
		"the operator $regex":            {`{"$regex": "^a", "$options": "i"}`, bson.D{{Key: "$regex", Value: "^a"}, {Key: "$options", Value: "i"}}},
		"the operator $regex, turned":    {`{"$options": "i", "$regex": "^a"}`, bson.D{{Key: "$options", Value: "i"}, {Key: "$regex", Value: "^a"}}},
		"$regex of a leaf":               {`{"$regex": {"$regularExpression": {"pattern": "a", "options": ""}}}`, bson.D{{Key: "$regex", Value: primitive.Regex{Pattern: "a"}}}},
		"the operator $type":             {`{"$type": "string"}`, bson.D{{Key: "$type", Value: "string"}}},
		"other names with a dollar":      {`{"$ref": "a", "$id": 1, "$where": "x"}`, bson.D{{Key: "$ref", Value: "a"}, {Key: "$id", Value: int32(1)}, {Key: "$where", Value: "x"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := extjson.Parse([]byte(`{"v": `+test.in+`}`), extjson.MaxDepth)
			if err != nil {
				t.Fatal(err)
			}
			if want := marshal(t, bson.D{{Key: "v", Value: test.want}}); !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", []byte(got), []byte(want))
			}
			if err := got.Validate(); err != nil {
				t.Errorf("invalid BSON: %v", err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, path, reason string }{
		"nothing":                          {``, "", "ends too early"},
		"an unfinished text":               {`{"a": [1, `, "a", "ends too early"},
		"null":                             {`null`, "", "must be an object"},
		"an array":                         {`[]`, "", "must be an object"},
		"a string":                         {`"x"`, "", "must be an object"},
		"a single value":                   {`{"$oid": "0123456789abcdef01234567"}`, "", "must be a document, not a single value"},
		"trailing data":                    {`{} {}`, "", "is not well-formed JSON"},
		"a byte order mark":                {"\ufeff{}", "", "is not well-formed JSON"},
		"a trailing comma":                 {`{"a": 1,}`, "", "is not well-formed JSON"},
		"a comment":                        {`{"a": /* */ 1}`, "a", "is not well-formed JSON"},
		"single quotes":                    {`{'a': 1}`, "", "is not well-formed JSON"},
		"NaN":                              {`{"a": NaN}`, "a", "is not well-formed JSON"},
		"a leading zero":                   {`{"a": 01}`, "", "is not well-formed JSON"},
		"invalid UTF-8":                    {"{\"a\": {\"b\": \"\xff\"}}", "a.b", "is not well-formed JSON"},
		"a lone surrogate":                 {`{"a": [0, "\ud800"]}`, "a[1]", "is not well-formed JSON"},
		"a raw control character":          {"{\"a\": \"\x01\"}", "a", "is not well-formed JSON"},
		"a name given twice":               {`{"a": {"b": 1, "b": 2}}`, "a.b", "is given twice"},
		"a name given twice, escaped":      {`{"_key": 1, "\u005fkey": 2}`, "_key", "is given twice"},
		"a name given twice in a list":     {`{"a": [[{"b": 1, "b": 2}]]}`, "a[0][0].b", "is given twice"},
		"a name of digits":                 {`{"a": {"0": {"$oid": 1}}}`, "a.0.$oid", "must be a string"},
		"NUL in a name":                    {`{"a\u0000b": 1}`, "a\ufffdb", "must not contain NUL in its name"},
		"NUL in a later name":              {`{"x": 0, "": 1, "\u0000": 1}`, "\ufffd", "must not contain NUL in its name"},
		"an integer of 65 bits":            {`{"a": [9223372036854775808]}`, "a[0]", "does not fit 64 bits; use $numberDecimal or a string"},
		"a negative integer of 65 bits":    {`{"a": -9223372036854775809}`, "a", "does not fit 64 bits; use $numberDecimal or a string"},
		"a double too large":               {`{"a": 1e309}`, "a", "is out of range"},
		"$numberInt of 33 bits":            {`{"a": {"$numberInt": "2147483648"}}`, "a.$numberInt", "must be an integer of 32 bits in a string"},
		"$numberInt as a number":           {`{"a": {"$numberInt": 1}}`, "a.$numberInt", "must be a string"},
		"$numberLong with a plus":          {`{"a": {"$numberLong": "+1"}}`, "a.$numberLong", "must be an integer of 64 bits in a string"},
		"$numberLong that is empty":        {`{"a": {"$numberLong": ""}}`, "a.$numberLong", "must be an integer of 64 bits in a string"},
		"$numberDouble in hexadecimal":     {`{"a": {"$numberDouble": "0x1p-2"}}`, "a.$numberDouble", "must be a decimal number, Infinity, -Infinity or NaN in a string"},
		"$numberDouble in other words":     {`{"a": {"$numberDouble": "inf"}}`, "a.$numberDouble", "must be a decimal number, Infinity, -Infinity or NaN in a string"},
		"$numberDouble that is empty":      {`{"a": {"$numberDouble": ""}}`, "a.$numberDouble", "must be a decimal number, Infinity, -Infinity or NaN in a string"},
		"$numberDouble with underscores":   {`{"a": {"$numberDouble": "1_0"}}`, "a.$numberDouble", "must be a decimal number, Infinity, -Infinity or NaN in a string"},
		"$numberDecimal of 35 digits":      {`{"a": {"$numberDecimal": "12345678901234567890123456789012345"}}`, "a.$numberDecimal", "must be a number of 34 digits at most in a string"},
		"$numberDecimal that is huge":      {`{"a": {"$numberDecimal": "` + strings.Repeat("0", 1<<16) + `"}}`, "a.$numberDecimal", "must be a number of 34 digits at most in a string"},
		"$oid too short":                   {`{"a": {"$oid": "0123"}}`, "a.$oid", "must be 24 hexadecimal digits"},
		"$oid of other letters":            {`{"a": {"$oid": "0123456789abcdef0123456g"}}`, "a.$oid", "must be 24 hexadecimal digits"},
		"$oid of an object":                {`{"a": {"$oid": {"$ne": 1}}}`, "a.$oid", "must be a string"},
		"$date without a time":             {`{"document": {"tags": [1, 2, {"$date": "2024-01-01"}]}}`, "document.tags[2].$date", "must be a date and time as in RFC 3339"},
		"$date without a zone":             {`{"a": {"$date": "2024-01-01T00:00:00"}}`, "a.$date", "must be a date and time as in RFC 3339"},
		"$date with a comma":               {`{"a": {"$date": "2024-01-01T00:00:00,5Z"}}`, "a.$date", "must be a date and time as in RFC 3339"},
		"$date with a short hour":          {`{"a": {"$date": "2024-01-01T0:00:000Z"}}`, "a.$date", "must be a date and time as in RFC 3339"},
		"$date with a lone hour digit":     {`{"a": {"$date": "2024-01-01T0:00:00.0Z"}}`, "a.$date", "must be a date and time as in RFC 3339"},
		"$date that is empty":              {`{"a": {"$date": ""}}`, "a.$date", "must be a date and time as in RFC 3339"},
		"$date on the 30th of February":    {`{"a": {"$date": "2024-02-30T00:00:00Z"}}`, "a.$date", "must be a date and time as in RFC 3339"},
		"$date as a bare number":           {`{"a": {"$date": 5}}`, "a.$date", "must be a string"},
		"$date of something else":          {`{"a": {"$date": {"$numberInt": "5"}}}`, "a.$date.$numberInt", "must be $numberLong"},
		"$date of a number and more":       {`{"a": {"$date": {"$numberLong": "5", "x": 1}}}`, "a.$date.x", "must not stand beside a type wrapper"},
		"$date of an empty object":         {`{"a": {"$date": {}}}`, "a.$date", "must be a string"},
		"$binary as a string":              {`{"a": {"$binary": "AQID", "$type": "00"}}`, "a.$binary", "must be an object"},
		"$binary as a string, turned":      {`{"a": {"$type": "00", "$binary": "AQID"}}`, "a.$binary", "must stand alone in its object"},
		"$binary without base64":           {`{"a": {"$binary": {"subType": "00"}}}`, "a.$binary", "must have the members base64 and subType"},
		"$binary without padding":          {`{"a": {"$binary": {"base64": "AQI", "subType": "00"}}}`, "a.$binary.base64", "must be base64 with padding"},
		"$binary of a long subtype":        {`{"a": {"$binary": {"base64": "AQID", "subType": "000"}}}`, "a.$binary.subType", "must be one or two hexadecimal digits"},
		"$binary of a numeric subtype":     {`{"a": {"$binary": {"base64": "AQID", "subType": 0}}}`, "a.$binary.subType", "must be a string"},
		"$binary with more":                {`{"a": {"$binary": {"base64": "AQID", "x": "00"}}}`, "a.$binary.x", "is not a member of this type wrapper"},
		"$uuid without hyphens":            {`{"a": {"$uuid": "c8edabc3f7384ca3b68dab92a91478a3"}}`, "a.$uuid", "must be a UUID as in RFC 9562"},
		"$uuid of other letters":           {`{"a": {"$uuid": "c8edabc3-f738-4ca3-b68d-ab92a91478ag"}}`, "a.$uuid", "must be a UUID as in RFC 9562"},
		"$regularExpression as a string":   {`{"a": {"$regularExpression": "x"}}`, "a.$regularExpression", "must be an object"},
		"$regularExpression half":          {`{"a": {"$regularExpression": {"pattern": "x"}}}`, "a.$regularExpression", "must have the members pattern and options"},
		"$regularExpression with NUL":      {`{"a": {"$regularExpression": {"pattern": "x\u0000", "options": ""}}}`, "a.$regularExpression.pattern", "must not contain NUL"},
		"$regularExpression, NUL options":  {`{"a": {"$regularExpression": {"pattern": "x", "options": "\u0000"}}}`, "a.$regularExpression.options", "must be letters"},
		"$timestamp that is negative":      {`{"a": {"$timestamp": {"t": -1, "i": 0}}}`, "a.$timestamp.t", "must be an integer of 32 bits, not negative"},
		"$timestamp of 33 bits":            {`{"a": {"$timestamp": {"t": 0, "i": 4294967296}}}`, "a.$timestamp.i", "must be an integer of 32 bits, not negative"},
		"$timestamp with a string":         {`{"a": {"$timestamp": {"t": "0", "i": 0}}}`, "a.$timestamp.t", "must be a number"},
		"$minKey of two":                   {`{"a": {"$minKey": 2}}`, "a.$minKey", "must be 1"},
		"$maxKey of a string":              {`{"a": {"$maxKey": "1"}}`, "a.$maxKey", "must be a number"},
		"$code":                            {`{"a": {"$code": "x"}}`, "a.$code", "is a type that is not accepted"},
		"$code with a scope":               {`{"a": {"$code": "x", "$scope": {}}}`, "a.$code", "is a type that is not accepted"},
		"$code with a scope, turned":       {`{"a": {"$scope": {}, "$code": "x"}}`, "a.$code", "must stand alone in its object"},
		"$symbol":                          {`{"a": {"$symbol": "x"}}`, "a.$symbol", "is a type that is not accepted"},
		"$dbPointer":                       {`{"a": {"$dbPointer": {"$ref": "b", "$id": {"$oid": "0123456789abcdef01234567"}}}}`, "a.$dbPointer", "is a type that is not accepted"},
		"$undefined":                       {`{"a": {"$undefined": true}}`, "a.$undefined", "is a type that is not accepted"},
		"a wrapper with more after it":     {`{"a": {"$oid": "0123456789abcdef01234567", "b": 1}}`, "a.b", "must not stand beside a type wrapper"},
		"a wrapper with more before it":    {`{"a": {"b": 1, "$oid": "0123456789abcdef01234567"}}`, "a.$oid", "must stand alone in its object"},
		"a wrapper within a wrapper":       {`{"a": {"$oid": {"$oid": "0123456789abcdef01234567"}}}`, "a.$oid", "must be a string"},
		"a name that would forge a log":    {`{"a\n\u202eb": {"$code": ""}}`, "a\ufffd\ufffdb.$code", "is a type that is not accepted"},
		"a name of many bytes, cut":        {`{"` + strings.Repeat("n", 100) + `": {"$code": ""}}`, strings.Repeat("n", 64) + "….$code", "is a type that is not accepted"},
		"an empty name":                    {`{"": {"": {"$code": ""}}}`, `""."".$code`, "is a type that is not accepted"},
		"names like parts of JSON pointer": {`{"a/b": {"c~d": {"$code": ""}}}`, `a/b.c~d.$code`, "is a type that is not accepted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := extjson.Parse([]byte(test.in), extjson.MaxDepth)
			if got != nil {
				t.Errorf("returned BSON beside an error: %v", got)
			}
			want := &extjson.Error{Path: test.path, Reason: test.reason}
			var e *extjson.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want %v", err, want)
			}
			if diff := cmp.Diff(want, e); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseDepth(t *testing.T) {
	t.Parallel()
	objects := func(n int, leaf string) string {
		return strings.Repeat(`{"a":`, n) + leaf + strings.Repeat("}", n)
	}
	arrays := func(n int) string {
		return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	tests := map[string]struct {
		in string
		ok bool
	}{
		"three objects":                 {objects(3, "1"), true},
		"four objects":                  {objects(4, "1"), false},
		"three objects, the last empty": {objects(2, "{}"), true},
		"four objects, the last empty":  {objects(3, "{}"), false},
		"an object and two arrays":      {arrays(2), true},
		"an object and three arrays":    {arrays(3), false},
		"three objects and a wrapper":   {objects(3, `{"$oid": "0123456789abcdef01234567"}`), true},
		"a wrapper of wrappers":         {objects(3, `{"$date": {"$numberLong": "1"}}`), true},
		"ten thousand objects":          {objects(10000, "1"), false},
		"ten thousand arrays":           {arrays(10000), false},
		"a million open arrays":         {`{"a":` + strings.Repeat("[", 1000000), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := extjson.Parse([]byte(test.in), 3)
			if test.ok && err != nil {
				t.Fatal(err)
			}
			if !test.ok && (err == nil || !strings.Contains(err.Error(), "is nested more than 3 levels deep")) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// What is nested too deeply is not read, however much of it there is.
func TestDepthStopsTheReading(t *testing.T) {
	t.Parallel()
	for _, level := range []string{`{"a":`, `[`} {
		dec := jsontext.NewDecoder(strings.NewReader(`{"a":` + strings.Repeat(level, 10000)))
		var doc extjson.Document
		if err := json.UnmarshalDecode(dec, &doc); err == nil {
			t.Error("10 000 levels were accepted")
		}
		if read := dec.InputOffset(); read > 1000 {
			t.Errorf("%s: %d bytes were read", level, read)
		}
	}
}

func TestParseArray(t *testing.T) {
	t.Parallel()
	t.Run("reads documents", func(t *testing.T) {
		t.Parallel()
		got, err := extjson.ParseArray([]byte(` [{"$match": {"a": 1}}, {}, {"b": {"$oid": "0123456789abcdef01234567"}}] `), 3)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, doc := range got {
			if err := doc.Validate(); err != nil {
				t.Error(err)
			}
			out, err := extjson.AppendRelaxed(nil, doc)
			if err != nil {
				t.Error(err)
			}
			text = append(text, string(out))
		}
		want := []string{`{"$match":{"a":1}}`, `{}`, `{"b":{"$oid":"0123456789abcdef01234567"}}`}
		if diff := cmp.Diff(want, text); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an empty one is not nil", func(t *testing.T) {
		t.Parallel()
		got, err := extjson.ParseArray([]byte(`[]`), 1)
		if err != nil || got == nil || len(got) != 0 {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("documents cannot grow into each other", func(t *testing.T) {
		t.Parallel()
		got, err := extjson.ParseArray([]byte(`[{}, {}]`), 2)
		if err != nil {
			t.Fatal(err)
		}
		_ = append(got[0], 1)
		if err := got[1].Validate(); err != nil {
			t.Error(err)
		}
	})
	for name, test := range map[string]struct{ in, want string }{
		"an object":         {`{}`, "extjson: the value must be an array"},
		"null":              {`null`, "extjson: the value must be an array"},
		"a list of numbers": {`[{}, 1]`, "extjson: [1] must be an object"},
		"a null within":     {`[null]`, "extjson: [0] must be an object"},
		"a wrapper within":  {`[{}, {"$oid": "0123456789abcdef01234567"}]`, "extjson: [1] must be a document, not a single value"},
		"too deep":          {`[{"a": {}}]`, "extjson: [0].a is nested more than 2 levels deep"},
		"unfinished":        {`[{}`, "extjson: the value ends too early"},
		"trailing data":     {`[]]`, "extjson: the value is not well-formed JSON"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			got, err := extjson.ParseArray([]byte(test.in), 2)
			if err == nil || got != nil {
				t.Fatalf("got %v, %v", got, err)
			}
			if err.Error() != test.want {
				t.Errorf("got %q, want %q", err, test.want)
			}
		})
	}
}

type body struct {
	Document  extjson.Document   `json:"document"`
	Documents []extjson.Document `json:"documents"`
	Pipeline  extjson.Array      `json:"pipeline"`
}

func TestFields(t *testing.T) {
	t.Parallel()
	t.Run("are read in one pass", func(t *testing.T) {
		t.Parallel()
		var b body
		in := `{"document": {"a": {"$numberLong": "1"}}, "documents": [{"b": 2}, {}], "pipeline": [{"$limit": 1}]}`
		if err := json.Unmarshal([]byte(in), &b); err != nil {
			t.Fatal(err)
		}
		if want := marshal(t, bson.D{{Key: "a", Value: int64(1)}}); !bytes.Equal(b.Document, want) {
			t.Errorf("document: %x", []byte(b.Document))
		}
		if len(b.Documents) != 2 || !bytes.Equal(b.Documents[0], marshal(t, bson.D{{Key: "b", Value: int32(2)}})) {
			t.Errorf("documents: %v", b.Documents)
		}
		if len(b.Pipeline) != 1 || b.Pipeline[0].Lookup("$limit").Int32() != 1 {
			t.Errorf("pipeline: %v", b.Pipeline)
		}
	})
	t.Run("are nil when absent", func(t *testing.T) {
		t.Parallel()
		var b body
		if err := json.Unmarshal([]byte(`{}`), &b); err != nil {
			t.Fatal(err)
		}
		if b.Document != nil || b.Documents != nil || b.Pipeline != nil {
			t.Errorf("got %+v", b)
		}
	})
	for name, test := range map[string]struct{ in, path, reason string }{
		"null for a document":    {`{"document": null}`, "document", "must be an object"},
		"null for an array":      {`{"pipeline": null}`, "pipeline", "must be an array"},
		"null in a list":         {`{"documents": [{}, null]}`, "documents[1]", "must be an object"},
		"a string in a pipeline": {`{"pipeline": [{}, "x"]}`, "pipeline[1]", "must be an object"},
		"a wrong leaf":           {`{"document": {"tags": [1, {"$date": 1}]}}`, "document.tags[1].$date", "must be a string"},
		"a wrong leaf in a list": {`{"documents": [{}, {"a": {"$oid": ""}}]}`, "documents[1].a.$oid", "must be 24 hexadecimal digits"},
		"a name given twice":     {`{"pipeline": [{}, {"$match": {"a": 1, "a": 2}}]}`, "pipeline[1].$match.a", "is given twice"},
		"more than 100 levels":   {`{"document":` + strings.Repeat("[", 101), "document", "must be an object"},
	} {
		t.Run("name what they refuse: "+name, func(t *testing.T) {
			t.Parallel()
			var b body
			err := json.Unmarshal([]byte(test.in), &b)
			var e *extjson.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(&extjson.Error{Path: test.path, Reason: test.reason}, e); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("bear a hundred levels and no more", func(t *testing.T) {
		t.Parallel()
		nested := func(n int) []byte {
			return []byte(`{"document":` + strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) + "}")
		}
		var b body
		if err := json.Unmarshal(nested(100), &b); err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(nested(101), &b); err == nil {
			t.Error("101 levels were accepted")
		}
	})
}
