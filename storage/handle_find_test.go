package storage_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
)

// fill inserts documents n = 0 … count-1, with the ids d00, d01 …
func (g *gateway) fill(collection string, count int) {
	g.Helper()
	docs := make([]any, count)
	for i := range docs {
		docs[i] = bson.M{"_id": fmt.Sprintf("d%02d", i), "n": i, "even": i%2 == 0, "tags": bson.A{"a", fmt.Sprint("t", i)}}
	}
	if _, err := g.docs.Insert(g.Context(), collection, docs...); err != nil {
		g.Fatal(err)
	}
}

// query escapes parameters, given as name, value pairs.
func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return "?" + v.Encode()
}

// docs returns the documents of an array or of lines.
func (a answer) docs() []map[string]any {
	a.Helper()
	text := a.want(http.StatusOK).body
	if a.header.Get("Content-Type") == "application/x-ndjson" {
		text = "[" + strings.ReplaceAll(text, "\n", ",") + "]"
	}
	var docs []map[string]any
	if err := json.Unmarshal([]byte(text), &docs); err != nil {
		a.Fatalf("%v in %s", err, text)
	}
	return docs
}

// column returns one field of all documents.
func (a answer) column(name string) []any {
	a.Helper()
	out := []any{}
	for _, doc := range a.docs() {
		out = append(out, doc[name])
	}
	return out
}

