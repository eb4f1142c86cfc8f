package embedded

import (
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// checkAggregate refuses the pipelines that would give wrong results. Of stages that the engine does not know at all
// it says so itself.
func checkAggregate(c command) *refusal {
	if c.coll == "" {
		return notImplemented("pipelines without a collection, such as change streams of a database")
	}
	return each(c.list("pipeline"), func(stage bsoncore.Document) *refusal {
		elements, _ := stage.Elements()
		return each(elements, checkStage)
	})
}

func checkStage(stage bsoncore.Element) *refusal {
	switch stage.Key() {
	case "$match":
		return checkFilter(stage.Value())
	case "$project":
		return each(fields(stage.Value()), checkComputed)
	case "$addFields", "$set":
		return each(fields(stage.Value()), func(field bsoncore.Element) *refusal {
			if strings.Contains(field.Key(), ".") {
				return notImplemented("dots in the names that %s sets", stage.Key())
			}
			return checkComputed(field)
		})
	case "$group":
		return checkGroup(fields(stage.Value()))
	case "$sort":
		return checkSort(stage.Value())
	case "$unwind":
		return notImplemented("$unwind: it would lose all other fields")
	}
	return nil
}

// checkComputed lets constants pass. What is to be computed the engine copies as it stands.
func checkComputed(field bsoncore.Element) *refusal {
	v := field.Value()
	if v.Type == bson.TypeEmbeddedDocument || v.Type == bson.TypeArray || isReference(v) {
		return notImplemented("computed fields")
	}
	return nil
}

// checkGroup refuses what the engine counts wrongly: it can do no more than one accumulator.
func checkGroup(spec []bsoncore.Element) *refusal {
	if len(spec) > 2 {
		return notImplemented("$group with more than one accumulator")
	}
	return each(spec, func(e bsoncore.Element) *refusal {
		if e.Key() == "_id" {
			return checkGroupKey(e.Value())
		}
		return each(fields(e.Value()), checkAccumulator)
	})
}

// checkAccumulator refuses the variables, which the engine takes for nothing.
func checkAccumulator(e bsoncore.Element) *refusal {
	if s, ok := e.Value().StringValueOK(); ok && strings.HasPrefix(s, "$$") {
		return notImplemented("%s of variables such as $$ROOT", e.Key())
	}
	return nil
}

// checkGroupKey refuses arrays, in which names of fields stay what they are.
func checkGroupKey(v bsoncore.Value) *refusal {
	if v.Type == bson.TypeArray {
		return notImplemented("arrays in the _id of $group")
	}
	return each(fields(v), func(e bsoncore.Element) *refusal { return checkGroupKey(e.Value()) })
}
