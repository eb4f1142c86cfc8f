package embedded

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// checkUpdate looks at one statement of an update, or at a findAndModify.
func checkUpdate(filter, update, upsert bsoncore.Value) *refusal {
	if update.Type == bson.TypeArray {
		return notImplemented("updates by a pipeline")
	}
	if r := checkFilter(filter); r != nil {
		return r
	}
	if on, ok := upsert.BooleanOK(); ok && on {
		if r := each(fields(filter), checkUpsert); r != nil {
			return r
		}
	}
	if !hasOperators(update) { // a whole document, or none
		return checkStoredValue(update)
	}
	return each(fields(update), func(op bsoncore.Element) *refusal {
		return each(fields(op.Value()), func(field bsoncore.Element) *refusal {
			return checkChange(op.Key(), field.Key(), field.Value())
		})
	})
}

// checkUpsert refuses a filter whose values would be missing in the new document.
func checkUpsert(e bsoncore.Element) *refusal {
	if key := e.Key(); key == "$and" || key == "$or" {
		return notImplemented("%s in the filter of an upsert", key)
	}
	return each(fields(e.Value()), func(op bsoncore.Element) *refusal {
		if op.Key() == "$all" {
			return notImplemented("$all in the filter of an upsert")
		}
		return nil
	})
}

// checkChange looks at one field under one operator of an update.
func checkChange(op, path string, v bsoncore.Value) *refusal {
	parts := strings.Split(path, ".")
	for _, part := range parts {
		if strings.HasPrefix(part, "$") {
			return notImplemented("positional operators or fields with a leading dollar sign")
		}
	}
	switch op {
	case "$unset":
		if isIndex(parts[len(parts)-1]) {
			return notImplemented("$unset by number: it would take the element out of an array, not empty it")
		}
		return nil
	case "$pull":
		if v.Type == bson.TypeEmbeddedDocument || v.Type == bson.TypeRegex {
			return notImplemented("$pull with a condition, only with a value")
		}
	case "$push", "$addToSet":
		return checkPush(op, v)
	case "$bit":
		if len(fields(v)) > 1 {
			return notImplemented("$bit with more than one operation")
		}
		return nil
	case "$rename":
		return checkRename(path, v)
	case "$currentDate":
		return nil // the value is no part of the document
	}
	return checkStoredValue(v)
}

// checkRename refuses the paths into arrays, of which elements cannot be renamed.
func checkRename(path string, v bsoncore.Value) *refusal {
	to, _ := v.StringValueOK()
	for _, part := range append(strings.Split(path, "."), strings.Split(to, ".")...) {
		if isIndex(part) {
			return notImplemented("$rename with a number in a path")
		}
	}
	return nil
}

// checkPush looks at what is put into an array.
func checkPush(op string, v bsoncore.Value) *refusal {
	if !hasOperators(v) {
		if v.Type == bson.TypeArray {
			return notImplemented("arrays directly in arrays")
		}
		return checkStoredValue(v)
	}
	return each(fields(v), func(e bsoncore.Element) *refusal {
		if e.Key() != "$each" {
			return notImplemented("%s with %s", op, e.Key())
		}
		return checkStoredValue(e.Value())
	})
}

// isIndex tells whether a part of a path may be the number of an array's element.
func isIndex(part string) bool {
	return part != "" && strings.Trim(part, "0123456789") == ""
}
