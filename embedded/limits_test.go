package embedded_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
)

// d makes a document of names and values in turn.
func d(pairs ...any) bson.D {
	doc := make(bson.D, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		doc = append(doc, bson.E{Key: pairs[i].(string), Value: pairs[i+1]})
	}
	return doc
}

// codeOf returns the code of the server's error, or 0.
func codeOf(err error) int {
	var command mongo.CommandError
	if errors.As(err, &command) {
		return int(command.Code)
	}
	var write mongo.WriteException
	if errors.As(err, &write) && len(write.WriteErrors) > 0 {
		return write.WriteErrors[0].Code
	}
	return 0
}

// limits are the commands that are refused, by heading of LIMITS.md, on a collection "c" with documents.
func limits() map[int]map[string]bson.D {
	find := func(filter any, more ...any) bson.D { return append(d("find", "c", "filter", filter), d(more...)...) }
	pipeline := func(stages ...any) bson.D { return d("aggregate", "c", "pipeline", bson.A(stages), "cursor", d()) }
	insert := func(v any) bson.D { return d("insert", "c", "documents", bson.A{d("v", v)}) }
	update := func(u any, more ...any) bson.D {
		return d("update", "c", "updates", bson.A{append(d("q", d("_id", 1), "u", u), d(more...)...)})
	}
	upsert := func(q any) bson.D {
		return d("update", "c", "updates", bson.A{d("q", q, "u", d("$set", d("z", 1)), "upsert", true)})
	}
	group := func(accumulator string) bson.D {
		return pipeline(d("$group", d("_id", "$g", "r", d(accumulator, "$a"))))
	}
	index := func(key any, more ...any) bson.D {
		return d("createIndexes", "c", "indexes", bson.A{append(d("key", key, "name", "i"), d(more...)...)})
	}
	decimal, _ := primitive.ParseDecimal128("1.5")
	const (
		commandNotFound  = 59
		illegalOperation = 20
		notImplemented   = 238
	)
	rows := map[int]map[string]bson.D{
		illegalOperation: {
			"transaction, first command": append(insert(1), d("startTransaction", true, "autocommit", false, "txnNumber", int64(1))...),
			"transaction, read":          find(d(), "startTransaction", true, "autocommit", false, "txnNumber", int64(1)),
			"transaction, later command": append(update(d("$set", d("a", 2))), d("autocommit", false, "txnNumber", int64(1))...),
		},
		commandNotFound: {
			"commit": d("commitTransaction", 1), "abort": d("abortTransaction", 1), "mapReduce": d("mapReduce", "c"),
			"bulkWrite": d("bulkWrite", 1), "endSessions": d("endSessions", bson.A{}), "shutdown": d("shutdown", 1),
		},
		2: {
			"$options alone":           find(d("s", d("$options", "i"))),
			"_id twice":                find(d("_id", "a", "_id", "b", "n", 1)),
			"field stored twice":       insert(d("a", 1, "a", 2)),
			"an option given twice":    append(find(d()), d("filter", d("$where", "true"))...),
			"an index named twice":     d("createIndexes", "c", "indexes", bson.A{append(d("key", d("e", 1), "name", "i"), d("name", "j")...)}),
			"an operator given twice":  update(d("$set", d("a", 2), "$set", d("t.$", 2))),
			"a condition given twice":  find(d("o", d("$gt", 1, "$gt", 2))),
			"a field of a query twice": d("count", "c", "query", d("a", 1, "a", 2)),
		},
		9:     {"unknown operator of an update": update(d("$nothing", d("a", 1)))},
		40234: {"stage that exists nowhere": pipeline(d("$nothing", d()))},
		51091: {"look-around": find(d("g", primitive.Regex{Pattern: "(?=a)"}))},
		notImplemented: {
			"change stream of a collection": pipeline(d("$changeStream", d())),
			"change stream of a database":   d("aggregate", 1, "pipeline", bson.A{d("$changeStream", d())}, "cursor", d()),

			"several indexes at once": d("createIndexes", "c", "indexes", bson.A{
				d("key", d("x", 1), "name", "x"), d("key", d("y", 1), "name", "y"),
			}),

			"$expr":                     find(d("$expr", d("$gt", bson.A{"$a", 1}))),
			"$where":                    find(d("$where", "true")),
			"$text":                     find(d("$text", d("$search", "x"))),
			"$jsonSchema":               find(d("$or", bson.A{d("$jsonSchema", d())})),
			"$near":                     find(d("a", d("$near", d()))),
			"$elemMatch on fields":      find(d("o", d("$elemMatch", d("k", 1)))),
			"$elemMatch, a range":       find(d("t", d("$elemMatch", d("$gt", 1, "$lt", 4)))),
			"$elemMatch, empty":         find(d("t", d("$elemMatch", d()))),
			"$elemMatch, $nin":          find(d("t", d("$elemMatch", d("$nin", bson.A{1})))),
			"$elemMatch, $ne":           find(d("t", d("$elemMatch", d("$ne", 1)))),
			"$elemMatch, $not":          find(d("t", d("$elemMatch", d("$not", d("$gt", 1))))),
			"$elemMatch, $exists":       find(d("t", d("$elemMatch", d("$exists", true)))),
			"$elemMatch, $size":         find(d("t", d("$elemMatch", d("$size", 1)))),
			"$elemMatch, a document":    find(d("o", d("$elemMatch", d("$eq", d("k", 1))))),
			"$elemMatch in $not":        find(d("t", d("$not", d("$elemMatch", d("$gt", 1, "$lt", 4))))),
			"$mod":                      find(d("t", d("$mod", bson.A{2, 0}))),
			"$mod in $not":              find(d("t", d("$not", d("$mod", bson.A{2, 0})))),
			"null with a dot":           find(d("o.k", nil)),
			"$eq null with a dot":       find(d("o.k", d("$eq", nil))),
			"$in null with a dot":       find(d("o.k", d("$in", bson.A{1, nil}))),
			"$lte null with a dot":      find(d("o.k", d("$lte", nil))),
			"$gte null with a dot":      find(d("o.k", d("$gte", nil))),
			"$gt null with a dot":       find(d("$or", bson.A{d("o.k", d("$gt", nil))})),
			"null with a dot, $nor":     find(d("$nor", bson.A{d("o.k", nil)})),
			"sort with a dot":           find(d(), "sort", d("a", 1, "o.k", 1)),
			"$all with $elemMatch":      find(d("o", d("$all", bson.A{d("$elemMatch", d("$gt", 1))}))),
			"equal to a document":       find(d("n", d("x", 5))),
			"in documents":              find(d("n", d("$in", bson.A{d("x", 5)}))),
			"not equal to a document":   find(d("n", d("$not", d("$eq", d("x", 5))))),
			"$exists by number":         find(d("a", d("$exists", 0))),
			"$gte null":                 find(d("a", d("$gte", nil))),
			"$ne with a dot":            find(d("o.k", d("$ne", 1))),
			"$nin with a dot":           find(d("o.k", d("$nin", bson.A{1}))),
			"$not with a dot":           find(d("$and", bson.A{d("o.k", d("$not", d("$gt", 1)))})),
			"$all with a dot":           find(d("o.k", d("$all", bson.A{1, 2}))),
			"two operators with a dot":  find(d("o.k", d("$gt", 1, "$lt", 2))),
			"regular expression, x":     find(d("s", d("$regex", "a", "$options", "x"))),
			"filter of count":           d("count", "c", "query", d("o.k", d("$ne", 1))),
			"filter of distinct":        d("distinct", "c", "key", "a", "query", d("o.k", d("$ne", 1))),
			"filter of delete":          d("delete", "c", "deletes", bson.A{d("q", d("o.k", d("$ne", 1)), "limit", 0)}),
			"filter of update":          d("update", "c", "updates", bson.A{d("q", d("o.k", d("$ne", 1)), "u", d("$set", d("z", 1)))}),
			"filter of findAndModify":   d("findAndModify", "c", "query", d("o.k", d("$ne", 1)), "remove", true),
			"filter of $match":          pipeline(d("$match", d("o.k", d("$ne", 1)))),
			"collation":                 find(d(), "collation", d("locale", "en")),
			"let":                       find(d(), "let", d("a", 1)),
			"noCursorTimeout":           find(d(), "noCursorTimeout", true),
			"min":                       find(d(), "min", d("a", 1)),
			"max":                       find(d(), "max", d("a", 1)),
			"natural order":             find(d(), "sort", d("$natural", 1)),
			"field in a projection":     find(d(), "projection", d("r", "$a")),
			"sum in a projection":       find(d(), "projection", d("r", d("$add", bson.A{"$a", 1}))),
			"array in a projection":     find(d(), "projection", d("r", bson.A{"$a"})),
			"$slice in a projection":    find(d(), "projection", d("t", d("$slice", 1))),
			"positional projection":     find(d("t", 1), "projection", d("t.$", 1)),
			"sort of findAndModify":     d("findAndModify", "c", "query", d(), "update", d("$set", d("z", 1)), "sort", d("o.k", 1)),
			"fields of findAndModify":   d("findAndModify", "c", "query", d(), "update", d("$set", d("z", 1)), "fields", d("a", 1)),
			"collation of an update":    update(d("$set", d("a", 2)), "collation", d("locale", "en")),
			"update by a pipeline":      update(bson.A{d("$set", d("a", 2))}),
			"arrayFilters":              update(d("$set", d("a", 2)), "arrayFilters", bson.A{d("e", 1)}),
			"positional $":              update(d("$set", d("t.$", 2))),
			"positional $[]":            update(d("$inc", d("t.$[]", 2))),
			"$push, $slice":             update(d("$push", d("t", d("$each", bson.A{1}, "$slice", 2)))),
			"$push, $sort":              update(d("$push", d("t", d("$each", bson.A{1}, "$sort", 1)))),
			"$push, $position":          update(d("$push", d("t", d("$each", bson.A{1}, "$position", 0)))),
			"$push of an array":         update(d("$push", d("t", bson.A{1}))),
			"$pull by condition":        update(d("$pull", d("t", d("$gt", 1)))),
			"$pull of documents":        update(d("$pull", d("o", d("k", 1)))),
			"$pull by pattern":          update(d("$pull", d("t", primitive.Regex{Pattern: "a"}))),
			"$bit, two operations":      update(d("$bit", d("a", d("and", 1, "or", 2)))),
			"$rename of an element":     update(d("$rename", d("o.0.k", "z"))),
			"$rename to an element":     update(d("$rename", d("a", "t.0"))),
			"$unset in an array":        update(d("$unset", d("t.0", 1))),
			"$set of dotted names":      update(d("$set", d("n", d("a.b", 1)))),
			"$set of dollar names":      update(d("$set", d("n", bson.A{d("$a", 1)}))),
			"replacement, dotted names": update(d("n", d("a.b", 1))),
			"upsert by $and":            upsert(d("$and", bson.A{d("zz", 1)})),
			"upsert by $or":             upsert(d("$or", bson.A{d("zz", 1)})),
			"upsert by $all":            upsert(d("zz", d("$all", bson.A{1}))),

			"collation of a pipeline":    append(pipeline(), d("collation", d("locale", "en"))...),
			"let of a pipeline":          append(pipeline(), d("let", d("a", 1))...),
			"explain of a pipeline":      append(pipeline(), d("explain", true)...),
			"field as it is":             pipeline(d("$project", d("r", "$a"))),
			"document in $project":       pipeline(d("$project", d("n", d("x", 1)))),
			"field in $addFields":        pipeline(d("$addFields", d("r", "$a"))),
			"dot in $set":                pipeline(d("$set", d("n.z", 1))),
			"document in $set":           pipeline(d("$set", d("n", d("z", 1)))),
			"$unwind":                    pipeline(d("$unwind", "$t")),
			"$group, two accumulators":   pipeline(d("$group", d("_id", "$g", "n", d("$sum", 1), "m", d("$sum", "$a")))),
			"$group by an array":         pipeline(d("$group", d("_id", d("k", bson.A{"$g"}), "n", d("$sum", 1)))),
			"$group, computed":           pipeline(d("$group", d("_id", "$g", "n", d("$sum", d("$multiply", bson.A{"$a", 2}))))),
			"$group, variable":           pipeline(d("$group", d("_id", "$g", "n", d("$sum", "$$ROOT.a")))),
			"$sort with a dot":           pipeline(d("$sort", d("o.k", -1))),
			"nested too deep":            insert(deep(200)),
			"decimal128":                 insert(decimal),
			"minimum key":                insert(primitive.MinKey{}),
			"maximum key":                find(d("a", d("$lt", primitive.MaxKey{}))),
			"code":                       insert(primitive.JavaScript("x")),
			"code with scope":            insert(primitive.CodeWithScope{Code: "x", Scope: d()}),
			"symbol":                     insert(primitive.Symbol("x")),
			"undefined":                  insert(primitive.Undefined{}),
			"database pointer":           insert(primitive.DBPointer{DB: "x"}),
			"NaN":                        insert(math.NaN()),
			"NaN in an update":           update(d("$set", d("a", math.NaN()))),
			"infinity":                   insert(math.Inf(1)),
			"infinity in an update":      update(d("$max", d("a", math.Inf(-1)))),
			"array in an array":          insert(bson.A{bson.A{1}}),
			"string that is not UTF-8":   insert("a\xff"),
			"name with a quotation mark": insert(d(`a"b`, 1)),
			"name with a backslash":      insert(d(`a\b`, 1)),
			"name with a control":        insert(d("a\x01b", 1)),
			"name with a dollar sign":    insert(d("$a", 1)),
			"name with a dot":            insert(d("a.b", 1)),
			"name set with a quotation":  update(d("$set", d(`a"b`, 1))),
			"TTL index":                  index(d("e", 1), "expireAfterSeconds", 1),
			"partial index":              index(d("e", 1), "partialFilterExpression", d("e", 1)),
			"index with collation":       index(d("e", 1), "collation", d("locale", "en")),
			"hidden index":               index(d("e", 1), "hidden", true),
			"geographic index":           index(d("e", "2dsphere")),
			"text index":                 index(d("e", "text")),
			"hashed index":               index(d("e", "hashed")),
			"wildcard index":             index(d("$**", 1)),
			"capped collection":          d("create", "new", "capped", true, "size", 1000),
			"view":                       d("create", "new", "viewOn", "c", "pipeline", bson.A{}),
			"validator":                  d("create", "new", "validator", d("a", 1)),
			"time series":                d("create", "new", "timeseries", d("timeField", "t")),
			"collMod":                    d("collMod", "c"),
			"rename over another":        d("renameCollection", "test.c", "to", "test.u", "dropTarget", true),
		},
	}
	for _, stage := range []string{
		"$bucket", "$bucketAuto", "$densify", "$documents", "$facet", "$fill", "$geoNear", "$graphLookup", "$indexStats", "$lookup",
		"$merge", "$out", "$redact", "$replaceRoot", "$replaceWith", "$sample", "$setWindowFields", "$sortByCount", "$unionWith",
	} {
		rows[notImplemented]["stage "+stage] = pipeline(d(stage, d()))
	}
	for _, accumulator := range []string{"$addToSet", "$avg", "$first", "$last", "$max", "$mergeObjects", "$min", "$push", "$stdDevPop", "$top"} {
		rows[notImplemented]["accumulator "+accumulator] = group(accumulator)
	}
	return rows
}

