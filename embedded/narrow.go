package embedded

import (
	"bytes"
	"io"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// narrow saves a scan. For a filter such as {_id: x, version: 3} FerretDB reads the whole collection; it uses the
// index on _id only if the filter names nothing else. A pipeline may however begin with a $match of _id alone, and so
// tell cheaply whether the one document in question matches the rest, too. If it does, the command is the same with
// the filter {_id: x}, since no other write can come between; if it does not, with an _id that nobody has.
//
// The result is the request to send to the engine: the one given, if there is nothing to save, or if an upsert finds
// nothing, since it makes the new document of the whole filter, or if anything is unusual.
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
	matches, known, err := probe(engine, cmd, id, rest)
	if err != nil || !known || (!matches && isUpsert(statement)) {
		return m, err
	}
	if !matches {
		id = bsoncore.NewDocumentBuilder().AppendObjectID("_id", primitive.NewObjectID()).Build()
	}
	statement = replace(statement, filterName, id)
	if filterName == "query" {
		return newRequest(m, statement), nil
	}
	name := cmd.name + "s"
	return newRequest(m, replace(cmd.body, name, nil)).withSequence(name, statement), nil
}

// soleStatement returns the one document in which a command has its filter, and the filter's name there.
func soleStatement(cmd command) (statement bsoncore.Document, filterName string, ok bool) {
	switch cmd.name {
	case "findAndModify", "findandmodify":
		return cmd.body, "query", true
	case "update", "delete":
		if list := cmd.list(cmd.name + "s"); len(list) == 1 { // "updates", "deletes"
			return list[0], "q", true
		}
	}
	return nil, "", false
}

// emptyLen is the length of a document without fields.
const emptyLen = 5

// splitID parts a filter into the one by _id and the rest. It reports false if there is not one of each, or if the
// engine would not use the index for the value.
func splitID(filter bsoncore.Document) (id, rest bsoncore.Document, ok bool) {
	rest = replace(filter, "_id", nil)
	if !hasIndexedID(filter) || len(rest) == emptyLen {
		return nil, nil, false
	}
	return bsoncore.NewDocumentBuilder().AppendValue("_id", filter.Lookup("_id")).Build(), rest, true
}

// hasIndexedID tells whether a filter names an _id of a type for which the engine can use the index.
func hasIndexedID(filter bsoncore.Document) bool {
	t := filter.Lookup("_id").Type
	return t == bson.TypeString || t == bson.TypeObjectID
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

// isUpsert tells whether a statement may ask for an upsert.
func isUpsert(statement bsoncore.Document) bool {
	v, err := statement.LookupErr("upsert")
	on, boolean := v.BooleanOK()
	return err == nil && (on || !boolean)
}

// probe asks the engine whether the document with the _id matches the rest of the filter. It is not known if the
// engine finds fault with the filter.
func probe(engine io.ReadWriter, cmd command, id, rest bsoncore.Document) (matches, known bool, err error) {
	onlyID := bsoncore.NewDocumentBuilder().AppendInt32("_id", 1).Build()
	stages := []bsoncore.Document{stage("$match", id), stage("$match", rest), stage("$project", onlyID)}
	body := cmd.pipeline(stages).Build()
	answer, err := ask(engine, newMessage(body), new(bytes.Buffer))
	if err != nil {
		return false, false, err
	}
	found, _ := answerBody(answer)
	return len(items(found.Lookup("cursor", "firstBatch"))) == 1, succeeded(found), nil
}

// pipeline begins an aggregate over the collection of c that gives one document at most.
func (c command) pipeline(stages []bsoncore.Document) *bsoncore.DocumentBuilder {
	return bsoncore.NewDocumentBuilder().
		AppendString("aggregate", c.coll).
		AppendArray("pipeline", array(stages)).
		AppendDocument("cursor", firstTwo()).
		AppendString("$db", c.db)
}
