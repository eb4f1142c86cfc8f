package extjson

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// wrapper returns the method that reads the value of a type wrapper's only
// member, or nil where the name is not one of a type wrapper.
func wrapper(name []byte) func(*parser) (bsontype.Type, error) {
	if len(name) == 0 || name[0] != '$' {
		return nil
	}
	switch string(name) {
	case "$oid":
		return (*parser).objectID
	case "$date":
		return (*parser).date
	case "$numberInt":
		return (*parser).numberInt
	case "$numberLong":
		return (*parser).numberLong
	case "$numberDouble":
		return (*parser).numberDouble
	case "$numberDecimal":
		return (*parser).numberDecimal
	case "$binary":
		return (*parser).binary
	case "$uuid":
		return (*parser).uuid
	case "$regularExpression":
		return (*parser).regularExpression
	case "$timestamp":
		return (*parser).timestamp
	case "$minKey":
		return (*parser).minKey
	case "$maxKey":
		return (*parser).maxKey
	case "$code", "$symbol", "$dbPointer", "$undefined":
		return (*parser).refused
	}
	return nil
}

// wrapped reads a type wrapper from after its name to its end.
func (p *parser) wrapped(read func(*parser) (bsontype.Type, error)) (bsontype.Type, error) {
	kind, err := read(p)
	if err != nil {
		return 0, err
	}
	return kind, p.closeWrapper()
}

// closeWrapper reads the end of a type wrapper, which has no further member.
func (p *parser) closeWrapper() error {
	token, err := p.dec.ReadToken()
	if err != nil {
		return p.malformed(err)
	}
	if token.Kind() != '}' {
		return p.fail("must not stand beside a type wrapper")
	}
	return nil
}

func (p *parser) refused() (bsontype.Type, error) {
	return 0, p.fail("is a type that is not accepted")
}

func (p *parser) objectID() (bsontype.Type, error) {
	text, err := p.text()
	if err != nil {
		return 0, err
	}
	var id primitive.ObjectID
	if len(text) != hex.EncodedLen(len(id)) {
		return 0, p.fail("must be 24 hexadecimal digits")
	}
	if _, err := hex.Decode(id[:], text); err != nil {
		return 0, p.fail("must be 24 hexadecimal digits")
	}
	p.dst = bsoncore.AppendObjectID(p.dst, id)
	return bson.TypeObjectID, nil
}

func (p *parser) date() (bsontype.Type, error) {
	if p.dec.PeekKind() == '{' {
		return bson.TypeDateTime, p.dateLong()
	}
	text, err := p.text()
	if err != nil {
		return 0, err
	}
	t, err := time.Parse(time.RFC3339, string(text))
	// Parse is lenient: it takes an hour of one digit, and a comma for the point.
	if err != nil || text[13] != ':' || text[19] == ',' {
		return 0, p.fail("must be a date and time as in RFC 3339")
	}
	p.dst = bsoncore.AppendDateTime(p.dst, t.UnixMilli())
	return bson.TypeDateTime, nil
}

// dateLong reads the canonical form of a date, milliseconds since 1970.
func (p *parser) dateLong() error {
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	name, err := p.text()
	if err != nil {
		return err
	}
	if string(name) != "$numberLong" {
		return p.fail("must be $numberLong")
	}
	if _, err := p.numberLong(); err != nil {
		return err
	}
	return p.closeWrapper()
}

func (p *parser) numberInt() (bsontype.Type, error) {
	i, err := p.integer(32)
	p.dst = bsoncore.AppendInt32(p.dst, int32(i)) //nolint:gosec // integer has checked
	return bson.TypeInt32, err
}

func (p *parser) numberLong() (bsontype.Type, error) {
	i, err := p.integer(64)
	p.dst = bsoncore.AppendInt64(p.dst, i)
	return bson.TypeInt64, err
}

// integer reads a string that holds an integer of so many bits.
func (p *parser) integer(bits int) (int64, error) {
	text, err := p.text()
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseInt(string(text), 10, bits)
	if err != nil || text[0] == '+' {
		return 0, p.fail("must be an integer of " + strconv.Itoa(bits) + " bits in a string")
	}
	return i, nil
}

func (p *parser) numberDouble() (bsontype.Type, error) {
	text, err := p.text()
	if err != nil {
		return 0, err
	}
	switch string(text) {
	case "Infinity", "-Infinity", "NaN":
	default:
		// ParseFloat alone would take hexadecimal, "inf" and the like.
		if len(text) == 0 || len(bytes.Trim(text, "0123456789+-.eE")) > 0 {
			return 0, p.fail("must be a decimal number, Infinity, -Infinity or NaN in a string")
		}
	}
	return bson.TypeDouble, p.double(text)
}

