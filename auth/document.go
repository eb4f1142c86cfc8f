package auth

import (
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
)

// isOurs reports whether a path leads to a field that only this package writes.
func isOurs(path string) bool {
	first, _, _ := strings.Cut(path, ".")
	switch first {
	case fieldID, fieldKey, fieldIdentity, fieldPassword, fieldInserted, fieldPatched, fieldSessions, fieldBanned:
		return true
	}
	return false
}

// checkDocument refuses what a new user's document may not have, whoever made it.
func checkDocument(doc bson.D) error {
	for i, field := range doc {
		switch {
		case isOurs(field.Key):
			return &FieldError{Field: "document." + field.Key, Reason: "is a reserved field"}
		case slices.ContainsFunc(doc[:i], func(e bson.E) bool { return e.Key == field.Key }):
			return &FieldError{Field: "document." + field.Key, Reason: "is given twice"}
		}
	}
	return nil
}

// marshal returns a document as BSON; nil for nil.
func marshal(doc any) (bson.Raw, error) {
	if doc == nil {
		return nil, nil
	}
	if raw, ok := doc.(bson.Raw); ok {
		return raw, nil
	}
	data, err := bson.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return data, nil
}

// isEmpty reports whether a document is absent or has no fields.
func isEmpty(doc bson.Raw) bool { return len(doc) <= 5 }

// narrowed returns a filter that a query narrows. The query cannot reach what the
// filter names, and the embedded database finds an _id beside an $and by its index.
func narrowed(filter bson.D, query bson.Raw) bson.D {
	if isEmpty(query) {
		return filter
	}
	return append(filter, bson.E{Key: "$and", Value: bson.A{query}})
}
