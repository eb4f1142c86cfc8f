package mongoquery_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

// repeat is n copies of an item between commas.
func repeat(item string, n int) string { return strings.TrimSuffix(strings.Repeat(item+", ", n), ", ") }

// nest puts inner into n levels of a wrapping, whose place is marked by a percent sign.
func nest(wrapping string, n int, inner string) string {
	before, after, _ := strings.Cut(wrapping, "%")
	return strings.Repeat(before, n) + inner + strings.Repeat(after, n)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	rules := open()
	filter := func(json string) error { return rules.Filter(doc(t, json)) }
	pipeline := func(json string) error { return rules.Pipeline(docs(t, json)) }
	update := func(json string) error { _, err := rules.Update(doc(t, json)); return err }
	for name, row := range map[string]struct {
		check     func(string) error
		at, above string // exactly the limit, and one more
		path      string // of the refusal
	}{
		"conditions": {
			filter,
			`{"$or": [` + repeat(`{"a": 1}`, 200) + `]}`, `{"$or": [` + repeat(`{"a": 1}`, 201) + `]}`, "query.$or[200].a",
		},
		"depth by a path and a value": {
			update,
			`{"$set": {"` + strings.Repeat("a.", 97) + `a": [{"b": 1}]}}`, `{"$set": {"` + strings.Repeat("a.", 98) + `a": [{"b": 1}]}}`,
			"document.$set." + strings.Repeat("a.", 30) + "a…",
		},
		"depth by a value that is pushed": {
			update,
			`{"$push": {"` + strings.Repeat("a.", 49) + `a": ` + nest(`[%]`, 50, "1") + `}}`, `{"$push": {"` + strings.Repeat("a.", 50) + `a": ` + nest(`[%]`, 50, "1") + `}}`,
			"document.$push." + strings.Repeat("a.", 30) + "a…",
		},
		"conditions by operators": {
			filter,
			`{"$or": [` + repeat(`{"a": {"$gt": 1, "$lt": 2}}`, 100) + `]}`, `{"$or": [` + repeat(`{"a": {"$gt": 1, "$lt": 2}}`, 101) + `]}`, "query.$or[100].a.$gt",
		},
		"conditions that are empty": {
			filter,
			`{"$or": [` + repeat(`{}`, 200) + `]}`, `{"$or": [` + repeat(`{}`, 201) + `]}`, "query.$or[200]",
		},
		"conditions by expressions": {
			filter,
			`{"$expr": [` + repeat(`{"$abs": 1}`, 200) + `]}`, `{"$expr": [` + repeat(`{"$abs": 1}`, 201) + `]}`, "query.$expr[200].$abs",
		},
		"conditions by patterns": {
			filter,
			`{"a": {"$in": [` + repeat(`{"$regularExpression": {"pattern": "x", "options": ""}}`, 199) + `]}}`,
			`{"a": {"$in": [` + repeat(`{"$regularExpression": {"pattern": "x", "options": ""}}`, 200) + `]}}`, "query.a.$in[199]",
		},
		"conditions over stages": {
			pipeline,
			`[` + repeat(`{"$match": {"$or": [`+repeat(`{"a": 1}`, 20)+`]}}`, 10) + `]`,
			`[` + repeat(`{"$match": {"$or": [`+repeat(`{"a": 1}`, 20)+`]}}`, 10) + `, {"$match": {}}]`, "pipeline[10].$match",
		},
		"operators": {
			pipeline,
			`[{"$project": {"a": [` + repeat(`{"$abs": 1}`, 1000) + `]}}]`, `[{"$project": {"a": [` + repeat(`{"$abs": 1}`, 1001) + `]}}]`, "pipeline[0].$project.a[1000].$abs",
		},
		"in": {
			filter,
			`{"a": {"$in": [` + repeat("1", 1000) + `]}}`, `{"a": {"$in": [` + repeat("1", 1001) + `]}}`, "query.a.$in",
		},
		"nin": {
			filter,
			`{"a": {"$nin": [` + repeat("1", 1000) + `]}}`, `{"a": {"$nin": [` + repeat("1", 1001) + `]}}`, "query.a.$nin",
		},
		"all": {
			filter,
			`{"a": {"$all": [` + repeat("1", 1000) + `]}}`, `{"a": {"$all": [` + repeat("1", 1001) + `]}}`, "query.a.$all",
		},
		"types": {
			filter,
			`{"a": {"$type": [` + repeat("1", 1000) + `]}}`, `{"a": {"$type": [` + repeat("1", 1001) + `]}}`, "query.a.$type",
		},
		"coordinates": {
			filter,
			`{"a": {"$geoWithin": {"$polygon": [` + repeat("[1, 2]", 1000) + `]}}}`, `{"a": {"$geoWithin": {"$polygon": [` + repeat("[1, 2]", 1001) + `]}}}`, "query.a.$geoWithin.$polygon",
		},
		"depth of filters": {
			filter,
			nest(`{"$and": [%]}`, 4, `{"a": {}}`), nest(`{"$and": [%]}`, 4, `{"a": {"$in": []}}`), "query" + strings.Repeat(".$and[0]", 4) + ".a.$in",
		},
		"pattern": {
			filter,
			`{"a": {"$regex": "` + strings.Repeat("é", 256) + `"}}`, `{"a": {"$regex": "` + strings.Repeat("é", 257) + `"}}`, "query.a.$regex",
		},
		"pattern of a leaf": {
			filter,
			`{"a": {"$regularExpression": {"pattern": "` + strings.Repeat("x", 256) + `", "options": ""}}}`,
			`{"a": {"$regularExpression": {"pattern": "` + strings.Repeat("x", 257) + `", "options": ""}}}`, "query.a",
		},
		"pattern of an expression": {
			pipeline,
			`[{"$project": {"a": {"$regexMatch": {"input": "$a", "regex": "` + strings.Repeat("x", 256) + `"}}}}]`,
			`[{"$project": {"a": {"$regexMatch": {"input": "$a", "regex": "` + strings.Repeat("x", 257) + `"}}}}]`, "pipeline[0].$project.a.$regexMatch.regex",
		},
		"search": {
			filter,
			`{"$text": {"$search": "` + strings.Repeat("é", 1024) + `"}}`, `{"$text": {"$search": "` + strings.Repeat("é", 1025) + `"}}`, "query.$text.$search",
		},
		"order of elements": {
			update,
			`{"$push": {"a": {"$each": [], "$sort": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1}}}}`,
			`{"$push": {"a": {"$each": [], "$sort": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1}}}}`, "document.$push.a.$sort",
		},
		"segments": {
			filter,
			`{"` + strings.Repeat("a.", 99) + `a": 1}`, `{"$or": [{"` + strings.Repeat("a.", 100) + `a": 1}]}`, "query.$or[0]." + strings.Repeat("a.", 30) + "a…",
		},
		"stages": {
			pipeline,
			`[` + repeat(`{"$limit": 1}`, 20) + `]`, `[` + repeat(`{"$limit": 1}`, 21) + `]`, "pipeline[20]",
		},
		"stages, nested": {
			pipeline,
			`[{"$facet": {"a": [` + repeat(`{"$limit": 1}`, 19) + `]}}]`, `[{"$facet": {"a": [` + repeat(`{"$limit": 1}`, 20) + `]}}]`, "pipeline[0].$facet.a[19]",
		},
		"depth of conditions in a match": {
			pipeline,
			`[{"$match": ` + nest(`{"$and": [%]}`, 4, `{"a": 1}`) + `}]`, `[{"$match": ` + nest(`{"$and": [%]}`, 5, `{"a": 1}`) + `}]`, "pipeline[0].$match" + strings.Repeat(".$and[0]", 5),
		},
		"depth of pipelines": {
			pipeline,
			`[{"$project": {"a": ` + nest(`[%]`, 17, `1`) + `}}]`, `[{"$project": {"a": ` + nest(`[%]`, 18, `1`) + `}}]`, "pipeline[0].$project.a" + strings.Repeat("[0]", 17),
		},
		"depth of documents": {
			func(json string) error { return rules.Document(doc(t, json)) },
			nest(`{"a": %}`, 100, `1`), nest(`{"a": %}`, 101, `1`), "document" + strings.Repeat(".a", 100),
		},
		"depth of updates": {
			update,
			`{"$set": ` + nest(`{"a": %}`, 99, `1`) + `}`, `{"$set": ` + nest(`{"a": %}`, 100, `1`) + `}`, "document.$set" + strings.Repeat(".a", 99),
		},
		"depth of what is pulled": {
			update,
			`{"$pull": {"a": ` + nest(`{"b": %}`, 10, `1`) + `}}`, `{"$pull": {"a": ` + nest(`{"b": %}`, 11, `1`) + `}}`, "document.$pull.a" + strings.Repeat(".b", 10),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, row.check(row.at), want{})
			expect(t, row.check(row.above), want{row.path, mongoquery.CodeTooComplex})
		})
	}
}

