package limits_test

import (
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/middleware"
)

// Other keys in the collection cost something on the embedded database alone.
func BenchmarkTake(b *testing.B) {
	plenty := middleware.Policy{Burst: 1 << 30, Window: time.Hour, MinDelay: time.Second, MaxDelay: time.Minute}
	for _, others := range []int{0, 1000, 10_000} {
		l := setup(b)
		docs := make([]any, others)
		for i := range docs {
			docs[i] = bson.D{
				{Key: "_id", Value: fmt.Sprintf("%043d", i)},
				{Key: "count", Value: int64(1)},
				{Key: "last", Value: time.Now()},
				{Key: "expires", Value: time.Now().AddDate(1, 0, 0)},
			}
		}
		if others > 0 {
			if _, err := l.coll.InsertMany(b.Context(), docs); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("first place/others=%d", others), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				l.take(b, fmt.Sprint(b.N, i), plenty)
			}
		})
		b.Run(fmt.Sprintf("further place/others=%d", others), func(b *testing.B) {
			for b.Loop() {
				l.take(b, "k", plenty)
			}
		})
		b.Run(fmt.Sprintf("refused/others=%d", others), func(b *testing.B) {
			full := middleware.Policy{Burst: 1, Window: time.Hour}
			_ = l.Take(b.Context(), "full", full)
			for b.Loop() {
				l.refuse(b, "full", full, time.Hour)
			}
		})
	}
}
