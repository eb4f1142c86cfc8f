package extjson_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// sample is a document of a common shape: about 250 bytes of BSON and of JSON.
func sample() bson.D {
	return bson.D{
		{Key: "_id", Value: primitive.ObjectID{1, 2, 3}},
		{Key: "_inserted", Value: primitive.NewDateTimeFromTime(time.Date(2024, 5, 6, 7, 8, 9, 10e6, time.UTC))},
		{Key: "title", Value: "A walk along the river"},
		{Key: "author", Value: bson.D{{Key: "name", Value: "Zoë"}, {Key: "age", Value: int32(41)}}},
		{Key: "tags", Value: bson.A{"water", "walk", "spring"}},
		{Key: "price", Value: 12.5},
		{Key: "views", Value: int64(1) << 40},
		{Key: "public", Value: true},
		{Key: "parent", Value: nil},
	}
}

func BenchmarkParse(b *testing.B) {
	small := []byte(`{"_id": {"$oid": "0123456789abcdef01234567"}, "name": "Zoë", "age": 41, "tags": ["water", "walk"], ` +
		`"at": {"$date": "2024-05-06T07:08:09Z"}, "price": 12.5, "public": true, "note": "a walk along the river"}`)
	large := fmt.Appendf(nil, `{"list": [%s]}`, strings.TrimSuffix(strings.Repeat(string(small)+",", 5), ","))
	for _, text := range [][]byte{small, large} {
		b.Run(fmt.Sprintf("coglex/%dB", len(text)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := extjson.Parse(text, extjson.MaxDepth); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("driver_D/%dB", len(text)), func(b *testing.B) { benchmarkDriver[bson.D](b, text) })
		b.Run(fmt.Sprintf("driver_Raw/%dB", len(text)), func(b *testing.B) { benchmarkDriver[bson.Raw](b, text) })
	}
}

func benchmarkDriver[T any](b *testing.B, text []byte) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		var doc T
		if err := bson.UnmarshalExtJSON(text, false, &doc); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList writes 1000 documents, as a list does.
func BenchmarkList(b *testing.B) {
	doc := marshal(b, sample())
	b.Run("coglex", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst = dst[:0]
			for range 1000 {
				var err error
				if dst, err = extjson.AppendRelaxed(dst, doc, "_password", "_sessions"); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("driver_Raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range 1000 {
				if _, err := bson.MarshalExtJSON(doc, false, false); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("driver_M", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range 1000 {
				var m bson.M
				if err := bson.Unmarshal(doc, &m); err != nil {
					b.Fatal(err)
				}
				if _, err := bson.MarshalExtJSON(m, false, false); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
