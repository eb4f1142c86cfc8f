package mongoquery_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

// oneKilobyte is a filter of 1 KB of BSON, of the kind that a search page sends.
func oneKilobyte(tb testing.TB) bson.Raw {
	tb.Helper()
	filter := bson.D{
		{Key: "$and", Value: bson.A{
			bson.D{{Key: "state", Value: bson.D{{Key: "$in", Value: bson.A{"open", "waiting", "blocked", "review"}}}}},
			bson.D{{Key: "$or", Value: bson.A{
				bson.D{{Key: "title", Value: bson.D{{Key: "$regex", Value: "^invoice"}, {Key: "$options", Value: "i"}}}},
				bson.D{{Key: "lines", Value: bson.D{{Key: "$elemMatch", Value: bson.D{{Key: "sku", Value: "A-1"}, {Key: "count", Value: bson.D{{Key: "$gt", Value: 3}}}}}}}},
			}}},
		}},
		{Key: "owner.team.name", Value: bson.D{{Key: "$ne", Value: "archive"}}},
	}
	for raw := bson.Raw(nil); ; {
		raw, _ = bson.Marshal(filter)
		if len(raw) >= 1000 {
			return raw
		}
		filter = append(filter, bson.E{Key: "field" + string(rune('a'+len(filter))), Value: bson.D{{Key: "$gte", Value: len(filter)}, {Key: "$lt", Value: "value"}}})
	}
}

func BenchmarkFilter(b *testing.B) {
	filter, rules := oneKilobyte(b), open()
	b.SetBytes(int64(len(filter)))
	b.ReportAllocs()
	for b.Loop() {
		if err := rules.Filter(filter); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPipeline(b *testing.B) {
	rules, stages := open(), docs(b, `[{"$match": {"state": {"$in": ["open", "waiting"]}}},
		{"$lookup": {"from": "orders", "localField": "_id", "foreignField": "user", "as": "orders"}},
		{"$group": {"_id": {"$year": "$at"}, "n": {"$sum": {"$size": "$orders"}}}}, {"$sort": {"n": -1}}]`)
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := rules.Pipeline(stages); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("secure", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rules.Secure(stages, mongoquery.Guard{Collection: "posts", Limit: 1000}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestWhatIsAcceptedCostsNoAllocation(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	rules := open()
	filter, update, sort := oneKilobyte(t), doc(t, `{"$set": {"a.b": {"c": [1]}}, "$push": {"d": {"$each": [1]}}}`), doc(t, `{"a": 1}`)
	stages := docs(t, `[{"$match": {"a": 1}}, {"$facet": {"x": [{"$project": {"y": {"$let": {"vars": {"z": "$a"}, "in": "$$z"}}}}]}}]`)
	for name, check := range map[string]func() error{
		"filter":   func() error { return rules.Filter(filter) },
		"sort":     func() error { return rules.Sort(sort) },
		"update":   func() error { _, err := rules.Update(update); return err },
		"pipeline": func() error { return rules.Pipeline(stages) },
	} {
		var err error
		if n := testing.AllocsPerRun(100, func() { err = check() }); n != 0 || err != nil {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
}
