package storage

import (
	"slices"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

// both returns the filter that matches what two filters do; nil is one that
// matches all. Where they name different things it is one flat document, for inside
// an $and not every database finds its index for the _id.
func both(a, b bson.Raw) bson.Raw {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	case shareName(a, b):
		return mongoquery.And(a, b)
	}
	flat := make([]byte, 0, len(a)+len(b))
	return bsoncore.BuildDocument(nil, append(append(flat, a[4:len(a)-1]...), b[4:len(b)-1]...))
}

// shareName reports whether two documents have a name in common, or are malformed.
func shareName(a, b bson.Raw) bool {
	inA, errA := a.Elements()
	inB, errB := b.Elements()
	return errA != nil || errB != nil || slices.ContainsFunc(inA, func(x bson.RawElement) bool {
		return slices.ContainsFunc(inB, func(y bson.RawElement) bool { return x.Key() == y.Key() })
	})
}

// orAll returns the filter, which for the driver must not be nil.
func orAll(filter bson.Raw) bson.Raw {
	if filter == nil {
		return bsoncore.BuildDocument(nil)
	}
	return filter
}
