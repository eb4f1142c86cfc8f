package storage

import (
	"math"
	"net/url"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// filtersByID returns the filters by which a document with an id in a path is
// looked for, one after the other: the id as a string, and as an ObjectId where
// it may be one. Each has the one key that every database has an index for.
func filtersByID(id string) []bson.Raw {
	asString := bsoncore.BuildDocument(nil, bsoncore.AppendStringElement(nil, fieldID, id))
	oid, err := primitive.ObjectIDFromHex(id)
	if err != nil {
		return []bson.Raw{asString}
	}
	return []bson.Raw{asString, bsoncore.BuildDocument(nil, bsoncore.AppendObjectIDElement(nil, fieldID, oid))}
}

// eitherID returns one filter for all that [filtersByID] looks for, for events.
func eitherID(filters []bson.Raw) bson.Raw {
	if len(filters) == 1 {
		return filters[0]
	}
	ids := bson.A{}
	for _, filter := range filters {
		ids = append(ids, filter.Lookup(fieldID))
	}
	either, err := bson.Marshal(bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: ids}}}})
	if err != nil {
		return filters[0] // cannot be: a string and an ObjectId have a BSON form
	}
	return either
}

// idWrong says what is wrong with an id given by a client, and "" if nothing is.
func idWrong(id bson.RawValue) string {
	switch id.Type {
	case bson.TypeString:
		switch text := id.StringValue(); {
		case text == "" || len(text) > MaxIDBytes:
			return "must have 1 to 512 bytes"
		case text == "." || text == "..":
			return "must not be . or .., which no path can name" // RFC 3986, section 5.2.4
		}
		return ""
	case bson.TypeDouble:
		if f := id.Double(); math.IsNaN(f) || math.IsInf(f, 0) {
			return "must be a finite number"
		}
		return ""
	case bson.TypeObjectID, bson.TypeInt32, bson.TypeInt64, bson.TypeDecimal128:
		return ""
	default:
		return "must be a string, a number or an ObjectId"
	}
}

// goID returns an id as a Go value: string, int32, int64, float64,
// primitive.ObjectID and so on.
func goID(id bson.RawValue) any {
	if text, ok := id.StringValueOK(); ok {
		return text
	}
	var v any
	if err := id.Unmarshal(&v); err != nil {
		return id
	}
	return v
}

// jsonID is an id whose JSON is relaxed Extended JSON.
type jsonID struct{ id any }

// MarshalJSON implements json.Marshaler.
func (j jsonID) MarshalJSON() ([]byte, error) { return appendJSON(nil, j.id) }

func jsonIDs(ids []any) []jsonID {
	out := make([]jsonID, len(ids))
	for i, id := range ids {
		out[i] = jsonID{id}
	}
	return out
}

// appendJSON appends an id as relaxed Extended JSON.
func appendJSON(dst []byte, id any) ([]byte, error) {
	kind, data, err := bson.MarshalValue(id)
	if err != nil {
		return dst, err
	}
	return extjson.AppendValue(dst, bson.RawValue{Type: kind, Value: data})
}

// location returns where the inserted documents are found: one document by its id
// where a path can hold it, else by a query, and several in their collection.
func location(collection *url.URL, ids []any) string {
	base := strings.TrimRight(collection.EscapedPath(), "/")
	if len(ids) != 1 {
		return base
	}
	switch id := ids[0].(type) {
	case string:
		return base + "/" + url.PathEscape(id)
	case primitive.ObjectID:
		return base + "/" + id.Hex()
	}
	query, err := appendJSON([]byte(`{"_id":`), ids[0])
	if err != nil {
		return base
	}
	return base + "?query=" + url.QueryEscape(string(append(query, '}')))
}
