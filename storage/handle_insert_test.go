package storage_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

func TestInsertStoresADocument(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	a := g.do(http.MethodPost, "/posts", `{"document": {"title": "One", "at": {"$date": "2024-01-01T00:00:00Z"}}}`).want(http.StatusCreated)
	ids := a.ids()
	if len(ids) != 1 || !regexp.MustCompile(`^[0-9a-f]{24}$`).MatchString(ids[0]) {
		t.Fatalf("ids %v, want one of 24 hex digits", ids)
	}
	if got, want := a.header.Get("Location"), "/service/storage/v1/posts/"+ids[0]; got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
	doc := g.stored("posts", ids[0])
	if doc["title"] != "One" || doc["at"] != primitive.DateTime(1704067200000) {
		t.Errorf("stored %v", doc)
	}
	if _, ok := doc["_inserted"].(primitive.DateTime); !ok {
		t.Errorf("_inserted is %T, want a date", doc["_inserted"])
	}
	if _, ok := doc["_version"].(int64); !ok {
		t.Errorf("_version is %T, want an int64", doc["_version"])
	}
}

func TestInsertStoresSeveralInOrder(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, path := range []string{"/posts", "/posts/"} {
		a := g.do(http.MethodPost, path, `{"documents": [{"n": 1}, {"_id": "two`+path[6:]+`", "n": 2}, {"n": 3}]}`).want(http.StatusCreated)
		ids := a.ids()
		if len(ids) != 3 || !strings.HasPrefix(ids[1], "two") || a.header.Get("Location") != "/service/storage/v1/posts" {
			t.Fatalf("ids %v, Location %q", ids, a.header.Get("Location"))
		}
		for i, id := range ids {
			if n := g.stored("posts", id)["n"]; n != int32(i+1) {
				t.Errorf("%s has n %v, want %d", id, n, i+1)
			}
		}
	}
}

func TestInsertTakesIDs(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, row := range []struct {
		id, want, location string
	}{
		{`"a b/c"`, `"a b/c"`, "/a%20b%2Fc"},
		{`5`, `5`, `?query=%7B%22_id%22%3A5%7D`},
		{`2.5`, `2.5`, `?query=%7B%22_id%22%3A2.5%7D`},
		{`{"$numberLong": "9007199254740993"}`, `9007199254740993`, `?query=%7B%22_id%22%3A9007199254740993%7D`},
		{`{"$oid": "` + hexID + `"}`, `{"$oid":"` + hexID + `"}`, "/" + hexID},
		{`"` + strings.Repeat("x", 512) + `"`, `"` + strings.Repeat("x", 512) + `"`, "/" + strings.Repeat("x", 512)},
	} {
		t.Run(row.id[:min(len(row.id), 30)], func(t *testing.T) {
			t.Parallel()
			g := g.on(t)
			a := g.do(http.MethodPost, "/things", `{"document": {"_id": `+row.id+`, "n": 1}}`).want(http.StatusCreated)
			if want := `{"ids":[` + row.want + `]}`; a.body != want {
				t.Errorf("got %s, want %s", a.body, want)
			}
			location := strings.TrimPrefix(a.header.Get("Location"), "/service/storage/v1/things")
			if location != row.location {
				t.Errorf("Location %s, want %s", location, row.location)
			}
			if b := g.do(http.MethodGet, "/things"+location, "").want(http.StatusOK); !strings.Contains(b.body, `"_id":`+row.want) {
				t.Errorf("at the Location there is %s", b.body)
			}
		})
	}
}

func TestInsertRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, row := range []struct { //nolint:paralleltest // what is stored is looked at afterwards
		name, body string
		status     int
		code, text string
	}{
		{"an empty body", ` `, 400, "invalid", "body"},
		{"an empty object", `{}`, 400, "invalid", "documents"},
		{"no documents", `{"documents": []}`, 400, "invalid", "documents"},
		{"documents that are an object", `{"documents": {}}`, 400, "invalid", "documents"},
		{"documents that are no objects", `{"documents": ["a"]}`, 400, "invalid", "documents[0]"},
		{"a document that is an array", `{"document": []}`, 400, "invalid", "document"},
		{"a document that is null", `{"document": null}`, 400, "invalid", "document"},
		{"both", `{"document": {}, "documents": [{}]}`, 400, "invalid", "document"},
		{"both, one of them empty", `{"document": {}, "documents": []}`, 400, "invalid", "document"},
		{"more documents than 1000", `{"documents": [` + strings.Repeat(`{},`, 1000) + `{}]}`, 400, "too_complex", "documents"},
		{"an id that no path can name", `{"document": {"_id": "."}}`, 400, "invalid", "document._id"},
		{"another that no path can name", `{"documents": [{"_id": ".."}]}`, 400, "invalid", "documents[0]._id"},
		{"an unknown field", `{"document": {}, "x": 1}`, 400, "invalid", "x"},
		{"trailing data", `{"document": {}} {}`, 400, "invalid", ""},
		{"duplicate names", `{"document": {"a": 1, "\u0061": 2}}`, 400, "invalid", "document.a"},
		{"a reserved field", `{"document": {"_inserted": 1}}`, 400, "field_reserved", "document._inserted"},
		{"a reserved field in one of several", `{"documents": [{}, {"_version": 1}]}`, 400, "field_reserved", "documents[1]._version"},
		{"a name with a dollar", `{"document": {"a": {"$b": 1}}}`, 400, "operator_not_allowed", "document.a.$b"},
		{"a name with a dot", `{"document": {"a.b": 1}}`, 400, "invalid_query", "document.a.b"},
		{"an empty name", `{"document": {"": 1}}`, 400, "invalid_query", "document"},
		{"a name with a NUL", `{"document": {"a\u0000": 1}}`, 400, "invalid", "document"},
		{"an integer beyond 64 bits", `{"document": {"n": 9223372036854775808}}`, 400, "invalid", "document.n"},
		{"code", `{"document": {"a": {"$code": "1"}}}`, 400, "", ""},
		{"an id that is an object", `{"document": {"_id": {"a": 1}}}`, 400, "invalid", "document._id"},
		{"an id that is an array", `{"documents": [{"_id": ["a"]}]}`, 400, "invalid", "documents[0]._id"},
		{"an id that is null", `{"document": {"_id": null}}`, 400, "invalid", "document._id"},
		{"an id that is a boolean", `{"document": {"_id": true}}`, 400, "invalid", "document._id"},
		{"an id that is a regular expression", `{"document": {"_id": {"$regularExpression": {"pattern": "a", "options": ""}}}}`, 400, "invalid", "document._id"},
		{"an id that is not a number", `{"document": {"_id": {"$numberDouble": "NaN"}}}`, 400, "invalid", "document._id"},
		{"an empty id", `{"document": {"_id": ""}}`, 400, "invalid", "document._id"},
		{"an id of 513 bytes", `{"document": {"_id": "` + strings.Repeat("x", 513) + `"}}`, 400, "invalid", "document._id"},
		{"a document 101 deep", `{"document": ` + nested(101) + `}`, 400, "", ""},
		{"a document 10 000 deep", `{"document": ` + nested(10_000) + `}`, 400, "invalid", ""},
		{"two megabytes", `{"document": {"a": "` + strings.Repeat("x", 2<<20) + `"}}`, 413, "too_large", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := g.on(t).do(http.MethodPost, "/things", row.body)
			if row.code == "" {
				a.want(row.status)
				return
			}
			a.refused(row.status, row.code, row.text)
		})
	}
	if a := g.do(http.MethodGet, "/things", ""); a.body != "[]" {
		t.Errorf("something was stored: %s", a.body)
	}
}

// nested returns a document that is so many levels deep.
func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1)
}

func TestInsertTakesADocumentOfTheGreatestDepth(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.do(http.MethodPost, "/things", `{"document": `+nested(99)+`}`).want(http.StatusCreated)
}

