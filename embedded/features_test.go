package embedded_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func TestWhatItHasWorks(t *testing.T) {
	t.Parallel()
	db := collection(t).Database()
	c := db.Collection("c")
	insert(t, c,
		d("_id", 1, "a", 1, "s", "abc", "t", bson.A{1, 2}, "o", bson.A{d("k", 1), d("k", 2)}, "n", d("x", 5)),
		d("_id", 2, "a", 2, "s", "ABD", "t", bson.A{3}, "n", d("x", 3)),
		d("_id", 3, "a", 3, "s", "x", "n", d("x", 4), "e", nil),
	)
	for name, row := range map[string]struct {
		filter bson.D
		want   string
	}{
		"comparison":              {d("a", d("$gt", 1, "$lte", 3)), "[2 3]"},
		"$or in $and":             {d("$and", bson.A{d("$or", bson.A{d("a", 1), d("a", 3)}), d("s", "x")}), "[3]"},
		"pattern":                 {d("s", primitive.Regex{Pattern: "^ab", Options: "i"}), "[1 2]"},
		"element":                 {d("t", 3), "[2]"},
		"$ne of elements":         {d("t", d("$ne", 3)), "[1 3]"},
		"$in, $nin":               {d("a", d("$in", bson.A{1, 2}, "$nin", bson.A{2})), "[1]"},
		"$all":                    {d("t", d("$all", bson.A{1, 2})), "[1]"},
		"$elemMatch of values":    {d("t", d("$elemMatch", d("$gt", 2))), "[2]"},
		"$elemMatch, pattern":     {d("s", d("$elemMatch", d("$regex", "b"))), "[]"},
		"$size":                   {d("t", d("$size", 1)), "[2]"},
		"$exists":                 {d("t", d("$exists", false)), "[3]"},
		"null":                    {d("e", nil), "[1 2 3]"},
		"$type":                   {d("e", d("$type", "null")), "[3]"},
		"dotted":                  {d("n.x", d("$gte", 4)), "[1 3]"},
		"dotted through an array": {d("o.k", 2), "[1]"},
		"$nor for $ne":            {d("$nor", bson.A{d("o.k", 1)}), "[2 3]"},
		"$and for a range":        {d("$and", bson.A{d("o.k", d("$gt", 1)), d("o.k", d("$lt", 2))}), "[1]"},
		"$not":                    {d("a", d("$not", d("$gt", 1))), "[1]"},
		"_id and more":            {d("_id", 2, "a", 2), "[2]"},
		"_id and something else":  {d("_id", 2, "a", 3), "[]"},
	} {
		ids, err := c.Distinct(t.Context(), "_id", row.filter)
		if err != nil || fmt.Sprint(ids) != row.want {
			t.Errorf("%s: %v, %v, want %s", name, ids, err, row.want)
		}
	}
}

func TestUpdatesItHasWork(t *testing.T) {
	t.Parallel()
	c := collection(t)
	for name, row := range map[string]struct{ update, want bson.D }{
		"$set":          {d("$set", d("n.y", 1)), d("n", d("x", 1, "y", 1), "t", bson.A{1, 2})},
		"$unset":        {d("$unset", d("n.x", "")), d("n", d(), "t", bson.A{1, 2})},
		"$inc":          {d("$inc", d("n.x", 2)), d("n", d("x", 3), "t", bson.A{1, 2})},
		"$mul":          {d("$mul", d("n.x", 2)), d("n", d("x", 2), "t", bson.A{1, 2})},
		"$min":          {d("$min", d("n.x", 0)), d("n", d("x", 0), "t", bson.A{1, 2})},
		"$max":          {d("$max", d("n.x", 9)), d("n", d("x", 9), "t", bson.A{1, 2})},
		"$bit":          {d("$bit", d("n.x", d("or", 2))), d("n", d("x", 3), "t", bson.A{1, 2})},
		"$rename":       {d("$rename", d("n.x", "n.z")), d("n", d("z", 1), "t", bson.A{1, 2})},
		"$setOnInsert":  {d("$setOnInsert", d("n.x", 9)), d("n", d("x", 1), "t", bson.A{1, 2})},
		"$push":         {d("$push", d("t", 2)), d("n", d("x", 1), "t", bson.A{1, 2, 2})},
		"$push $each":   {d("$push", d("t", d("$each", bson.A{3, 4}))), d("n", d("x", 1), "t", bson.A{1, 2, 3, 4})},
		"$push of docs": {d("$push", d("t", d("a", 1))), d("n", d("x", 1), "t", bson.A{1, 2, d("a", 1)})},
		"$addToSet":     {d("$addToSet", d("t", 2)), d("n", d("x", 1), "t", bson.A{1, 2})},
		"$pop":          {d("$pop", d("t", -1)), d("n", d("x", 1), "t", bson.A{2})},
		"$pull":         {d("$pull", d("t", 1)), d("n", d("x", 1), "t", bson.A{2})},
		"$pullAll":      {d("$pullAll", d("t", bson.A{1, 2})), d("n", d("x", 1), "t", bson.A{})},
		"replacement":   {d("z", 1), d("z", 1)},
	} {
		if _, err := c.DeleteMany(t.Context(), d()); err != nil {
			t.Fatal(err)
		}
		insert(t, c, d("_id", 1, "n", d("x", 1), "t", bson.A{1, 2}))
		var got bson.D
		err := db(t, c, d("update", c.Name(), "updates", bson.A{d("q", d("_id", 1), "u", row.update)}))
		if err == nil {
			err = c.FindOne(t.Context(), d("_id", 1)).Decode(&got)
		}
		if err != nil || len(got) == 0 || fmt.Sprint(got[1:]) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, row.want)
		}
	}
	if err := db(t, c, d("update", c.Name(), "updates", bson.A{d("q", d(), "u", d("$currentDate", d("now", d("$type", "date"))))})); err != nil {
		t.Error(err)
	}
}

