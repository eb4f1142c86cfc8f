package auth

import (
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

func TestIdentitiesAreFilledInBatches(t *testing.T) {
	t.Parallel()
	coll := dbtest.Database(t).Collection(DefaultCollection)
	for _, n := range []int{0, 1, 3, 10} {
		if err := coll.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		var docs []any
		for i := range n {
			docs = append(docs, bson.M{"_id": fmt.Sprint("u", i), "_key": fmt.Sprintf("User%d@Example.com", i)})
		}
		if n > 0 {
			if _, err := coll.InsertMany(t.Context(), docs); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // the second time there is nothing to do
			if err := fillIdentities(t.Context(), coll, 3); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n {
			want := fmt.Sprintf("user%d@example.com", i)
			if err := coll.FindOne(t.Context(), bson.M{fieldID: fmt.Sprint("u", i), fieldIdentity: want}).Err(); err != nil {
				t.Errorf("%d of %d: %v", i, n, err)
			}
		}
	}
}