func (p *parser) numberDecimal() (bsontype.Type, error) {
	const reason = "must be a number of 34 digits at most in a string"
	text, err := p.text()
	if err != nil {
		return 0, err
	}
	if len(text) > 128 { // 34 digits, an exponent, and room for zeros
		return 0, p.fail(reason)
	}
	d, err := primitive.ParseDecimal128(string(text))
	if err != nil {
		return 0, p.fail(reason)
	}
	p.dst = bsoncore.AppendDecimal128(p.dst, d)
	return bson.TypeDecimal128, nil
}

func (p *parser) uuid() (bsontype.Type, error) {
	const reason = "must be a UUID as in RFC 9562"
	text, err := p.text()
	if err != nil {
		return 0, err
	}
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return 0, p.fail(reason)
	}
	var id [16]byte
	digits := slices.Concat(text[:8], text[9:13], text[14:18], text[19:23], text[24:])
	if _, err := hex.Decode(id[:], digits); err != nil {
		return 0, p.fail(reason)
	}
	p.dst = bsoncore.AppendBinary(p.dst, bson.TypeBinaryUUID, id[:])
	return bson.TypeBinary, nil
}

func (p *parser) binary() (bsontype.Type, error) {
	var data []byte
	var subtype uint64
	err := p.members("base64", "subType", func(first bool) error {
		text, err := p.text()
		if err != nil {
			return err
		}
		if first {
			if data, err = base64.StdEncoding.AppendDecode(nil, text); err != nil {
				return p.fail("must be base64 with padding")
			}
			return nil
		}
		if subtype, err = strconv.ParseUint(string(text), 16, 8); err != nil || len(text) > 2 {
			return p.fail("must be one or two hexadecimal digits")
		}
		return nil
	})
	p.dst = bsoncore.AppendBinary(p.dst, byte(subtype), data)
	return bson.TypeBinary, err
}

func (p *parser) regularExpression() (bsontype.Type, error) {
	var pattern, options []byte
	err := p.members("pattern", "options", func(first bool) error {
		text, err := p.text()
		if err != nil {
			return err
		}
		if first {
			pattern = bytes.Clone(text)
			if bytes.IndexByte(text, 0) >= 0 {
				return p.fail("must not contain NUL")
			}
			return nil
		}
		options = bytes.Clone(text)
		if slices.ContainsFunc(options, func(c byte) bool { return c|0x20 < 'a' || c|0x20 > 'z' }) {
			return p.fail("must be letters")
		}
		slices.Sort(options) // as BSON stores them
		return nil
	})
	p.dst = append(append(append(append(p.dst, pattern...), 0), options...), 0)
	return bson.TypeRegex, err
}

func (p *parser) timestamp() (bsontype.Type, error) {
	var t, i uint64
	err := p.members("t", "i", func(first bool) error {
		raw, err := p.literal()
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(raw), 10, 32)
		if err != nil {
			return p.fail("must be an integer of 32 bits, not negative")
		}
		if first {
			t = n
		} else {
			i = n
		}
		return nil
	})
	p.dst = bsoncore.AppendTimestamp(p.dst, uint32(t), uint32(i))
	return bson.TypeTimestamp, err
}

func (p *parser) minKey() (bsontype.Type, error) { return bson.TypeMinKey, p.one() }

func (p *parser) maxKey() (bsontype.Type, error) { return bson.TypeMaxKey, p.one() }

// one reads the literal 1.
func (p *parser) one() error {
	raw, err := p.literal()
	if err == nil && string(raw) != "1" {
		return p.fail("must be 1")
	}
	return err
}

// literal reads a number and returns its text, good until the next read.
func (p *parser) literal() ([]byte, error) {
	if p.dec.PeekKind() != '0' {
		return nil, p.refuse("must be a number")
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.malformed(err)
	}
	return raw, nil
}

// members reads an object with exactly these two members, in any order. It
// calls read where the value of one begins.
func (p *parser) members(a, b string, read func(first bool) error) error {
	if p.dec.PeekKind() != '{' {
		return p.refuse(reasonObject)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	n := 0 // names are unique, so two are both
	for ; p.more('}'); n++ {
		name, err := p.text()
		if err != nil {
			return err
		}
		first := string(name) == a
		if !first && string(name) != b {
			return p.fail("is not a member of this type wrapper")
		}
		if err := read(first); err != nil {
			return err
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.malformed(err)
	}
	if n != 2 {
		return p.fail("must have the members " + a + " and " + b)
	}
	return nil
}
