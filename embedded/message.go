package embedded

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// Sizes and numbers of the MongoDB wire protocol.
// See https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/.
const (
	headerLen     = 16
	maxMessageLen = 48_000_000

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

// newAnswer makes an OP_MSG that answers the request.
func newAnswer(request message, body bsoncore.Document) message {
	m := make(message, headerLen+5, headerLen+5+len(body))
	m = append(m, body...)
	binary.LittleEndian.PutUint32(m[0:], uint32(len(m)))
	binary.LittleEndian.PutUint32(m[8:], uint32(request.requestID()))
	binary.LittleEndian.PutUint32(m[12:], opMsg)
	return m
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
