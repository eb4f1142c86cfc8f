package embedded

import (
	"fmt"
	"regexp"

	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// violation finds the index in the engine's message about a value that must not come twice. The index of a table
// bears the table's name, which ends in eight hexadecimal digits, and its own.
var violation = regexp.MustCompile(`UNIQUE constraint failed: index '.*?_[0-9a-f]{8}_(.+)'`)

// duplicate returns the answer that MongoDB would give where the engine calls a value that must not come twice an
// internal error, as it does for updates and for the creation of an index. It returns nil for any other answer.
func duplicate(c command, answer bsoncore.Document) bsoncore.Document {
	if code, _ := answer.Lookup("code").AsInt64OK(); code != codeInternalError {
		return nil
	}
	text, _ := answer.Lookup("errmsg").StringValueOK()
	found := violation.FindStringSubmatch(text)
	if found == nil {
		return nil
	}
	text = fmt.Sprintf("E11000 duplicate key error collection: %s.%s index: %s", c.db, c.coll, found[1])
	if c.name == "update" && len(c.list("updates")) == 1 {
		return writeError(text)
	}
	return (&refusal{codeDuplicateKey, "DuplicateKey", text}).document()
}

// writeError is the answer to an update of one statement that met a duplicate.
func writeError(text string) bsoncore.Document {
	return bsoncore.NewDocumentBuilder().
		AppendInt32("n", 0).
		AppendInt32("nModified", 0).
		AppendArray("writeErrors", bsoncore.NewArrayBuilder().
			AppendDocument(bsoncore.NewDocumentBuilder().
				AppendInt32("index", 0).
				AppendInt32("code", codeDuplicateKey).
				AppendString("errmsg", text).
				Build()).
			Build()).
		AppendDouble("ok", 1).
		Build()
}
