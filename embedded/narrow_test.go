package embedded_test

import (
	"errors"
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Commands whose filter names _id and more take another way to the engine; they must mean the same.
func TestFiltersOfIDAndMore(t *testing.T) {
	t.Parallel()
	inc, set := d("$inc", d("n", 1)), d("$set", d("n", 7))
	for name, row := range map[string]struct {
		command bson.D
		want    string // the documents afterwards, as [_id n]
	}{
		"update, matching":          {d("update", "c", "updates", bson.A{d("q", d("_id", "a", "n", 1), "u", inc)}), "[[a 2] [b 1]]"},
		"update, not matching":      {d("update", "c", "updates", bson.A{d("q", d("_id", "a", "n", 2), "u", inc)}), "[[a 1] [b 1]]"},
		"update, no such _id":       {d("update", "c", "updates", bson.A{d("q", d("_id", "z", "n", 1), "u", inc)}), "[[a 1] [b 1]]"},
		"update of many":            {d("update", "c", "updates", bson.A{d("q", d("n", 1, "_id", "a"), "u", inc, "multi", true)}), "[[a 2] [b 1]]"},
		"update, dotted and $or":    {d("update", "c", "updates", bson.A{d("q", d("_id", "a", "o.k", 1, "$or", bson.A{d("n", 1)}), "u", inc)}), "[[a 2] [b 1]]"},
		"update, rest not matching": {d("update", "c", "updates", bson.A{d("q", d("_id", "a", "n", 1, "o.k", 2), "u", inc)}), "[[a 1] [b 1]]"},
		"two updates": {d("update", "c", "updates", bson.A{
			d("q", d("_id", "a", "n", 1), "u", inc), d("q", d("_id", "a", "n", 2), "u", inc),
		}), "[[a 3] [b 1]]"},
		"upsert, matching":           {d("update", "c", "updates", bson.A{d("q", d("_id", "a", "n", 1), "u", inc, "upsert", true)}), "[[a 2] [b 1]]"},
		"upsert, new":                {d("update", "c", "updates", bson.A{d("q", d("_id", "c", "m", 1), "u", set, "upsert", true)}), "[[a 1] [b 1] [c 7]]"},
		"replacement":                {d("update", "c", "updates", bson.A{d("q", d("_id", "a", "n", 1), "u", d("n", 9))}), "[[a 9] [b 1]]"},
		"delete, matching":           {d("delete", "c", "deletes", bson.A{d("q", d("_id", "a", "n", 1), "limit", 1)}), "[[b 1]]"},
		"delete, not matching":       {d("delete", "c", "deletes", bson.A{d("q", d("_id", "a", "n", 2), "limit", 1)}), "[[a 1] [b 1]]"},
		"findAndModify, matching":    {d("findAndModify", "c", "query", d("_id", "b", "n", 1), "update", set, "new", true), "[[a 1] [b 7]]"},
		"findAndModify, not":         {d("findAndModify", "c", "query", d("_id", "b", "n", 2), "update", set), "[[a 1] [b 1]]"},
		"findAndModify, removing":    {d("findAndModify", "c", "query", d("_id", "b", "n", 1), "remove", true), "[[a 1]]"},
		"findAndModify, upsert":      {d("findAndModify", "c", "query", d("_id", "c", "m", 1), "update", set, "upsert", true), "[[a 1] [b 1] [c 7]]"},
		"no such collection":         {d("update", "other", "updates", bson.A{d("q", d("_id", "a", "n", 1), "u", inc)}), "[[a 1] [b 1]]"},
		"_id of no indexed type":     {d("update", "c", "updates", bson.A{d("q", d("_id", 1, "n", 1), "u", inc)}), "[[a 1] [b 1]]"},
		"_id with an operator":       {d("update", "c", "updates", bson.A{d("q", d("_id", d("$in", bson.A{"a"}), "n", 1), "u", inc)}), "[[a 2] [b 1]]"},
		"comment beside the command": {d("delete", "c", "deletes", bson.A{d("q", d("_id", "a", "n", 1), "limit", 0)}, "comment", "x", "ordered", true), "[[b 1]]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := collection(t).Database().Collection("c")
			insert(t, c, d("_id", "a", "n", 1, "o", d("k", 1)), d("_id", "b", "n", 1, "o", d("k", 1)))
			if err := c.Database().RunCommand(t.Context(), row.command).Err(); err != nil {
				t.Fatal(err)
			}
			var docs []struct {
				ID string `bson:"_id"`
				N  int    `bson:"n"`
			}
			cursor, err := c.Find(t.Context(), d(), options.Find().SetSort(d("_id", 1)))
			if err == nil {
				err = cursor.All(t.Context(), &docs)
			}
			got := make([][]any, len(docs))
			for i, doc := range docs {
				got[i] = []any{doc.ID, doc.N}
			}
			if err != nil || fmt.Sprint(got) != row.want {
				t.Errorf("%v, %v, want %s", got, err, row.want)
			}
		})
	}
}

