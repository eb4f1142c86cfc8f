package embedded

import (
	"bytes"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// command is what the relay must know of a request.
type command struct {
	name string            // as sent, such as "findAndModify"
	db   string            // empty in an OP_QUERY
	coll string            // the collection, or empty when the command names none
	body bsoncore.Document // the command's document, without the document sequences
	seqs []sequence
}

// sequence is a list of documents that a driver put beside the command's document, such as those of an insert.
type sequence struct {
	name string
	docs []bsoncore.Document
}

var errMalformed = errors.New("malformed message")

// parseCommand reads the command out of an OP_MSG or of the OP_QUERY with which drivers say hello.
func parseCommand(m message) (command, error) {
	switch m.opCode() {
	case opMsg:
		return parseMsg(m)
	case opQuery:
		return command{name: "hello"}, nil // the engine answers no other kind of OP_QUERY
	default:
		return command{}, fmt.Errorf("opcode %d", m.opCode())
	}
}

// parseMsg reads the sections of an OP_MSG: one of kind 0 and any number of kind 1. All BSON in the result is
// well-formed.
func parseMsg(m message) (command, error) {
	rest, ok := sections(m)
	if !ok {
		return command{}, errMalformed
	}
	var c command
	for len(rest) > 0 {
		n, _, ok := bsoncore.ReadLength(rest[1:])
		if !ok || n < 5 || int(n) > len(rest)-1 {
			return command{}, errMalformed
		}
		kind, section := rest[0], rest[1:1+n]
		rest = rest[1+n:]
		switch {
		case kind == 0 && c.body == nil:
			c.body = section
		case kind == 1:
			seq, ok := parseSequence(section[4:])
			if !ok {
				return command{}, errMalformed
			}
			c.seqs = append(c.seqs, seq)
		default:
			return command{}, errMalformed
		}
	}
	return c, c.readBody()
}

// readBody fills the fields that come out of the body.
func (c *command) readBody() error {
	if c.body == nil || c.body.Validate() != nil {
		return errMalformed
	}
	first, err := c.body.IndexErr(0)
	if err != nil {
		return errMalformed
	}
	c.name = first.Key()
	c.coll, _ = first.Value().StringValueOK()
	c.db, _ = c.body.Lookup("$db").StringValueOK()
	names := map[string]bool{}
	for _, seq := range c.seqs {
		if _, err := c.body.LookupErr(seq.name); err == nil || names[seq.name] {
			return errMalformed // the same field twice
		}
		names[seq.name] = true
	}
	return nil
}

// parseSequence reads a section of kind 1 after its length.
func parseSequence(b []byte) (sequence, bool) {
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return sequence{}, false
	}
	seq := sequence{name: string(b[:end])}
	for b = b[end+1:]; len(b) > 0; {
		doc, rest, ok := bsoncore.ReadDocument(b)
		if !ok || doc.Validate() != nil {
			return sequence{}, false
		}
		seq.docs = append(seq.docs, doc)
		b = rest
	}
	return seq, true
}

// list returns the documents that the command gives under name, in its document or as a sequence.
func (c command) list(name string) []bsoncore.Document {
	for _, seq := range c.seqs {
		if seq.name == name {
			return seq.docs
		}
	}
	return documents(c.body.Lookup(name))
}

// documents returns the documents in an array, or nothing if v is no array.
func documents(v bsoncore.Value) []bsoncore.Document {
	var docs []bsoncore.Document
	for _, item := range items(v) {
		if doc, ok := item.DocumentOK(); ok {
			docs = append(docs, doc)
		}
	}
	return docs
}

// items returns the values in an array, or nothing if v is no array.
func items(v bsoncore.Value) []bsoncore.Value {
	if v.Type != bson.TypeArray {
		return nil
	}
	values, _ := bsoncore.Document(v.Data).Values() // an array is laid out like a document
	return values
}

// fields returns the elements of a document, or nothing if v is no document.
func fields(v bsoncore.Value) []bsoncore.Element {
	doc, ok := v.DocumentOK()
	if !ok {
		return nil
	}
	elements, _ := doc.Elements() // checked when the message was parsed
	return elements
}

// answerBody returns the document of an answer.
func answerBody(answer message) (bsoncore.Document, bool) {
	if answer.opCode() != opMsg {
		return nil, false
	}
	c, err := parseMsg(answer)
	return c.body, err == nil
}

// succeeded tells whether an answer says that its command was carried out.
func succeeded(body bsoncore.Document) bool {
	ok, _ := body.Lookup("ok").AsInt64OK()
	return ok == 1
}
