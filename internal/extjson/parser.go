package extjson

import (
	"bytes"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// parser appends the values that a decoder reads to a buffer, as BSON. The
// methods that read a value return its type, which in BSON stands before the
// name and so is filled in afterwards.
type parser struct {
	dec *jsontext.Decoder
	dst []byte
	tmp []byte // the last string that had escapes
	max int
}

// newParser guesses the size of the BSON by what is left of the JSON, within
// limits: a list of many small documents makes a parser only once, but a small
// document may be followed by a large one.
func newParser(dec *jsontext.Decoder, maxDepth int) *parser {
	size := min(len(dec.UnreadBuffer())+32, 2048)
	return &parser{dec: dec, dst: make([]byte, 0, size), max: maxDepth}
}

// topDocument reads a value that has to be a document.
func (p *parser) topDocument() (Document, error) {
	if err := p.document(1); err != nil {
		return nil, err
	}
	return p.dst, nil
}

// topArray reads a value that has to be an array of documents.
func (p *parser) topArray() (Array, error) {
	if p.dec.PeekKind() != '[' {
		return nil, p.refuse(reasonArray)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, p.malformed(err)
	}
	var ends []int
	for p.more(']') {
		if err := p.document(2); err != nil {
			return nil, err
		}
		ends = append(ends, len(p.dst))
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, p.malformed(err)
	}
	// Only now does the buffer no longer move.
	docs, start := make(Array, len(ends)), 0
	for i, end := range ends {
		docs[i], start = bson.Raw(p.dst[start:end:end]), end
	}
	return docs, nil
}

// document reads a value that has to be a document, not a type wrapper.
func (p *parser) document(depth int) error {
	if p.dec.PeekKind() != '{' {
		return p.refuse(reasonObject)
	}
	kind, err := p.object(depth)
	if err == nil && kind != bson.TypeEmbeddedDocument {
		return p.fail("must be a document, not a single value")
	}
	return err
}

// value reads any value.
func (p *parser) value(depth int) (bsontype.Type, error) {
	switch p.dec.PeekKind() {
	case '{':
		return p.object(depth)
	case '[':
		return bson.TypeArray, p.array(depth)
	case '"':
		return bson.TypeString, p.str()
	case '0':
		return p.number()
	}
	token, err := p.dec.ReadToken()
	if err != nil {
		return 0, p.malformed(err)
	}
	switch token.Kind() {
	case 'n':
		return bson.TypeNull, nil
	case 't', 'f':
		p.dst = bsoncore.AppendBoolean(p.dst, token.Bool())
		return bson.TypeBoolean, nil
	}
	return 0, p.fail(reasonMalformed)
}

// object reads a document, or the value that a type wrapper stands for.
func (p *parser) object(depth int) (bsontype.Type, error) {
	if _, err := p.dec.ReadToken(); err != nil {
		return 0, p.malformed(err)
	}
	start, dst := bsoncore.ReserveLength(p.dst)
	p.dst = dst
	for first := true; p.more('}'); first = false {
		at := len(p.dst)
		name, err := p.text()
		if err != nil {
			return 0, err
		}
		if read := wrapper(name); read != nil {
			if !first {
				return 0, p.fail("must stand alone in its object")
			}
			p.dst = p.dst[:start]
			return p.wrapped(read)
		}
		if first && depth > p.max {
			return 0, p.tooDeep()
		}
		if bytes.IndexByte(name, 0) >= 0 {
			return 0, p.fail("must not contain NUL in its name")
		}
		p.dst = append(append(append(p.dst, 0), name...), 0)
		kind, err := p.value(depth + 1)
		if err != nil {
			return 0, err
		}
		p.dst[at] = byte(kind)
	}
	if depth > p.max {
		return 0, p.tooDeep()
	}
	return bson.TypeEmbeddedDocument, p.end(start)
}

// array reads an array.
func (p *parser) array(depth int) error {
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	if depth > p.max {
		return p.tooDeep()
	}
	start, dst := bsoncore.ReserveLength(p.dst)
	p.dst = dst
	for i := int64(0); p.more(']'); i++ {
		at := len(p.dst)
		p.dst = append(strconv.AppendInt(append(p.dst, 0), i, 10), 0)
		kind, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		p.dst[at] = byte(kind)
	}
	return p.end(start)
}

// more reports whether another member or element comes before the delimiter. It
// is true also where the decoder is stuck: reading on tells why.
func (p *parser) more(end jsontext.Kind) bool { return p.dec.PeekKind() != end }

// end reads the closing delimiter and completes the document begun at start.
func (p *parser) end(start int32) error {
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	p.dst = append(p.dst, 0)
	if len(p.dst) > math.MaxInt32 {
		return p.fail("is too large")
	}
	p.dst = bsoncore.UpdateLength(p.dst, start, int32(len(p.dst))-start) //nolint:gosec // checked above
	return nil
}

// str reads a string.
func (p *parser) str() error {
	text, err := p.text()
	if err != nil {
		return err
	}
	p.dst = appendString(p.dst, text)
	return nil
}

func appendString(dst, text []byte) []byte {
	start, dst := bsoncore.ReserveLength(dst)
	dst = append(append(dst, text...), 0)
	return bsoncore.UpdateLength(dst, start, int32(len(text)+1)) //nolint:gosec // end refuses what is longer
}

// text reads a string, or the name of a member, and returns it unescaped. The
// bytes are good until the next read.
func (p *parser) text() ([]byte, error) {
	if p.dec.PeekKind() != '"' {
		return nil, p.refuse(reasonString)
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.malformed(err)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	p.tmp, err = jsontext.AppendUnquote(p.tmp[:0], raw)
	if err != nil {
		return nil, p.malformed(err)
	}
	return p.tmp, nil
}

// number reads a literal number.
func (p *parser) number() (bsontype.Type, error) {
	raw, err := p.dec.ReadValue()
	if err != nil {
		return 0, p.malformed(err)
	}
	if bytes.ContainsAny(raw, ".eE") {
		return bson.TypeDouble, p.double(raw)
	}
	i, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, p.fail("does not fit 64 bits; use $numberDecimal or a string")
	}
	if math.MinInt32 <= i && i <= math.MaxInt32 {
		p.dst = bsoncore.AppendInt32(p.dst, int32(i))
		return bson.TypeInt32, nil
	}
	p.dst = bsoncore.AppendInt64(p.dst, i)
	return bson.TypeInt64, nil
}

// double appends the double that the text of a number stands for.
func (p *parser) double(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return p.fail(reasonRange)
	}
	p.dst = bsoncore.AppendDouble(p.dst, f)
	return nil
}

// refuse reads the next token, so that the path leads to it, and fails.
func (p *parser) refuse(reason string) error {
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	return p.fail(reason)
}

// fail refuses what was read last.
func (p *parser) fail(reason string) error {
	return &Error{Path: pathIn(p.dec, p.dec.StackPointer()), Reason: reason}
}

func (p *parser) tooDeep() error {
	return p.fail("is nested more than " + strconv.Itoa(p.max) + " levels deep")
}

// malformed refuses what the decoder could not read.
func (p *parser) malformed(err error) error {
	return describe(err, func(pointer jsontext.Pointer) string { return pathIn(p.dec, pointer) })
}
