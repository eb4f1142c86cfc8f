package embedded_test

import (
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// sizes are those at which a look-up by _id must cost much the same.
var sizes = []int{1_000, 100_000}

// fill puts n documents with the _ids "0" to n-1 into a collection.
func fill(b *testing.B, c *mongo.Collection, n int) {
	b.Helper()
	const batch = 10_000
	for from := 0; from < n; from += batch {
		docs := make([]any, 0, batch)
		for i := from; i < min(n, from+batch); i++ {
			docs = append(docs, bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "_version", Value: 1}, {Key: "n", Value: 0}, {Key: "text", Value: "some words to fill a line with"}})
		}
		if _, err := c.InsertMany(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFindByID(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := collection(b)
			fill(b, c, n)
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				if err := c.FindOne(b.Context(), bson.D{{Key: "_id", Value: fmt.Sprint(i)}}).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpdateByID(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := collection(b)
			fill(b, c, n)
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				r, err := c.UpdateByID(b.Context(), fmt.Sprint(i), bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
				if err != nil || r.MatchedCount != 1 {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// BenchmarkUpdateByIDAndVersion is what an update costs that wants the document to be as it was read.
func BenchmarkUpdateByIDAndVersion(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := collection(b)
			fill(b, c, n)
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				filter := bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "_version", Value: 1}}
				r, err := c.UpdateOne(b.Context(), filter, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
				if err != nil || r.MatchedCount != 1 {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// BenchmarkUpdateOfAnotherVersion is what it costs to find out that the document is no longer as it was read.
func BenchmarkUpdateOfAnotherVersion(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := collection(b)
			fill(b, c, n)
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				filter := bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "_version", Value: 2}}
				r, err := c.UpdateOne(b.Context(), filter, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
				if err != nil || r.MatchedCount != 0 {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// BenchmarkFindByIDAndOwner is what it costs to find a document only if it belongs to somebody.
func BenchmarkFindByIDAndOwner(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := collection(b)
			fill(b, c, n)
			i := 0
			for b.Loop() {
				i = (i + 7919) % n
				if err := c.FindOne(b.Context(), bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "n", Value: 0}}).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
