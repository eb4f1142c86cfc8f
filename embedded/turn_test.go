package embedded_test

import (
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// slowFilter takes the engine some ten milliseconds a document.
func slowFilter() bson.D {
	conditions := make(bson.A, 100)
	for i := range conditions {
		conditions[i] = d("t", d("$regex", fmt.Sprintf("(x?){200}y%d", i)))
	}
	return d("$nor", conditions)
}

func TestSlowFiltersStopNobodyElse(t *testing.T) {
	t.Parallel()
	c := collection(t)
	docs := make([]any, 3_000)
	for i := range docs {
		docs[i] = d("t", "some words", "n", i)
	}
	insert(t, c, docs...)
	set := d("$set", d("done", 1))
	for name, command := range map[string]bson.D{
		"update":        d("update", c.Name(), "updates", bson.A{d("q", slowFilter(), "u", set, "multi", true)}),
		"delete":        d("delete", c.Name(), "deletes", bson.A{d("q", slowFilter(), "limit", 0)}),
		"findAndModify": d("findAndModify", c.Name(), "query", d("$and", bson.A{slowFilter(), d("n", -1)}), "update", set),
	} {
		begin := time.Now()
		err := c.Database().RunCommand(t.Context(), append(command, d("maxTimeMS", 100)...)).Err()
		if took := time.Since(begin); codeOf(err) != 50 || took > 5*time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
	newest := d("findAndModify", c.Name(), "query", d(), "sort", d("n", -1), "update", set, "maxTimeMS", 5)
	if err := c.Database().RunCommand(t.Context(), newest).Err(); codeOf(err) != 50 { // ended by the engine
		t.Errorf("sorting findAndModify: %v", err)
	}
	if n := count(t, c, d("done", d("$exists", false))); n != int64(len(docs)) {
		t.Errorf("%d documents are as they were", n)
	}
}