func TestNestingIsRefusedBeforeItCanHurt(t *testing.T) {
	t.Parallel()
	const levels, perLevel = 10_000, 19 // a length, a type, "$and", a length, a type, "0", two zeros
	var deep bson.Raw
	for left := levels; left > 0; left-- {
		size := uint32(left*perLevel + 5)
		deep = append(binary.LittleEndian.AppendUint32(deep, size), "\x04$and\x00"...)
		deep = append(binary.LittleEndian.AppendUint32(deep, size-11), "\x030\x00"...)
	}
	deep = append(deep, 5, 0, 0, 0, 0)
	deep = append(deep, make([]byte, 2*levels)...)
	if err := deep.Validate(); err != nil {
		t.Fatal(err)
	}
	rules := open()
	_, update := rules.Update(deep)
	for name, err := range map[string]error{
		"filter": rules.Filter(deep), "keys": rules.Projection(deep), "sort": rules.Sort(deep), "update": update,
		"document": rules.Document(deep), "pipeline": rules.Pipeline([]bson.Raw{deep}),
	} {
		var refusal *mongoquery.Error
		if !errors.As(err, &refusal) || refusal.Code != mongoquery.CodeTooComplex || len(refusal.Path) > 512 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNamesInErrorsAreBoundedAndPrintable(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ key, path string }{
		"long":              {"$" + strings.Repeat("x", 10_000), "query.$" + strings.Repeat("x", 60) + "…"},
		"control":           {"$a\r\nSet-Cookie: b\x1b[31m\x7f", "query.$a\uFFFD\uFFFDSet-Cookie: b\uFFFD[31m\uFFFD"},
		"bidi":              {"$a\u202Eb\u200Bc", "query.$a\uFFFDb\uFFFDc"},
		"cut inside a rune": {"$x" + strings.Repeat("é", 100), "query.$x" + strings.Repeat("é", 29) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := open().Filter(raw(t, bson.D{{Key: row.key, Value: "secret"}}))
			expect(t, err, want{row.path, mongoquery.CodeOperator})
			if !utf8.ValidString(err.Error()) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestNamesInErrorsAreUTF8(t *testing.T) {
	t.Parallel()
	err := open().Filter(raw(t, bson.D{{Key: "$a\xff", Value: 1}}))
	expect(t, err, want{"query.$a\uFFFD", mongoquery.CodeInvalid})
}