func TestInsertTakesAThousandDocuments(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	ids := g.do(http.MethodPost, "/things", `{"documents": [`+strings.Repeat(`{},`, 999)+`{"_id": "..."}]}`).ids()
	if len(ids) != 1000 || ids[999] != "..." {
		t.Errorf("%d ids, the last %q", len(ids), ids[len(ids)-1])
	}
}

func TestInsertWantsJSON(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for contentType, status := range map[string]int{
		"application/json": 201, "application/json; charset=utf-8": 201, "application/vnd.x+json": 201,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "": 415, "application/json; charset=latin1": 415,
	} {
		g.do(http.MethodPost, "/things", `{"document": {}}`, "Content-Type", contentType).want(status)
	}
	g.do(http.MethodPost, "/things?query={}", `{"document": {}}`).refused(http.StatusBadRequest, "invalid", "query")
}

func TestInsertStopsAtADuplicate(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.do(http.MethodPost, "/things", `{"document": {"_id": "taken"}}`).want(http.StatusCreated)
	a := g.do(http.MethodPost, "/things", `{"documents": [{"_id": "a"}, {"_id": 2}, {"_id": "taken"}, {"_id": "never"}]}`)
	a.refused(http.StatusConflict, "duplicate_key", `"ids":["a",2]`)
	a.refused(http.StatusConflict, "duplicate_key", `"index":2`)
	if got := g.do(http.MethodGet, "/things"+query("sort", `{"_inserted": 1}`), "").column("_id"); len(got) != 3 {
		t.Errorf("there are %v", got)
	}
	g.do(http.MethodPost, "/things", `{"document": {"_id": "taken"}}`).refused(http.StatusConflict, "duplicate_key", `"ids":[],"index":0`)
	if strings.Contains(a.body, "E11000") || strings.Contains(a.body, g.db.Name()) {
		t.Errorf("the driver's text shows: %s", a.body)
	}
}

func TestAUniqueIndexIs409(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.do(http.MethodPost, "/things", `{"documents": [{"_id": "a", "k": 1}, {"_id": "b", "k": 2}]}`).want(http.StatusCreated)
	unique := mongo.IndexModel{Keys: bson.D{{Key: "k", Value: 1}}, Options: options.Index().SetUnique(true)}
	if _, err := g.db.Collection("things").Indexes().CreateOne(t.Context(), unique); err != nil {
		t.Fatal(err)
	}
	g.do(http.MethodPost, "/things", `{"document": {"k": 1}}`).refused(http.StatusConflict, "duplicate_key", `"index":0`)
	g.do(http.MethodPatch, "/things/a", `{"document": {"k": 2}}`).refused(http.StatusConflict, "duplicate_key", "")
	g.do(http.MethodPatch, "/things", `{"document": {"k": 3}, "query": {}}`).refused(http.StatusConflict, "duplicate_key", "")
}

func TestWhatTheDatabaseLacksIs501(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	a := g.do(http.MethodPost, "/things", `{"document": {"d": {"$numberDecimal": "1.10"}}}`)
	if !dbtest.IsEmbedded() {
		a.want(http.StatusCreated)
		return
	}
	a.refused(http.StatusNotImplemented, "unsupported", "has no values of the type 128-bit decimal")
	join := g.do(http.MethodPost, "/things/aggregate", `{"pipeline": [{"$lookup": {"from": "others", "localField": "a", "foreignField": "b", "as": "c"}}]}`)
	join.refused(http.StatusNotImplemented, "unsupported", "$lookup")
}

func TestInsertedDocumentsAreListedAsTheyCame(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for i := range 3 {
		g.do(http.MethodPost, "/things", fmt.Sprintf(`{"document": {"_id": "%d", "z": 1, "a": 2}}`, i)).want(http.StatusCreated)
	}
	a := g.do(http.MethodGet, "/things"+query("keys", `["z", "a"]`), "").want(http.StatusOK)
	want := `[{"_id":"0","z":1,"a":2},{"_id":"1","z":1,"a":2},{"_id":"2","z":1,"a":2}]`
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
}
