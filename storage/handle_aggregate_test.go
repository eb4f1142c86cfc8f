package storage_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
)

func TestAggregate(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 5)
	for _, row := range []struct{ name, pipeline, want string }{
		{"a sum", `[{"$match": {"n": {"$gt": 0}}}, {"$group": {"_id": null, "sum": {"$sum": "$n"}}}]`, `[{"_id":null,"sum":10}]`},
		{"a count", `[{"$count": "many"}]`, `[{"many":5}]`},
		{"nothing", `[{"$match": {"n": 9}}]`, `[]`},
		{"stages", `[{"$sort": {"n": -1}}, {"$skip": 1}, {"$limit": 2}, {"$project": {"n": 1}}]`, `[{"_id":"d03","n":3},{"_id":"d02","n":2}]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := g.on(t).do(http.MethodPost, "/things/aggregate", `{"pipeline": `+row.pipeline+`}`).want(http.StatusOK)
			if diff := cmp.Diff(row.want, a.body); diff != "" {
				t.Error(diff)
			}
		})
	}
	if n := len(g.do(http.MethodPost, "/things/aggregate/", `{"pipeline": []}`).docs()); n != 5 {
		t.Errorf("an empty pipeline gave %d documents of 5", n)
	}
}

func TestAggregateIsBounded(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	docs := make([]any, 1100)
	for i := range docs {
		docs[i] = bson.M{"n": i}
	}
	if _, err := g.docs.Insert(t.Context(), "things", docs...); err != nil {
		t.Fatal(err)
	}
	cut := g.do(http.MethodPost, "/things/aggregate", `{"pipeline": [{"$match": {}}]}`)
	if n := len(cut.docs()); n != 1000 || cut.header.Get("X-Truncated") != "true" {
		t.Errorf("%d documents, X-Truncated %q; want 1000 and true", n, cut.header.Get("X-Truncated"))
	}
	whole := g.do(http.MethodPost, "/things/aggregate", `{"pipeline": [{"$limit": 1000}]}`)
	if n := len(whole.docs()); n != 1000 || whole.header.Get("X-Truncated") != "" {
		t.Errorf("%d documents, X-Truncated %q; want 1000 and none", n, whole.header.Get("X-Truncated"))
	}
	lines := g.do(http.MethodPost, "/things/aggregate", `{"pipeline": [{"$match": {}}]}`, "Accept", "application/x-ndjson")
	if n := len(lines.docs()); n != 1100 {
		t.Errorf("%d lines, want 1100", n)
	}
}

func TestAggregateRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	for _, row := range []struct {
		name, body string
		code, text string
	}{
		{"no pipeline", `{}`, "invalid", "pipeline"},
		{"a pipeline that is an object", `{"pipeline": {}}`, "invalid", "pipeline"},
		{"a stage that is a string", `{"pipeline": ["$match"]}`, "invalid", "pipeline[0]"},
		{"a stage of two", `{"pipeline": [{"$match": {}, "$limit": 1}]}`, "invalid_query", "pipeline[0]"},
		{"an unknown stage", `{"pipeline": [{"$indexStats": {}}]}`, "operator_not_allowed", "pipeline[0].$indexStats"},
		{"an unknown field", `{"pipeline": [], "allowDiskUse": true}`, "invalid", "allowDiskUse"},
		{"twenty-one stages", `{"pipeline": [` + strings.TrimSuffix(strings.Repeat(`{"$limit": 1},`, 21), ",") + `]}`, "too_complex", "pipeline"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g.on(t).do(http.MethodPost, "/things/aggregate", row.body).refused(http.StatusBadRequest, row.code, row.text)
		})
	}
}

func TestAListThatIsTooLargeIs422(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	text := strings.Repeat("x", 9<<20)
	for i := range 2 {
		if _, err := g.docs.Insert(t.Context(), "things", bson.M{"_id": fmt.Sprint(i), "text": text}); err != nil {
			t.Fatal(err)
		}
	}
	g.do(http.MethodGet, "/things", "").refused(http.StatusUnprocessableEntity, "answer_too_large", "ndjson")
	g.do(http.MethodPost, "/things/aggregate", `{"pipeline": []}`).refused(http.StatusUnprocessableEntity, "answer_too_large", "")
	g.do(http.MethodGet, "/things?limit=1", "").want(http.StatusOK)
	if n := len(g.do(http.MethodGet, "/things", "", "Accept", "application/x-ndjson").docs()); n != 2 {
		t.Errorf("%d lines of 2", n)
	}
}
