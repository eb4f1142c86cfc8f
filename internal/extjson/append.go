package extjson

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// maxStored bounds the recursion over stored BSON, which MongoDB itself nests
// about a hundred levels deep.
const maxStored = 1000

// AppendRelaxed appends a document as relaxed Extended JSON, leaving out the
// top-level fields with the names in skip. Apart from the growth of dst it
// allocates for decimals only. The error is [ErrCorrupt]; what was appended
// until then is of no use.
func AppendRelaxed(dst []byte, doc bson.Raw, skip ...string) ([]byte, error) {
	dst, rest, ok := appendObject(dst, doc, 1, skip)
	if !ok || len(rest) > 0 {
		return dst, ErrCorrupt
	}
	return dst, nil
}

// AppendValue appends any value as relaxed Extended JSON, as [AppendRelaxed]
// does a document.
func AppendValue(dst []byte, value bson.RawValue) ([]byte, error) {
	dst, rest, ok := appendValue(dst, value.Type, value.Value, 1)
	if !ok || len(rest) > 0 {
		return dst, ErrCorrupt
	}
	return dst, nil
}

// The functions below take BSON that begins with what they append, and return
// what follows it, or false where the BSON is corrupt.

func appendObject(dst, src []byte, depth int, skip []string) (out, rest []byte, ok bool) {
	elements, rest, ok := splitDocument(src)
	if !ok || depth > maxStored {
		return dst, nil, false
	}
	dst = append(dst, '{')
	first := true
	for len(elements) > 0 {
		var kind bsontype.Type
		var name []byte
		kind, name, elements, ok = splitElement(elements)
		if !ok {
			return dst, nil, false
		}
		mark := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
		dst, elements, ok = appendValue(dst, kind, elements, depth+1)
		if !ok {
			return dst, nil, false
		}
		if len(skip) > 0 && slices.Contains(skip, string(name)) {
			dst = dst[:mark]
			continue
		}
		first = false
	}
	return append(dst, '}'), rest, true
}

func appendArray(dst, src []byte, depth int) (out, rest []byte, ok bool) {
	elements, rest, ok := splitDocument(src)
	if !ok || depth > maxStored {
		return dst, nil, false
	}
	dst = append(dst, '[')
	for first := true; len(elements) > 0; first = false {
		var kind bsontype.Type
		kind, _, elements, ok = splitElement(elements)
		if !ok {
			return dst, nil, false
		}
		if !first {
			dst = append(dst, ',')
		}
		dst, elements, ok = appendValue(dst, kind, elements, depth+1)
		if !ok {
			return dst, nil, false
		}
	}
	return append(dst, ']'), rest, true
}

// splitDocument returns the elements of a document and what follows it.
func splitDocument(src []byte) (elements, rest []byte, ok bool) {
	n, _, ok := bsoncore.ReadLength(src)
	if !ok || n < 5 || int(n) > len(src) || src[n-1] != 0 {
		return nil, nil, false
	}
	return src[4 : n-1], src[n:], true
}

// splitElement returns the type and the name of an element, and the elements
// from its value on.
func splitElement(elements []byte) (kind bsontype.Type, name, rest []byte, ok bool) {
	kind, elements = bsontype.Type(elements[0]), elements[1:]
	i := bytes.IndexByte(elements, 0)
	if i < 0 {
		return 0, nil, nil, false
	}
	return kind, elements[:i], elements[i+1:], true
}

func appendValue(dst []byte, kind bsontype.Type, src []byte, depth int) (out, rest []byte, ok bool) {
	switch kind {
	case bson.TypeEmbeddedDocument:
		return appendObject(dst, src, depth, nil)
	case bson.TypeArray:
		return appendArray(dst, src, depth)
	case bson.TypeString:
		return appendText(dst, src)
	case bson.TypeInt32:
		i, rest, ok := bsoncore.ReadInt32(src)
		return strconv.AppendInt(dst, int64(i), 10), rest, ok
	case bson.TypeInt64:
		i, rest, ok := bsoncore.ReadInt64(src)
		return strconv.AppendInt(dst, i, 10), rest, ok
	case bson.TypeDouble:
		f, rest, ok := bsoncore.ReadDouble(src)
		return appendDouble(dst, f), rest, ok
	case bson.TypeBoolean:
		b, rest, ok := bsoncore.ReadBoolean(src)
		return strconv.AppendBool(dst, b), rest, ok
	case bson.TypeNull:
		return append(dst, "null"...), src, true
	case bson.TypeDateTime:
		ms, rest, ok := bsoncore.ReadDateTime(src)
		return appendDate(dst, ms), rest, ok
	case bson.TypeObjectID:
		return appendObjectID(dst, src)
	default:
		return appendRare(dst, kind, src, depth)
	}
}

