package mongoquery

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// value is one BSON value: its type and its bytes.
type value struct {
	kind bsontype.Type
	data []byte
}

func (v value) isDocument() bool { return v.kind == bson.TypeEmbeddedDocument }
func (v value) isArray() bool    { return v.kind == bson.TypeArray }
func (v value) isBool() bool     { return v.kind == bson.TypeBoolean }

// text is the content of a string, without its length and final zero.
func (v value) text() ([]byte, bool) {
	if v.kind != bson.TypeString {
		return nil, false
	}
	return v.data[4 : len(v.data)-1], true
}

// isNumber is true for all four numeric types.
func (v value) isNumber() bool {
	return v.kind == bson.TypeInt32 || v.kind == bson.TypeInt64 || v.kind == bson.TypeDouble || v.kind == bson.TypeDecimal128
}

// integer is the value of a whole number, whichever binary type carries it: JSON's 1 and 1.0 are the same to a client.
func (v value) integer() (int64, bool) {
	if v.kind == bson.TypeInt32 {
		n, _, ok := bsoncore.ReadInt32(v.data)
		return int64(n), ok
	}
	if v.kind == bson.TypeInt64 {
		n, _, ok := bsoncore.ReadInt64(v.data)
		return n, ok
	}
	if v.kind != bson.TypeDouble {
		return 0, false
	}
	f, _, ok := bsoncore.ReadDouble(v.data)
	return int64(f), ok && f == math.Trunc(f) && math.Abs(f) <= 1<<53
}

// isDirection is true for 1 and -1.
func (v value) isDirection() bool {
	n, ok := v.integer()
	return ok && (n == 1 || n == -1)
}

// elements walks a document or an array that wellFormed has accepted.
type elements struct {
	rest []byte
	name []byte
	value
}

func walk(container []byte) elements { return elements{rest: container[4 : len(container)-1]} }

func (e *elements) next() bool {
	if len(e.rest) == 0 {
		return false
	}
	kind := bsontype.Type(e.rest[0])
	end := 1 + bytes.IndexByte(e.rest[1:], 0)
	e.name = e.rest[1:end]
	size, _ := sizeOf(e.rest[end+1:], kind)
	e.value = value{kind, e.rest[end+1 : end+1+size]}
	e.rest = e.rest[end+1+size:]
	return true
}

// eachField gives every field of a document to fn, and puts its name in front of the path of what fn refuses.
func eachField(doc []byte, fn func(name []byte, v value) *Error) *Error {
	for it := walk(doc); it.next(); {
		if err := fn(it.name, it.value); err != nil {
			return err.in(it.name)
		}
	}
	return nil
}

// eachElement gives every element of an array to fn, and puts its index in front of the path of what fn refuses.
func eachElement(array []byte, fn func(v value) *Error) *Error {
	index := 0
	for it := walk(array); it.next(); index++ {
		if err := fn(it.value); err != nil {
			return err.at(index)
		}
	}
	return nil
}

func isEmpty(container []byte) bool { return len(container) == 5 }

func count(container []byte) int {
	n := 0
	for it := walk(container); it.next(); {
		n++
	}
	return n
}

// only gives the single element of a document, and false where there are none or several.
func only(doc []byte) (elements, bool) {
	it := walk(doc)
	if !it.next() || len(it.rest) != 0 {
		return it, false
	}
	return it, true
}

// depth is how many documents and arrays nest in a value that wellFormed has accepted.
func (v value) depth() int {
	if !v.isDocument() && !v.isArray() {
		return 0
	}
	deepest := 0
	for it := walk(v.data); it.next(); {
		deepest = max(deepest, it.depth())
	}
	return deepest + 1
}

func has(doc []byte, name string) bool {
	for it := walk(doc); it.next(); {
		if string(it.name) == name {
			return true
		}
	}
	return false
}

// wellFormed is the first pass over everything: the bytes are BSON to the last one, containers nest at most depth deep,
// names are UTF-8, elements of arrays are numbered, every leaf has an allowed type and every regular expression is
// bounded. The rules need not think of any of that again. The driver's own reader is not used for it: it panics on some
// lengths, and lets others pass.
func wellFormed(doc []byte, depth int) *Error {
	return container(doc, false, depth)
}

