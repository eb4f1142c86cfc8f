package embedded

import (
	"bytes"
	"encoding/binary"
	"io"

	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// narrow saves a scan. For a filter such as {_id: x, version: 3} FerretDB reads the whole collection; it uses the
// index on _id only if the filter names nothing else. A pipeline may however begin with a $match of _id alone, and so
// tell cheaply whether the one document in question matches the rest, too. If it does, the command is the same with
// the filter {_id: x}, since no other write can come between.
//
// The result is the request to send to the engine: the one given, if there is nothing to save, or if the document does
// not match, or if anything is unusual.
func narrow(engine io.ReadWriter, cmd command, m message) (message, error) {
	statement, filterName, ok := soleStatement(cmd)
	if !ok {
		return m, nil
	}
	filter, _ := statement.Lookup(filterName).DocumentOK()
	id, rest, ok := splitID(filter)
	if !ok {
		return m, nil
	}
	matches, err := probe(engine, cmd, id, rest)
	if err != nil || !matches {
		return m, err
	}
	statement = replace(statement, filterName, id)
	if filterName == "query" {
		return newMessage(m, statement, "", nil), nil
	}
	name := statements[cmd.name]
	return newMessage(m, replace(cmd.body, name, nil), name, statement), nil
}

// statements names where a command has its statements.
var statements = map[string]string{"update": "updates", "delete": "deletes"}

// soleStatement returns the one document in which a command has its filter, and the filter's name there.
func soleStatement(cmd command) (statement bsoncore.Document, filterName string, ok bool) {
	switch cmd.name {
	case "findAndModify", "findandmodify":
		return cmd.body, "query", true
	case "update", "delete":
		if list := cmd.list(statements[cmd.name]); len(list) == 1 {
			return list[0], "q", true
		}
	}
	return nil, "", false
}

// splitID parts a filter into the one by _id and the rest. It reports false if there is not one of each, or if the
// engine would not use the index for the value.
func splitID(filter bsoncore.Document) (id, rest bsoncore.Document, ok bool) {
	v := filter.Lookup("_id")
	rest = replace(filter, "_id", nil)
	if (v.Type != bsontype.String && v.Type != bsontype.ObjectID) || len(rest) <= len(bsoncore.NewDocumentBuilder().Build()) {
		return nil, nil, false
	}
	return bsoncore.NewDocumentBuilder().AppendValue("_id", v).Build(), rest, true
}

// replace returns a copy of doc with another document under name, or with nothing there if value is nil.
func replace(doc bsoncore.Document, name string, value bsoncore.Document) bsoncore.Document {
	b := bsoncore.NewDocumentBuilder()
	elements, _ := doc.Elements()
	for _, e := range elements {
		switch {
		case e.Key() != name:
			b.AppendValue(e.Key(), e.Value())
		case value != nil:
			b.AppendDocument(name, value)
		}
	}
	return b.Build()
}

// probe asks the engine whether the document with the _id matches the rest of the filter.
func probe(engine io.ReadWriter, cmd command, id, rest bsoncore.Document) (bool, error) {
	onlyID := bsoncore.NewDocumentBuilder().AppendInt32("_id", 1).Build()
	pipeline := []bsoncore.Document{stage("$match", id), stage("$match", rest), stage("$project", onlyID)}
	body := bsoncore.NewDocumentBuilder().
		AppendString("aggregate", cmd.coll).
		AppendArray("pipeline", array(pipeline)).
		AppendDocument("cursor", firstTwo()).
		AppendString("$db", cmd.db).
		Build()
	answer, err := ask(engine, newMessage(make(message, headerLen), body, "", nil), new(bytes.Buffer))
	if err != nil {
		return false, err
	}
	found, _ := answerBody(answer)
	return len(items(found.Lookup("cursor", "firstBatch"))) == 1, nil
}

// newMessage makes an OP_MSG with the number of the request, a body and, if name is not empty, a sequence of one
// document.
func newMessage(request message, body bsoncore.Document, name string, doc bsoncore.Document) message {
	m := make(message, headerLen+5)
	copy(m[4:8], request[4:8])
	binary.LittleEndian.PutUint32(m[12:], opMsg)
	m = append(m, body...)
	if name != "" {
		m = append(m, 1)
		m = binary.LittleEndian.AppendUint32(m, uint32(4+len(name)+1+len(doc)))
		m = append(append(m, name...), 0)
		m = append(m, doc...)
	}
	binary.LittleEndian.PutUint32(m, uint32(len(m)))
	return m
}
