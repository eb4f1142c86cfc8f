package mongoquery_test

import (
	"slices"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

// secured reads what Secure makes: each pipeline that reads a collection begins with its scope, and removes the hidden
// fields before it does anything but pass documents on.
func (w walker) secured(rules *mongoquery.Rules, stages []bson.Raw) {
	out, err := rules.Secure(stages, mongoquery.Guard{Collection: "posts", Scope: owned, Limit: 10})
	if err != nil {
		w.t.Fatalf("accepted, and not to be secured: %v", err)
	}
	array := make(bson.A, 0, len(out))
	for _, stage := range out {
		array = append(array, fields(w.t, stage))
	}
	w.guarded("posts", array)
	if last := array[len(array)-1].(bson.D)[0]; last != (bson.E{Key: "$limit", Value: int64(10)}) {
		w.t.Fatalf("ends with %v", last)
	}
}

func (w walker) guarded(collection string, stages bson.A) {
	if len(stages) < 2 || !scoped(stages[0].(bson.D)[0].Value, collection) {
		w.t.Fatalf("%v does not begin with the scope of %s", stages, collection)
	}
	removed := false
	for _, stage := range stages {
		switch e := stage.(bson.D)[0]; e.Key {
		case "$match", "$sort", "$skip", "$limit", "$sample":
		case "$unset":
			removed = removed || removes(e.Value, "")
		default:
			if !removed {
				w.t.Fatalf("%s comes before hidden fields are removed: %v", e.Key, stages)
			}
		}
	}
	if !removed {
		w.t.Fatalf("hidden fields are not removed: %v", stages)
	}
	w.guardedInside(stages)
}

func (w walker) guardedInside(stages bson.A) {
	for i, stage := range stages {
		e := stage.(bson.D)[0]
		switch e.Key {
		case "$facet":
			for _, facet := range e.Value.(bson.D) {
				w.guardedInside(facet.Value.(bson.A))
			}
		case "$lookup", "$unionWith":
			body := e.Value.(bson.D).Map() //nolint:staticcheck // duplicates are refused
			name, _ := body["from"].(string)
			if e.Key == "$unionWith" {
				name, _ = body["coll"].(string)
			}
			w.guarded(name, body["pipeline"].(bson.A))
		case "$graphLookup":
			body := e.Value.(bson.D).Map() //nolint:staticcheck // duplicates are refused
			if !scoped(body["restrictSearchWithMatch"], body["from"].(string)) {
				w.t.Fatalf("a graph without scope: %v", e)
			}
			as, _ := body["as"].(string)
			if i+1 == len(stages) || !removes(stages[i+1].(bson.D)[0].Value, as+".") {
				w.t.Fatalf("a graph that is not cleaned: %v", stages)
			}
		}
	}
}

// scoped is true for the scope of a collection, alone or as the first of `$and`.
func scoped(filter any, collection string) bool {
	d, ok := filter.(bson.D)
	if !ok || len(d) != 1 {
		return false
	}
	if d[0].Key == "$and" {
		return scoped(d[0].Value.(bson.A)[0], collection)
	}
	return d[0] == bson.E{Key: "owner", Value: "me in " + collection}
}

func removes(v any, prefix string) bool {
	names, _ := v.(bson.A)
	return slices.Contains(names, any(prefix+"_password")) && slices.Contains(names, any(prefix+"_sessions"))
}