func container(data []byte, array bool, depth int) *Error {
	if depth <= 0 {
		return tooComplex("is nested too deeply")
	}
	length, _, ok := bsoncore.ReadLength(data)
	if !ok || len(data) < 5 || int(length) != len(data) || data[len(data)-1] != 0 {
		return malformed()
	}
	rest := data[4 : len(data)-1]
	for index := 0; len(rest) > 0; index++ {
		name, v, after, ok := element(rest)
		if !ok || array && !isIndex(name, index) {
			return malformed()
		}
		if err := sound(name, v, depth); err != nil {
			if array {
				return err.at(index)
			}
			return err.in(name)
		}
		rest = after
	}
	return nil
}

func malformed() *Error { return invalid("is malformed") }

func element(src []byte) (name []byte, v value, rest []byte, ok bool) {
	zero := bytes.IndexByte(src[1:], 0)
	if zero < 0 {
		return nil, value{}, nil, false
	}
	kind := bsontype.Type(src[0])
	name, rest = src[1:1+zero], src[zero+2:]
	if isForeign(kind) {
		return name, value{kind: kind}, nil, true // refused by sound, with its name
	}
	size, ok := sizeOf(rest, kind)
	if !ok {
		return nil, value{}, nil, false
	}
	return name, value{kind, rest[:size]}, rest[size:], true
}

func isIndex(name []byte, index int) bool {
	if index < 10 {
		return len(name) == 1 && int(name[0])-'0' == index
	}
	var digits [20]byte
	return bytes.Equal(name, strconv.AppendInt(digits[:0], int64(index), 10))
}

func sound(name []byte, v value, depth int) *Error {
	if !utf8.Valid(name) {
		return invalid("is not valid UTF-8")
	}
	switch v.kind {
	case bson.TypeEmbeddedDocument:
		return container(v.data, false, depth-1)
	case bson.TypeArray:
		return container(v.data, true, depth-1)
	case bson.TypeString:
		return soundString(v.data)
	case bson.TypeBoolean:
		if v.data[0] > 1 {
			return malformed()
		}
	case bson.TypeRegex:
		return regexLeaf(v)
	default:
		if isForeign(v.kind) {
			return invalid("has a type that is not allowed")
		}
	}
	return nil
}

func soundString(data []byte) *Error {
	if len(data) < 5 || data[len(data)-1] != 0 {
		return malformed()
	}
	if !utf8.Valid(data[4:]) {
		return invalid("is not valid UTF-8")
	}
	return nil
}

// isForeign is true for the types that BSON has and a client may not send.
func isForeign(kind bsontype.Type) bool {
	return kind == bson.TypeJavaScript || kind == bson.TypeCodeWithScope || kind == bson.TypeSymbol ||
		kind == bson.TypeDBPointer || kind == bson.TypeUndefined
}

// sizeOf is how many bytes a value takes, and false where it does not fit in src or its type is not allowed at all.
func sizeOf(src []byte, kind bsontype.Type) (int, bool) {
	switch kind {
	case bson.TypeNull, bson.TypeMinKey, bson.TypeMaxKey:
		return 0, true
	case bson.TypeBoolean:
		return 1, len(src) >= 1
	case bson.TypeInt32:
		return 4, len(src) >= 4
	case bson.TypeInt64, bson.TypeDouble, bson.TypeDateTime, bson.TypeTimestamp:
		return 8, len(src) >= 8
	case bson.TypeObjectID:
		return 12, len(src) >= 12
	case bson.TypeDecimal128:
		return 16, len(src) >= 16
	case bson.TypeRegex:
		return sizeOfRegex(src)
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		return prefixed(src, 0)
	case bson.TypeString:
		return prefixed(src, 4)
	case bson.TypeBinary:
		return prefixed(src, 5)
	case bson.TypeJavaScript, bson.TypeCodeWithScope, bson.TypeSymbol, bson.TypeDBPointer, bson.TypeUndefined:
		return 0, false
	}
	return 0, false // no type of BSON
}

// prefixed reads a length and adds what it does not count itself.
func prefixed(src []byte, extra int) (int, bool) {
	length, _, ok := bsoncore.ReadLength(src)
	size := int(length) + extra
	return size, ok && size >= extra && size <= len(src)
}

func sizeOfRegex(src []byte) (int, bool) {
	pattern := bytes.IndexByte(src, 0)
	if pattern < 0 {
		return 0, false
	}
	options := bytes.IndexByte(src[pattern+1:], 0)
	return pattern + options + 2, options >= 0
}
