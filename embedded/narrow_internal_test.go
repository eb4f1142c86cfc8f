package embedded

import (
	"testing"
	"testing/synctest"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// What the engine is asked to do for a filter of _id and more is to cost one look-up, be there a match or not.
func TestWritesByIDAndMoreAreSentWithIDAlone(t *testing.T) {
	t.Parallel()
	q := bson.D{{Key: "_id", Value: "a"}, {Key: "version", Value: 1}}
	u := bson.E{Key: "u", Value: bson.M{"$set": bson.M{"n": 1}}}
	list := func(name string, statement bson.D) bson.D {
		return bson.D{{Key: name, Value: "c"}, {Key: name + "s", Value: bson.A{statement}}}
	}
	none := bson.A{}
	one := bson.A{bson.M{"_id": "a"}}
	for name, row := range map[string]struct {
		command bson.D
		probed  bson.M
		alone   bool
	}{
		"hit":                {list("update", bson.D{{Key: "q", Value: q}, u}), found(one), true},
		"miss":               {list("update", bson.D{{Key: "q", Value: q}, u}), found(none), true},
		"miss of a delete":   {list("delete", bson.D{{Key: "q", Value: q}, {Key: "limit", Value: 1}}), found(none), true},
		"miss, modifying":    {bson.D{{Key: "findAndModify", Value: "c"}, {Key: "query", Value: q}, {Key: "remove", Value: true}}, found(none), true},
		"miss, no upsert":    {list("update", bson.D{{Key: "q", Value: q}, u, {Key: "upsert", Value: false}}), found(none), true},
		"miss of an upsert":  {list("update", bson.D{{Key: "q", Value: q}, u, {Key: "upsert", Value: true}}), found(none), false},
		"hit of an upsert":   {list("update", bson.D{{Key: "q", Value: q}, u, {Key: "upsert", Value: true}}), found(one), true},
		"fault in the probe": {list("update", bson.D{{Key: "q", Value: q}, u}), bson.M{"ok": 0, "code": 2}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, connect := newSlowEngine(t)
				client := connect()
				send(t, client, 0, row.command)
				if probe := <-e.seen; probe.name != "aggregate" {
					t.Errorf("the engine got %s", probe.body)
				}
				e.answers <- row.probed
				cmd := <-e.seen
				filter, _ := cmd.body.Lookup("query").DocumentOK()
				if cmd.name != "findAndModify" {
					filter, _ = cmd.list(cmd.name + "s")[0].Lookup("q").DocumentOK()
				}
				if alone := isIDAlone(filter); alone != row.alone {
					t.Errorf("the engine got %s", filter)
				}
				e.answers <- bson.M{"ok": 1}
				answer(t, client)
			})
		})
	}
}

func found(docs bson.A) bson.M {
	return bson.M{"ok": 1, "cursor": bson.M{"firstBatch": docs}}
}

func isIDAlone(filter bsoncore.Document) bool {
	elements, _ := filter.Elements()
	return len(elements) == 1 && hasIndexedID(filter)
}
