package mongoquery_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

// oneKilobyte is a filter of 1 KB of BSON, of the kind that a search page sends.
func oneKilobyte(tb testing.TB) bson.Raw {
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