// appendRare appends the types that few documents have.
func appendRare(dst []byte, kind bsontype.Type, src []byte, depth int) (out, rest []byte, ok bool) {
	switch kind {
	case bson.TypeBinary:
		return appendBinary(dst, src)
	case bson.TypeDecimal128:
		d, rest, ok := bsoncore.ReadDecimal128(src)
		dst = append(append(append(dst, `{"$numberDecimal":"`...), d.String()...), `"}`...)
		return dst, rest, ok
	case bson.TypeRegex:
		return appendRegex(dst, src)
	case bson.TypeTimestamp:
		t, i, rest, ok := bsoncore.ReadTimestamp(src)
		dst = strconv.AppendUint(append(dst, `{"$timestamp":{"t":`...), uint64(t), 10)
		dst = strconv.AppendUint(append(dst, `,"i":`...), uint64(i), 10)
		return append(dst, "}}"...), rest, ok
	case bson.TypeMinKey:
		return append(dst, `{"$minKey":1}`...), src, true
	case bson.TypeMaxKey:
		return append(dst, `{"$maxKey":1}`...), src, true
	case bson.TypeUndefined:
		return append(dst, `{"$undefined":true}`...), src, true
	case bson.TypeSymbol:
		dst, rest, ok = appendText(append(dst, `{"$symbol":`...), src)
		return append(dst, '}'), rest, ok
	case bson.TypeJavaScript:
		dst, rest, ok = appendText(append(dst, `{"$code":`...), src)
		return append(dst, '}'), rest, ok
	case bson.TypeCodeWithScope:
		return appendCodeWithScope(dst, src, depth)
	case bson.TypeDBPointer:
		if dst, rest, ok = appendText(append(dst, `{"$dbPointer":{"$ref":`...), src); !ok {
			return dst, nil, false
		}
		dst, rest, ok = appendObjectID(append(dst, `,"$id":`...), rest)
		return append(dst, "}}"...), rest, ok
	default:
		return dst, nil, false
	}
}

// appendQuoted appends a JSON string. Its error only says that invalid UTF-8
// was replaced.
func appendQuoted(dst, text []byte) []byte {
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

// appendText appends a BSON string: its length with the NUL, its bytes, NUL.
func appendText(dst, src []byte) (out, rest []byte, ok bool) {
	n, src, ok := bsoncore.ReadLength(src)
	if !ok || n < 1 || int(n) > len(src) || src[n-1] != 0 {
		return dst, nil, false
	}
	return appendQuoted(dst, src[:n-1]), src[n:], true
}

// appendDouble writes doubles so that they stay doubles: with a fraction or an
// exponent.
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `{"$numberDouble":"NaN"}`...)
	case math.IsInf(f, 1):
		return append(dst, `{"$numberDouble":"Infinity"}`...)
	case math.IsInf(f, -1):
		return append(dst, `{"$numberDouble":"-Infinity"}`...)
	}
	// The bounds at which JavaScript, too, turns to exponents.
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	mark := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if bytes.IndexByte(dst[mark:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendDate writes a string for the years 1970 to 9999 only, with three digits
// of a second where they are not zero.
func appendDate(dst []byte, ms int64) []byte {
	const endOf9999 = 253402300799999
	if ms < 0 || ms > endOf9999 {
		dst = strconv.AppendInt(append(dst, `{"$date":{"$numberLong":"`...), ms, 10)
		return append(dst, `"}}`...)
	}
	dst = append(dst, `{"$date":"`...)
	dst = time.UnixMilli(ms).UTC().AppendFormat(dst, time.RFC3339)
	if frac := ms % 1000; frac != 0 {
		dst = append(dst[:len(dst)-1], '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10), 'Z')
	}
	return append(dst, `"}`...)
}

func appendObjectID(dst, src []byte) (out, rest []byte, ok bool) {
	if len(src) < 12 {
		return dst, nil, false
	}
	dst = hex.AppendEncode(append(dst, `{"$oid":"`...), src[:12])
	return append(dst, `"}`...), src[12:], true
}

func appendBinary(dst, src []byte) (out, rest []byte, ok bool) {
	n, src, ok := bsoncore.ReadLength(src)
	if !ok || int64(len(src)) < int64(n)+1 {
		return dst, nil, false
	}
	subtype, data, rest := src[0], src[1:n+1], src[n+1:]
	// The deprecated subtype 2 repeats the length inside.
	if inner, payload, ok := bsoncore.ReadLength(data); ok && subtype == bson.TypeBinaryBinaryOld && int(inner) == len(payload) {
		data = payload
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, `{"$binary":{"base64":"`...), data)
	dst = hex.AppendEncode(append(dst, `","subType":"`...), []byte{subtype})
	return append(dst, `"}}`...), rest, true
}

func appendRegex(dst, src []byte) (out, rest []byte, ok bool) {
	pattern, src, ok := bytes.Cut(src, []byte{0})
	if !ok {
		return dst, nil, false
	}
	options, src, ok := bytes.Cut(src, []byte{0})
	dst = appendQuoted(append(dst, `{"$regularExpression":{"pattern":`...), pattern)
	dst = appendQuoted(append(dst, `,"options":`...), options)
	return append(dst, "}}"...), src, ok
}

func appendCodeWithScope(dst, src []byte, depth int) (out, rest []byte, ok bool) {
	n, _, ok := bsoncore.ReadLength(src)
	if !ok || n < 4 || int(n) > len(src) {
		return dst, nil, false
	}
	inner, rest := src[4:n], src[n:]
	if dst, inner, ok = appendText(append(dst, `{"$code":`...), inner); !ok {
		return dst, nil, false
	}
	dst, inner, ok = appendObject(append(dst, `,"$scope":`...), inner, depth, nil)
	return append(dst, '}'), rest, ok && len(inner) == 0
}