// Of many who change the version they have seen, one wins each time.
func TestVersionsAreTakenOnce(t *testing.T) {
	t.Parallel()
	things := collection(t)
	insert(t, things, bson.M{"_id": "a", "version": 0})
	for version := range 5 {
		won := together(t, 20, func(err error) bool { return errors.Is(err, mongo.ErrNoDocuments) }, func(i int) error {
			filter := bson.M{"_id": "a", "version": version}
			if i%2 == 0 {
				return things.FindOneAndUpdate(t.Context(), filter, bson.M{"$inc": bson.M{"version": 1}}).Err()
			}
			r, err := things.UpdateOne(t.Context(), filter, bson.M{"$inc": bson.M{"version": 1}})
			if err == nil && r.ModifiedCount == 0 {
				return mongo.ErrNoDocuments
			}
			return err
		})
		if won != 1 {
			t.Fatalf("version %d was changed %d times", version, won)
		}
	}
}

func TestReadsByIDAndMore(t *testing.T) {
	t.Parallel()
	c := collection(t).Database().Collection("c")
	insert(t, c, d("_id", "a", "n", 1, "o", d("k", 1), "t", bson.A{1, 2}), d("_id", "b", "n", 1))
	find := func(filter bson.D, more ...any) bson.D {
		return append(d("find", "c", "filter", filter), d(more...)...)
	}
	pipeline := func(stages ...any) bson.D { return d("aggregate", "c", "pipeline", bson.A(stages), "cursor", d()) }
	for name, row := range map[string]struct {
		command bson.D
		want    string
	}{
		"matching":               {find(d("_id", "b", "n", 1)), `[{"_id": "b","n": {"$numberInt":"1"}}]`},
		"rest first":             {find(d("n", 1, "_id", "b")), `[{"_id": "b","n": {"$numberInt":"1"}}]`},
		"not matching":           {find(d("_id", "b", "n", 2)), `[]`},
		"no such _id":            {find(d("_id", "z", "n", 1)), `[]`},
		"_id twice":              {find(d("_id", "b", "$and", bson.A{d("_id", "a")})), `[]`},
		"included":               {find(d("_id", "b", "n", 1), "projection", d("n", 1, "_id", 0)), `[{"n": {"$numberInt":"1"}}]`},
		"excluded":               {find(d("_id", "a", "n", 1), "projection", d("o", 0, "t", false)), `[{"_id": "a","n": {"$numberInt":"1"}}]`},
		"projection before":      {append(d("find", "c", "projection", d("_id", 1)), d("filter", d("_id", "a", "n", 1))...), `[{"_id": "a"}]`},
		"constant":               {find(d("_id", "b", "n", 1), "projection", d("n", "x")), `[{"_id": "b","n": "x"}]`},
		"nothing projected":      {find(d("_id", "b", "n", 1), "projection", d()), `[{"_id": "b","n": {"$numberInt":"1"}}]`},
		"sort, limit and hint":   {find(d("_id", "b", "n", 1), "sort", d("n", -1), "limit", 1, "singleBatch", true, "hint", "x"), `[{"_id": "b","n": {"$numberInt":"1"}}]`},
		"skip":                   {find(d("_id", "b", "n", 1), "skip", 1), `[]`},
		"batch of none":          {find(d("_id", "b", "n", 1), "batchSize", 0), `[]`},
		"pipeline":               {pipeline(d("$match", d("_id", "b", "n", 1))), `[{"_id": "b","n": {"$numberInt":"1"}}]`},
		"pipeline, not matching": {pipeline(d("$match", d("_id", "b", "n", 2))), `[]`},
		"pipeline that counts":   {pipeline(d("$match", d("_id", "b", "n", 1)), d("$count", "n")), `[{"n": {"$numberInt":"1"}}]`},
		"pipeline, later match":  {pipeline(d("$limit", 2), d("$match", d("_id", "b", "n", 1))), `[{"_id": "b","n": {"$numberInt":"1"}}]`},
	} {
		var got struct {
			Cursor struct {
				ID         int64
				NS         string
				FirstBatch bson.RawValue `bson:"firstBatch"`
			}
		}
		err := c.Database().RunCommand(t.Context(), row.command).Decode(&got)
		if err != nil || got.Cursor.FirstBatch.String() != row.want || got.Cursor.NS != "test.c" {
			t.Errorf("%s: %v in %q, %v, want %s", name, got.Cursor.FirstBatch, got.Cursor.NS, err, row.want)
		}
	}
}
