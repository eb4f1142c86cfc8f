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

	opQuery = 2004
	opMsg   = 2013

	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1
)

// message is one message of the wire protocol, header included.
type message []byte

func (m message) opCode() uint32 { return binary.LittleEndian.Uint32(m[12:]) }

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
		if errors.Is(err, io.EOF) && buf.Len() > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := binary.LittleEndian.Uint32(buf.Bytes())
	if n < headerLen || n > maxMessageLen {
		return nil, fmt.Errorf("message of %d bytes", n)
	}
	if _, err := io.CopyN(buf, r, int64(n)-headerLen); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return buf.Bytes(), nil
}

// newMessage makes an OP_MSG with the document of a command or of an answer.
func newMessage(body bsoncore.Document) message {
	m := make(message, headerLen+5, headerLen+5+len(body)) // no flags, and a section of kind 0
	m = append(m, body...)
	binary.LittleEndian.PutUint32(m[0:], length(len(m)))
	binary.LittleEndian.PutUint32(m[12:], opMsg)
	return m
}

// newRequest makes a request to send in the place of another one.
func newRequest(request message, body bsoncore.Document) message {
	m := newMessage(body)
	copy(m[4:8], request[4:8])
	return m
}

// newAnswer makes an answer to a request.
func newAnswer(request message, body bsoncore.Document) message {
	m := newMessage(body)
	copy(m[8:12], request[4:8])
	return m
}

// withSequence adds a section of kind 1 with one document.
func (m message) withSequence(name string, doc bsoncore.Document) message {
	m = append(m, 1)
	m = binary.LittleEndian.AppendUint32(m, length(4+len(name)+1+len(doc)))
	m = append(append(m, name...), 0)
	m = append(m, doc...)
	binary.LittleEndian.PutUint32(m[0:], length(len(m)))
	return m
}

// length is n as the protocol has it.
func length(n int) uint32 {
	return uint32(n) //nolint:gosec // what is sent is made of one message that came, of maxMessageLen at most
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