func db(t *testing.T, c *mongo.Collection, command bson.D) error {
	t.Helper()
	return c.Database().RunCommand(t.Context(), command).Err()
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	c := collection(t)
	for i, v := range []any{
		int32(1), int64(1) << 60, int64(math.MinInt64), 0.1, 3.0, 5e-324, "", "a\x00\u2028é😀", true, nil, primitive.NewObjectID(),
		primitive.DateTime(-1), primitive.DateTime(253402300799999),
		primitive.Binary{Subtype: 4, Data: make([]byte, 16)},
		primitive.Binary{Data: []byte{}},
		primitive.Regex{Pattern: "a", Options: "i"},
		primitive.Timestamp{T: 5, I: 6},
		bson.A{},
		bson.D{},
		bson.A{nil, "a", d("x", bson.A{})},
		d("b", 1, "a", 2), d("é ", 1), deep(90),
	} {
		insert(t, c, d("_id", i, "v", v))
		got, err := c.FindOne(t.Context(), d("_id", i)).Raw()
		want, _ := bson.Marshal(d("_id", i, "v", v))
		if err != nil || string(got) != string(want) {
			t.Errorf("%T: %v, %v, want %v", v, got, err, v)
		}
	}
}

// What is different and not refused, as the section of LIMITS.md says.
func TestDifferencesAreTheOnesListed(t *testing.T) {
	t.Parallel()
	c := collection(t)
	id := primitive.NewObjectID()
	unique(t, c, "e")
	insert(t, c, d("_id", id, "n", int32(math.MaxInt32-1), "o", bson.A{d("k", 2)}), d("_id", 2, "o", bson.A{d("k", 1)}))

	if _, err := c.InsertOne(t.Context(), d("_id", id.Hex())); codeOf(err) != 11000 || strings.Contains(err.Error(), "index:") {
		t.Errorf("an ObjectID's digits: %v", err)
	}
	if _, err := c.UpdateByID(t.Context(), id, d("$inc", d("n", int32(2)))); err != nil {
		t.Error(err)
	}
	if n := count(t, c, d("n", math.MinInt32)); n != 1 {
		t.Errorf("%d counters have wrapped around", n)
	}
	if _, err := c.UpdateByID(t.Context(), id, d("$set", d("o.2.k", 3))); err != nil {
		t.Error(err)
	}
	if n := count(t, c, d("o", bson.A{d("k", 2), nil, d("k", 3)})); n != 1 {
		t.Errorf("%d arrays with a gap", n)
	}
	insert(t, c, d("_id", 3, "e", 1))
	_, err := c.BulkWrite(t.Context(), []mongo.WriteModel{
		mongo.NewUpdateOneModel().SetFilter(d("_id", 2)).SetUpdate(d("$set", d("e", 1))),
		mongo.NewUpdateOneModel().SetFilter(d("_id", 2)).SetUpdate(d("$set", d("after", 1))),
	}, options.BulkWrite().SetOrdered(false))
	if n := count(t, c, d("after", 1)); n != 0 || err == nil {
		t.Errorf("%d statements after the first error, %v", n, err)
	}
	insert(t, c, d("_id", 4, "z", math.Copysign(0, -1)))
	var zero struct{ Z float64 }
	if err := c.FindOne(t.Context(), d("_id", 4)).Decode(&zero); err != nil || math.Signbit(zero.Z) {
		t.Errorf("minus zero: %v, %v", zero.Z, err)
	}
}
