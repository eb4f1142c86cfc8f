package storage_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

func TestPatchMany(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, query, body, answer string
		changed                   []any
	}{
		{"by the body", "", `{"document": {"new": 1}, "query": {"n": {"$lt": 2}}}`, `{"matched":2,"modified":2}`, []any{"d00", "d01"}},
		{"by the URL", query("query", `{"n": 2}`), `{"document": {"$set": {"new": 1}}}`, `{"matched":1,"modified":1}`, []any{"d02"}},
		{"all, in so many words", "", `{"document": {"new": 1}, "query": {}}`, `{"matched":4,"modified":4}`, []any{"d00", "d01", "d02", "d03"}},
		{"none", "", `{"document": {"new": 1}, "query": {"n": 9}}`, `{"matched":0,"modified":0}`, []any{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.fill("things", 4)
			tag := g.do(http.MethodGet, "/things/d00", "").header.Get("ETag")
			if a := g.do(http.MethodPatch, "/things"+row.query, row.body).want(http.StatusOK); a.body != row.answer {
				t.Errorf("answer %s, want %s", a.body, row.answer)
			}
			got := g.do(http.MethodGet, "/things"+query("query", `{"new": 1, "_patched": {"$exists": true}}`), "").column("_id")
			if diff := cmp.Diff(row.changed, got); diff != "" {
				t.Error(diff)
			}
			isChanged := len(row.changed) > 0 && row.changed[0] == "d00"
			if now := g.do(http.MethodGet, "/things/d00", "").header.Get("ETag"); (now != tag) != isChanged {
				t.Errorf("the ETag of d00 went from %s to %s", tag, now)
			}
		})
	}
}

func TestPatchManyRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 2)
	for _, row := range []struct {
		name, query, body string
		code, text        string
	}{
		{"no query", "", `{"document": {"a": 1}}`, "invalid", "query"},
		{"no document", "?query={}", `{}`, "invalid", "document"},
		{"a query twice", "?query={}", `{"document": {"a": 1}, "query": {}}`, "invalid", "query"},
		{"a query that is null", "", `{"document": {"a": 1}, "query": null}`, "invalid", "query"},
		{"a query that is an array", "", `{"document": {"a": 1}, "query": []}`, "invalid", "query"},
		{"an operator", "", `{"document": {"a": 1}, "query": {"$where": "1"}}`, "operator_not_allowed", "query.$where"},
		{"a reserved field", "", `{"document": {"$rename": {"a": "_b"}}, "query": {}}`, "field_reserved", "document.$rename.a._b"},
		{"an empty document", "", `{"document": {}, "query": {}}`, "invalid", "document"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g.on(t).do(http.MethodPatch, "/things"+row.query, row.body).refused(http.StatusBadRequest, row.code, row.text)
		})
	}
	g.do(http.MethodPatch, "/things", `{"document": {"a": 1}, "query": {}}`, "If-Match", "*").refused(http.StatusBadRequest, "invalid", "If-Match")
	if _, ok := g.stored("things", "d00")["_patched"].(primitive.DateTime); ok {
		t.Error("something was patched")
	}
}

func TestDeleteMany(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, query, body, answer string
		left                      []any
	}{
		{"by the body", "", `{"query": {"n": {"$lt": 2}}}`, `{"deleted":2}`, []any{"d02", "d03"}},
		{"by the URL", query("query", `{"n": 2}`), "", `{"deleted":1}`, []any{"d00", "d01", "d03"}},
		{"all, in so many words", "?query={}", "", `{"deleted":4}`, []any{}},
		{"none", query("query", `{"n": 9}`), "", `{"deleted":0}`, []any{"d00", "d01", "d02", "d03"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.fill("things", 4)
			if a := g.do(http.MethodDelete, "/things"+row.query, row.body).want(http.StatusOK); a.body != row.answer {
				t.Errorf("answer %s, want %s", a.body, row.answer)
			}
			if diff := cmp.Diff(row.left, g.do(http.MethodGet, "/things", "").column("_id")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeleteManyRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 2)
	g.do(http.MethodDelete, "/things", "").refused(http.StatusBadRequest, "invalid", "query")
	g.do(http.MethodDelete, "/things", `{}`).refused(http.StatusBadRequest, "invalid", "query")
	g.do(http.MethodDelete, "/things?query={}", `{"query": {}}`).refused(http.StatusBadRequest, "invalid", "query")
	g.do(http.MethodDelete, "/things", `{"query": {"a": {"$gt": {"$where": 1}}}}`).refused(http.StatusBadRequest, "operator_not_allowed", "query.a.$gt.$where")
	g.do(http.MethodDelete, "/things?query={}", "", "If-Match", `"1"`).refused(http.StatusBadRequest, "invalid", "If-Match")
	if n := len(g.do(http.MethodGet, "/things", "").docs()); n != 2 {
		t.Errorf("%d documents left of 2", n)
	}
}