func TestFindSelects(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 5)
	for _, row := range []struct {
		name, query string
		want        []any
	}{
		{"everything, as it was inserted", "", []any{"d00", "d01", "d02", "d03", "d04"}},
		{"what matches", query("query", `{"n": {"$gte": 3}}`), []any{"d03", "d04"}},
		{"nothing as an empty array", query("query", `{"n": 9}`), []any{}},
		{"in the order asked for", query("sort", `{"even": -1, "n": -1}`), []any{"d04", "d02", "d00", "d03", "d01"}},
		{"ties by id", query("sort", `{"even": 1}`), []any{"d01", "d03", "d00", "d02", "d04"}},
		{"by id downwards", query("sort", `{"_id": -1}`, "limit", "2"), []any{"d04", "d03"}},
		{"a part", query("skip", "1", "limit", "2"), []any{"d01", "d02"}},
		{"nothing beyond the end", query("skip", "9"), []any{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := g.on(t).do(http.MethodGet, "/things"+row.query, "").column("_id")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindOfAnUnknownCollectionIsEmpty(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, path := range []string{"/nowhere", "/nowhere/"} {
		if got := g.do(http.MethodGet, path, "").want(http.StatusOK).body; got != "[]" {
			t.Errorf("%s: %s, want []", path, got)
		}
	}
}

func TestFindProjects(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	for _, row := range []struct{ keys, want string }{
		{`{"n": 1}`, `[{"_id":"d00","n":0}]`},
		{`{"n": true, "_id": false}`, `[{"n":0}]`},
		{`["n", "even"]`, `[{"_id":"d00","n":0,"even":true}]`},
		{`{"tags": 0, "_inserted": 0, "_version": 0}`, `[{"_id":"d00","n":0,"even":true}]`},
	} {
		t.Run(row.keys, func(t *testing.T) {
			t.Parallel()
			a := g.on(t).do(http.MethodGet, "/things"+query("keys", row.keys), "").want(http.StatusOK)
			var got, want any
			if json.Unmarshal([]byte(a.body), &got) != nil || json.Unmarshal([]byte(row.want), &want) != nil {
				t.Fatal(a.body)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindRefusesAWrongQuery(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, row := range []struct{ name, query, code, text string }{
		{"an unknown parameter", "?filter={}", "invalid", "filter"},
		{"a repeated parameter", "?limit=1&limit=2", "invalid", "limit"},
		{"an empty parameter", "?query=", "invalid", "query"},
		{"limit zero", "?limit=0", "invalid", "limit"},
		{"limit beyond the bound", "?limit=1001", "invalid", "limit"},
		{"a limit that is no number", "?limit=ten", "invalid", "limit"},
		{"a negative skip", "?skip=-1", "invalid", "skip"},
		{"a skip beyond the bound", "?skip=99999999999", "invalid", "skip"},
		{"a count that is no boolean", "?count=1", "invalid", "count"},
		{"malformed JSON", query("query", `{"a": `), "invalid", "query"},
		{"trailing data", query("query", `{} {}`), "invalid", "query"},
		{"a query that is an array", query("query", `[]`), "invalid", "query"},
		{"a duplicate key", query("query", `{"a": 1, "a": 2}`), "invalid", "query.a"},
		{"keys that are a string", query("keys", `"a"`), "invalid", "keys"},
		{"keys that are malformed", query("keys", `{"a": `), "invalid", "keys"},
		{"keys with a duplicate", query("keys", `{"a": 1, "a": 1}`), "invalid", "keys.a"},
		{"keys that nest too deep", query("keys", nested(12)), "too_complex", "keys"},
		{"keys that break out", query("keys", `["a"], "x": 1`), "invalid", "keys"},
		{"keys with an expression", query("keys", `{"a": "$_password"}`), "invalid_query", "keys.a"},
		{"an array of no names", query("keys", `[1]`), "invalid", "keys"},
		{"an array of null", query("keys", `["a", null]`), "invalid_query", "keys"},
		{"an array that is malformed", query("keys", `["a"`), "invalid", "keys"},
		{"a sort by something else", query("sort", `{"a": 2}`), "invalid_query", "sort.a"},
		{"nine sort keys", query("sort", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}`), "too_complex", "sort"},
		{"an unknown operator", query("query", `{"a": {"$where": "1"}}`), "operator_not_allowed", "query.a.$where"},
		{"text search, which is off", query("query", `{"$text": {"$search": "a"}}`), "operator_not_allowed", "query.$text"},
		{"geo search, which is off", query("query", `{"a": {"$near": [1, 2]}}`), "operator_not_allowed", "query.a.$near"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g.on(t).do(http.MethodGet, "/things"+row.query, "").refused(http.StatusBadRequest, row.code, row.text)
		})
	}
}

func TestFindCounts(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 5)
	a := g.do(http.MethodGet, "/things"+query("count", "true", "limit", "2", "query", `{"even": true}`), "").want(http.StatusOK)
	if got := a.header.Get("X-Total-Count"); got != "3" {
		t.Errorf("X-Total-Count %q, want 3", got)
	}
	if got := g.do(http.MethodGet, "/things?count=false", "").header.Get("X-Total-Count"); got != "" {
		t.Errorf("X-Total-Count %q without count", got)
	}
}

func TestFindPagesByLink(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 7)
	path := "/things"
	next := query("limit", "2", "query", `{"n": {"$gt": 0}}`, "sort", `{"even":1}`)
	link := regexp.MustCompile(`^<(\?[^>]+)>; rel="next"$`)
	var seen []any
	for pages := 0; next != ""; pages++ {
		if pages > 5 {
			t.Fatal("the pages do not end")
		}
		a := g.do(http.MethodGet, path+next, "")
		seen = append(seen, a.column("_id")...)
		header := a.header.Get("Link")
		if next = ""; header != "" {
			m := link.FindStringSubmatch(header)
			if m == nil {
				t.Fatalf("Link %q", header)
			}
			next = m[1]
		}
	}
	if diff := cmp.Diff([]any{"d01", "d03", "d05", "d02", "d04", "d06"}, seen); diff != "" {
		t.Error(diff)
	}
}

// A page without an order of its own is one of a whole all the same.
func TestPagesFitTogetherWithoutASort(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, id := range []string{"d", "a", "c", "e", "b"} {
		g.do(http.MethodPost, "/things", `{"document": {"_id": "`+id+`"}}`).want(http.StatusCreated)
	}
	for _, row := range []struct {
		query string
		want  []any
		link  bool
	}{
		{"?limit=2", []any{"a", "b"}, true},
		{"?limit=2&skip=2", []any{"c", "d"}, true},
		{"?limit=2&skip=4", []any{"e"}, false},
	} {
		a := g.do(http.MethodGet, "/things"+row.query, "")
		if diff := cmp.Diff(row.want, a.column("_id")); diff != "" || (a.header.Get("Link") != "") != row.link {
			t.Errorf("%s: %s Link %q", row.query, diff, a.header.Get("Link"))
		}
	}
	if n := len(g.do(http.MethodGet, "/things?limit=5", "").docs()); n != 5 {
		t.Errorf("%d documents of 5", n)
	}
	g.do(http.MethodGet, "/things?limit=1000&skip=2147483647", "").want(http.StatusOK)
}

func TestFindHasHeaders(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	a := g.do(http.MethodGet, "/things", "").want(http.StatusOK)
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "private, no-cache", "Vary": "Accept", "Link": ""} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFindShowsExtendedJSON(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	const doc = `{"_id":"a","at":{"$date":"2024-01-01T00:00:00Z"},"ref":{"$oid":"65920080c1f1f1f1f1f1f1f1"},"n":5,"x":1.5,"list":[1,{"k":null}],"bin":{"$binary":{"base64":"AQI=","subType":"00"}},"html":"<&>"}`
	g.do(http.MethodPost, "/things", `{"document": `+doc+`}`).want(http.StatusCreated)
	a := g.do(http.MethodGet, "/things"+query("keys", `{"_inserted": 0, "_version": 0}`), "").want(http.StatusOK)
	if a.body != "["+doc+"]" {
		t.Errorf("got  %s\nwant [%s]", a.body, doc)
	}
}
