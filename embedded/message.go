package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// Sizes and numbers of the MongoDB wire protocol.
// See https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/.
const (
	headerLen     = 16
	maxMessageLen = 48_000_000

	opReply = 1
	opQuery = 2004
	opMsg   = 2013

	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1
)

// message is one message of the wire protocol, header included.
type message []byte

func (m message) requestID() int32 { return int32(binary.LittleEndian.Uint32(m[4:])) }
func (m message) opCode() int32    { return int32(binary.LittleEndian.Uint32(m[12:])) }

// noReply tells whether the sender waits for no answer, as drivers do under write concern 0.
func (m message) noReply() bool {
	return m.opCode() == opMsg && len(m) >= headerLen+4 &&
		binary.LittleEndian.Uint32(m[headerLen:])&flagMoreToCome != 0
}

// readMessage reads one message into buf, which it empties first. The message is valid until buf is used again.
// The error is io.EOF when the stream ends between two messages. Memory grows with the bytes that come,
// not with the length announced.
func readMessage(r io.Reader, buf *bytes.Buffer) (message, error) {
	buf.Reset()
	if _, err := io.CopyN(buf, r, headerLen); err != nil {
		if err == io.EOF && buf.Len() > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := int32(binary.LittleEndian.Uint32(buf.Bytes()))
	if n < headerLen || n > maxMessageLen {
		return nil, fmt.Errorf("message of %d bytes", n)
	}
	if _, err := io.CopyN(buf, r, int64(n)-headerLen); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return buf.Bytes(), nil
}

// command is what the relay must know of a request.
type command struct {
	name string            // as sent, such as "findAndModify"
	db   string            // empty in an OP_QUERY
	coll string            // the collection, or empty when the command names none
	body bsoncore.Document // the command's document, without the document sequences
}

var errMalformed = errors.New("malformed message")

// parseCommand reads the command out of an OP_MSG or of the OP_QUERY with which older drivers say hello.
func parseCommand(m message) (command, error) {
	switch m.opCode() {
	case opMsg:
		body, err := bodySection(m)
		if err != nil {
			return command{}, err
		}
		return newCommand(body)
	case opQuery:
		return command{name: "hello"}, nil // whatever it asks: the engine answers OP_QUERY to greetings only
	default:
		return command{}, fmt.Errorf("opcode %d", m.opCode())
	}
}

func newCommand(body bsoncore.Document) (command, error) {
	first, err := body.IndexErr(0)
	if err != nil {
		return command{}, errMalformed
	}
	c := command{name: first.Key(), body: body}
	c.coll, _ = first.Value().StringValueOK()
	c.db, _ = body.Lookup("$db").StringValueOK()
	return c, nil
}

// bodySection returns the one section of kind 0 of an OP_MSG, checked to be well-formed BSON.
func bodySection(m message) (bsoncore.Document, error) {
	rest, ok := sections(m)
	if !ok {
		return nil, errMalformed
	}
	var body bsoncore.Document
	for len(rest) > 0 {
		kind := rest[0]
		n, _, ok := bsoncore.ReadLength(rest[1:])
		if !ok || n < 5 || int(n) > len(rest)-1 {
			return nil, errMalformed
		}
		section := rest[1 : 1+n]
		rest = rest[1+n:]
		switch {
		case kind == 0 && body == nil:
			body = bsoncore.Document(section)
		case kind != 1:
			return nil, errMalformed
		}
	}
	if body == nil || body.Validate() != nil {
		return nil, errMalformed
	}
	return body, nil
}

// sections returns the bytes between the flags of an OP_MSG and its checksum, if any.
func sections(m message) ([]byte, bool) {
	b := m[headerLen:]
	if len(b) < 4 {
		return nil, false
	}
	flags := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if flags&flagChecksum != 0 {
		if len(b) < 4 {
			return nil, false
		}
		b = b[:len(b)-4]
	}
	return b, true
}

// succeeded tells whether an answer says that its command was carried out.
func succeeded(answer message) bool {
	body, err := bodySection(answer)
	if err != nil {
		return false
	}
	ok, _ := body.Lookup("ok").AsInt64OK()
	return ok == 1
}
