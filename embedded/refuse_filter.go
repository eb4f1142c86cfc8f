package embedded

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// checkFilter refuses the filters that would find the wrong documents.
func checkFilter(filter bsoncore.Value) *refusal {
	return each(fields(filter), func(e bsoncore.Element) *refusal {
		switch key := e.Key(); {
		case unknownOperator(key):
			return notImplemented("%s", key)
		case key == "$and", key == "$or", key == "$nor":
			return each(items(e.Value()), checkFilter)
		case strings.HasPrefix(key, "$"):
			return nil
		default:
			return checkCondition(key, e.Value())
		}
	})
}

// checkCondition looks at what a filter says of one field.
func checkCondition(path string, v bsoncore.Value) *refusal {
	if !hasOperators(v) {
		return checkEqual(path, v)
	}
	return checkOperators(path, fields(v))
}

func checkOperators(path string, operators []bsoncore.Element) *refusal {
	if r := checkTogether(path, operators); r != nil {
		return r
	}
	return each(operators, func(op bsoncore.Element) *refusal {
		if strings.Contains(path, ".") {
			if r := checkDotted(op); r != nil {
				return r
			}
		}
		return checkOperator(path, op)
	})
}

// hasOperators tells an operators' document, such as {$gt: 1}, from one to be equal to.
func hasOperators(v bsoncore.Value) bool {
	elements := fields(v)
	return len(elements) > 0 && strings.HasPrefix(elements[0].Key(), "$")
}

// checkTogether looks at the operators on one field as a whole. On a path that leads through an array of documents,
// the engine wants one element to satisfy all of them.
func checkTogether(path string, operators []bsoncore.Element) *refusal {
	var regex, options bool
	for _, op := range operators {
		regex = regex || op.Key() == "$regex"
		options = options || op.Key() == "$options"
	}
	if options && !regex {
		return &refusal{codeBadValue, "BadValue", "$options needs a $regex"}
	}
	n := len(operators)
	if options {
		n--
	}
	if n > 1 && strings.Contains(path, ".") {
		return notImplemented("several operators together on a path with a dot; put each in an item of $and")
	}
	return nil
}

// checkDotted refuses the operators that the engine gets wrong on a path that leads through an array of documents:
// it asks whether any element satisfies them, where all must, or one where several may.
func checkDotted(op bsoncore.Element) *refusal {
	switch key := op.Key(); key {
	case "$ne", "$nin", "$not":
		return notImplemented("%s on a path with a dot; use $nor", key)
	case "$all":
		return notImplemented("%s on a path with a dot; use $and", key)
	case "$gt", "$gte", "$lt", "$lte":
		return checkNull(op.Value())
	}
	return nil
}

// checkNull refuses null on a path with a dot: the engine does not look for it in each document of an array.
func checkNull(v bsoncore.Value) *refusal {
	if v.Type == bson.TypeNull {
		return notImplemented("comparison with null on a path with a dot; use $exists")
	}
	return nil
}

// checkEqual refuses to compare with a document: the engine does not look for it in arrays. An _id is no array.
func checkEqual(path string, v bsoncore.Value) *refusal {
	if v.Type == bson.TypeEmbeddedDocument && path != "_id" {
		return notImplemented(`comparison with a whole document; name its fields, as in {"a.b": 1}`)
	}
	if strings.Contains(path, ".") {
		return checkNull(v)
	}
	return nil
}

func checkOperator(path string, op bsoncore.Element) *refusal {
	v := op.Value()
	switch key := op.Key(); key {
	case "$eq", "$ne":
		return checkEqual(path, v)
	case "$in", "$nin":
		return each(items(v), func(item bsoncore.Value) *refusal { return checkEqual(path, item) })
	case "$all":
		return each(items(v), func(item bsoncore.Value) *refusal {
			if hasOperators(item) {
				return notImplemented("$all with operators in it")
			}
			return checkEqual(path, item)
		})
	case "$not":
		if hasOperators(v) {
			return checkCondition(path, v)
		}
	case "$exists":
		if v.Type != bson.TypeBoolean {
			return notImplemented("$exists with anything but true or false")
		}
	case "$gte":
		if v.Type == bson.TypeNull {
			return notImplemented("$gte null")
		}
	case "$elemMatch":
		return checkElemMatch(path, fields(v))
	case "$mod":
		return notImplemented("$mod")
	default:
		if unknownOperator(key) {
			return notImplemented("%s", key)
		}
	}
	return nil
}

// checkElemMatch lets pass one thing said of an element as a whole. Of an element's fields the engine knows nothing,
// and several operators it lets be satisfied by an element each.
func checkElemMatch(path string, operators []bsoncore.Element) *refusal {
	if len(operators) != 1 {
		return notImplemented("$elemMatch with anything but one operator")
	}
	switch key := operators[0].Key(); key {
	case "$eq", "$gt", "$gte", "$lt", "$lte", "$in", "$regex", "$type":
		return checkOperators(path, operators)
	default:
		if !strings.HasPrefix(key, "$") {
			return notImplemented("$elemMatch on the fields of documents")
		}
		return notImplemented("$elemMatch with %s", key)
	}
}

// unknownOperator tells whether an operator is one of MongoDB that the engine takes for the client's mistake.
func unknownOperator(key string) bool {
	switch key {
	case "$geoIntersects", "$geoWithin", "$jsonSchema", "$near", "$nearSphere", "$sampleRate", "$text", "$where":
		return true
	default:
		return false
	}
}
