package storage

import (
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/signals"
)

// Inserting is asked before documents are inserted. An interceptor may change,
// replace, add or remove documents, by assigning to Documents or to its
// elements; the bytes of one must not be changed in place. Over HTTP what it
// leaves must still obey the rules for what a client may write, or the request
// fails with a 500.
type Inserting struct {
	signals.Intent
	// Collection is where the documents go.
	Collection string
	// Documents are as the caller gave them, without the fields that storage adds.
	Documents []bson.Raw
}

// Inserted tells that documents were inserted. Where an insert stopped midway, it
// tells of those that went in.
type Inserted struct {
	signals.Fact
	// Collection is where the documents are.
	Collection string
	// IDs are their ids, in order.
	IDs []any
	// Documents are as they are stored. They must not be changed.
	Documents []bson.Raw
}

// Patching is asked before documents are changed. An interceptor may assign
// another Update, which over HTTP must still obey the rules for what a client may
// write, or the request fails with a 500. All else is for reading.
type Patching struct {
	signals.Intent
	// Collection is where the documents are.
	Collection string
	// Filter is what they match: what the caller gave and the scope, without the
	// preconditions that hold besides.
	Filter bson.Raw
	// Update has update operators only.
	Update bson.Raw
	// One says that one document is meant, at most.
	One bool
}

// Patched tells that documents were changed. Where a change of many failed midway,
// it tells of those that were changed until then, as far as the database says.
type Patched struct {
	signals.Fact
	// Collection is where the documents are.
	Collection string
	// Filter is what they matched: what the caller gave and the scope.
	Filter bson.Raw
	// Update is what was done, without what storage adds.
	Update bson.Raw
	// ID is the id of the document where one was meant, else nil.
	ID any
	// Matched and Modified count the documents.
	Matched, Modified int64
}

// Deleting is asked before documents are deleted. An interceptor can refuse, and
// change nothing.
type Deleting struct {
	signals.Intent
	// Collection is where the documents are.
	Collection string
	// Filter is what they match: what the caller gave and the scope, without the
	// preconditions that hold besides.
	Filter bson.Raw
	// One says that one document is meant, at most.
	One bool
}

// Deleted tells that documents were deleted. There is none where nothing matched.
// Where a deletion failed midway, it tells of those that are gone, as far as the
// database says.
type Deleted struct {
	signals.Fact
	// Collection is where the documents were.
	Collection string
	// Filter is what they matched: what the caller gave and the scope.
	Filter bson.Raw
	// ID is the id of the document where one was meant, else nil.
	ID any
	// Count is how many there were.
	Count int64
}