// deep returns n documents one in another.
func deep(n int) any {
	var v any = 1
	for range n {
		v = d("x", v)
	}
	return v
}

func TestWhatIsMissingIsRefused(t *testing.T) {
	t.Parallel()
	db := collection(t).Database()
	c := db.Collection("c")
	insert(t, c, d("_id", 1, "a", 1, "g", "p", "t", bson.A{1, 2, 3}, "o", bson.A{d("k", 1), d("k", 2)}, "n", d("x", 5)))
	insert(t, db.Collection("u"), d("_id", 1))
	var before bson.M
	if err := c.FindOne(t.Context(), d()).Decode(&before); err != nil {
		t.Fatal(err)
	}
	for code, commands := range limits() {
		for name, command := range commands {
			if err := db.RunCommand(t.Context(), command).Err(); codeOf(err) != code {
				t.Errorf("%s: %v, want code %d", name, err, code)
			} else if strings.Contains(err.Error(), ".go:") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	var after []bson.M
	cursor, err := c.Find(t.Context(), d())
	if err == nil {
		err = cursor.All(t.Context(), &after)
	}
	if err != nil || len(after) != 1 || fmt.Sprint(after[0]) != fmt.Sprint(before) {
		t.Errorf("the collection has become %v, %v", after, err)
	}
}

func TestFieldTwiceInBodyAndSequence(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	message := request(t, 0, d("insert", "c", "documents", bson.A{d("_id", 1)}, "$db", "test"))
	doc, _ := bson.Marshal(d("_id", 2))
	section := append([]byte("documents\x00"), doc...)
	message = append(message, 1)
	message = binary.LittleEndian.AppendUint32(message, uint32(4+len(section)))
	message = append(message, section...)
	binary.LittleEndian.PutUint32(message, uint32(len(message)))
	conn := dial(t, s)
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	if b, _ := io.ReadAll(conn); len(b) > 0 {
		t.Errorf("an answer: %q", b)
	}
	if n := count(t, connect(t, s).Database("test").Collection("c"), d()); n != 0 {
		t.Errorf("%d documents", n)
	}
}

func TestNamesDoNotReachSQL(t *testing.T) {
	t.Parallel()
	db := collection(t).Database()
	insert(t, db.Collection("c"), d("_id", 1))
	evil := `x" (a); DROP TABLE _ferretdb_collections; --`
	for name, command := range map[string]bson.D{
		"collection":     d("insert", evil, "documents", bson.A{d("_id", 1)}),
		"created":        d("create", evil),
		"updated":        d("update", evil, "updates", bson.A{d("q", d(), "u", d("$set", d("a", 1)), "upsert", true)}),
		"renamed":        d("renameCollection", "test.c", "to", "test."+evil),
		"index":          d("createIndexes", "c", "indexes", bson.A{d("key", d("a", 1), "name", evil)}),
		"indexed field":  d("createIndexes", "c", "indexes", bson.A{d("key", d(evil, 1), "name", "i")}),
		"indexed in new": d("createIndexes", evil, "indexes", bson.A{d("key", d("a", 1), "name", "i")}),
	} {
		if err := db.RunCommand(t.Context(), command).Err(); codeOf(err) != 238 {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := db.Client().Database(`test" evil`).RunCommand(t.Context(), d("insert", "c", "documents", bson.A{d("_id", 1)})).Err()
	if codeOf(err) != 73 {
		t.Errorf("database: %v", err)
	}
	insert(t, db.Collection("other"), d("_id", 1))
	if n := count(t, db.Collection("c"), d()); n != 1 {
		t.Errorf("%d documents", n)
	}
}
