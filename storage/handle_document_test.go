package storage_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

const hexID = "65920080c1f1f1f1f1f1f1f1"

// foreign inserts documents past storage, as other programs do.
func (g *gateway) foreign(collection string, docs ...any) {
	g.Helper()
	if _, err := g.db.Collection(collection).InsertMany(g.Context(), docs); err != nil {
		g.Fatal(err)
	}
}

func objectID(t *testing.T, hex string) primitive.ObjectID {
	t.Helper()
	id, err := primitive.ObjectIDFromHex(hex)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestFindOneByID(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.foreign("things",
		bson.M{"_id": "plain", "n": 1},
		bson.M{"_id": "a/b c", "n": 2},
		bson.M{"_id": objectID(t, hexID), "n": 3},
		bson.M{"_id": "65920080c1f1f1f1f1f1f1f2", "n": 4},
		bson.M{"_id": 6, "n": 6},
	)
	if !dbtest.IsEmbedded() { // which takes these two for the same
		g.foreign("things", bson.M{"_id": objectID(t, "65920080c1f1f1f1f1f1f1f2"), "n": 5})
	}
	for _, row := range []struct {
		name, path string
		status     int
		want       string
	}{
		{"a string", "plain", http.StatusOK, `{"_id":"plain","n":1}`},
		{"with a trailing slash", "plain/", http.StatusOK, `{"_id":"plain","n":1}`},
		{"an encoded string", "a%2Fb%20c", http.StatusOK, `{"_id":"a/b c","n":2}`},
		{"an ObjectId", hexID, http.StatusOK, `{"_id":{"$oid":"` + hexID + `"},"n":3}`},
		{"the string before the ObjectId", "65920080c1f1f1f1f1f1f1f2", http.StatusOK, `{"_id":"65920080c1f1f1f1f1f1f1f2","n":4}`},
		{"a number, which a path cannot name", "6", http.StatusNotFound, "not_found"},
		{"an unknown one", "none", http.StatusNotFound, "not_found"},
		{"an operator, which is a string here", `%7B%22$ne%22:1%7D`, http.StatusNotFound, "not_found"},
		{"more segments", "plain/more", http.StatusNotFound, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := g.on(t).do(http.MethodGet, "/things/"+row.path, "").want(row.status)
			if row.status == http.StatusOK && a.body != row.want || !strings.Contains(a.body, row.want) {
				t.Errorf("got %s, want %s", a.body, row.want)
			}
		})
	}
}

func TestFindOneProjects(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	g.foreign("things", bson.D{{Key: "_id", Value: "bare"}, {Key: "n", Value: 7}, {Key: "even", Value: false}})
	for _, id := range []string{"d00", "bare"} {
		whole := g.do(http.MethodGet, "/things/"+id, "").want(http.StatusOK).header.Get("ETag")
		for keys, absent := range map[string]string{
			`{"n": 1}`:                      "even",
			`["n"]`:                         "_version",
			`{"even": 0}`:                   "even",
			`{"_version": 0}`:               "_version",
			`{"_id": 0}`:                    "_id",
			`{"_id": 1}`:                    "_version",
			`{"_id": 0, "even": 1}`:         "_version",
			`{"_version": 0, "_id": false}`: "_version",
		} {
			a := g.do(http.MethodGet, "/things/"+id+query("keys", keys), "").want(http.StatusOK)
			if got := a.header.Get("ETag"); got != whole {
				t.Errorf("%s %s: ETag %s, want that of the whole document, %s", id, keys, got, whole)
			}
			if strings.Contains(a.body, `"`+absent+`"`) {
				t.Errorf("%s %s: %s has %s", id, keys, a.body, absent)
			}
		}
	}
	if a := g.do(http.MethodGet, "/things/d00"+query("keys", `["_version"]`), "").want(http.StatusOK); !strings.Contains(a.body, `"_version"`) {
		t.Errorf("%s lacks the version that was asked for", a.body)
	}
}

func TestFindOneRefusesAWrongQuery(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.do(http.MethodGet, "/things/a?query={}", "").refused(http.StatusBadRequest, "invalid", "query")
	g.do(http.MethodGet, "/things/a"+query("keys", `{"_password": 1}`), "").refused(http.StatusBadRequest, "field_reserved", "keys._password")
}

func TestFindOneAnswers304(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	g.foreign("things", bson.M{"_id": "bare", "n": 7})
	for _, id := range []string{"d00", "bare"} {
		a := g.do(http.MethodGet, "/things/"+id, "").want(http.StatusOK)
		tag := a.header.Get("ETag")
		if !strings.HasPrefix(tag, `"`) || len(tag) < 3 || a.header.Get("Cache-Control") != "private, no-cache" {
			t.Fatalf("ETag %s, Cache-Control %s", tag, a.header.Get("Cache-Control"))
		}
		for header, status := range map[string]int{
			tag: http.StatusNotModified, "W/" + tag: http.StatusNotModified, `"x", ` + tag: http.StatusNotModified, "*": http.StatusNotModified,
			`"x"`: http.StatusOK, `"x", W/"y"`: http.StatusOK, `, ,"x",`: http.StatusOK,
			"x": http.StatusBadRequest, `"x`: http.StatusBadRequest, `"x" "y"`: http.StatusBadRequest, ",": http.StatusBadRequest,
			strings.Repeat(`"x",`, 101): http.StatusBadRequest,
		} {
			b := g.do(http.MethodGet, "/things/"+id, "", "If-None-Match", header).want(status)
			if status == http.StatusNotModified && (b.body != "" || b.header.Get("ETag") != tag) {
				t.Errorf("304 with body %q and ETag %s", b.body, b.header.Get("ETag"))
			}
		}
	}
}

func TestPatchOne(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, body, want string }{
		{"a plain document is $set", `{"document": {"n": 5, "new": {"a": 1}}}`, `{"_id":"x","n":5,"list":[1],"new":{"a":1}}`},
		{"operators", `{"document": {"$inc": {"n": 2}, "$set": {"a": "b"}, "$push": {"list": 2}}}`, `{"_id":"x","n":3,"list":[1,2],"a":"b"}`},
		{"unset", `{"document": {"$unset": {"n": ""}}}`, `{"_id":"x","list":[1]}`},
		{"a dotted path in an operator", `{"document": {"$set": {"a.b": 1}}}`, `{"_id":"x","n":1,"list":[1],"a":{"b":1}}`},
		{"no change at all", `{"document": {"n": 1}}`, `{"_id":"x","n":1,"list":[1]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.do(http.MethodPost, "/things", `{"document": {"_id": "x", "n": 1, "list": [1]}}`).want(http.StatusCreated)
			before := g.do(http.MethodGet, "/things/x", "").header.Get("ETag")
			a := g.do(http.MethodPatch, "/things/x", row.body).want(http.StatusOK)
			if a.body != `{"matched":1,"modified":1}` {
				t.Errorf("answer %s", a.body)
			}
			got := g.do(http.MethodGet, "/things/x"+query("keys", `{"_inserted": 0, "_version": 0, "_patched": 0}`), "").want(http.StatusOK)
			if got.body != row.want {
				t.Errorf("now %s\nwant %s", got.body, row.want)
			}
			if tag := got.header.Get("ETag"); tag != a.header.Get("ETag") || tag == before {
				t.Errorf("ETag %s of the answer, %s now, %s before", a.header.Get("ETag"), tag, before)
			}
			if _, ok := g.stored("things", "x")["_patched"].(primitive.DateTime); !ok {
				t.Error("_patched is no date")
			}
		})
	}
}

func TestPatchOneRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	for _, row := range []struct {
		name, path, body string
		status           int
		code, text       string
	}{
		{"no document", "d00", `{}`, 400, "invalid", "document"},
		{"an empty document", "d00", `{"document": {}}`, 400, "invalid", "document"},
		{"a document that is null", "d00", `{"document": null}`, 400, "invalid", "document"},
		{"an array, hence a pipeline", "d00", `{"document": [{"$set": {"a": 1}}]}`, 400, "invalid", "document"},
		{"a query", "d00", `{"document": {"a": 1}, "query": {}}`, 400, "invalid", "query"},
		{"a query in the URL", "d00?query={}", `{"document": {"a": 1}}`, 400, "invalid", "query"},
		{"operators and names", "d00", `{"document": {"$set": {"a": 1}, "b": 1}}`, 400, "invalid_query", "document.b"},
		{"an unknown operator", "d00", `{"document": {"$where": {"a": 1}}}`, 400, "operator_not_allowed", "document.$where"},
		{"a positional path", "d00", `{"document": {"$set": {"tags.$[]": 1}}}`, 400, "operator_not_allowed", "document.$set"},
		{"a dotted name in a plain document", "d00", `{"document": {"a.b": 1}}`, 400, "invalid_query", "document.a.b"},
		{"an id", "d00", `{"document": {"_id": "y"}}`, 400, "field_reserved", "document._id"},
		{"a version", "d00", `{"document": {"$inc": {"_version": 1}}}`, 400, "field_reserved", "document.$inc._version"},
		{"an unknown document", "none", `{"document": {"a": 1}}`, 404, "not_found", ""},
		{"another unknown one", hexID, `{"document": {"a": 1}}`, 404, "not_found", ""},
		{"a type that does not fit", "d00", `{"document": {"$inc": {"tags": 1}}}`, 400, "invalid", "refuses"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g.on(t).do(http.MethodPatch, "/things/"+row.path, row.body).refused(row.status, row.code, row.text)
		})
	}
}

// preconditions are headers for a document with this ETag, and whether they hold.
func preconditions(tag string) map[string]bool {
	return map[string]bool{
		tag: true, `"x", ` + tag: true, "*": true, `"1", "2",` + tag: true,
		"W/" + tag: false, `"x"`: false, `"1"`: false, `"1", "2"`: false, `"hx"`: false, `"01"`: false,
	}
}

func TestWritesHonourIfMatch(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPatch, http.MethodDelete} {
		for _, kind := range []string{"ours", "foreign"} {
			t.Run(method+" "+kind, func(t *testing.T) {
				t.Parallel()
				g := newGateway(t, nil)
				body := ""
				if method == http.MethodPatch {
					body = `{"document": {"n": 2}}`
				}
				g.foreign("things", bson.M{"_id": "seed"})
				for header, holds := range preconditions("TAG") {
					if kind == "ours" {
						g.do(http.MethodPost, "/things", `{"document": {"_id": "x", "n": 1}}`).want(http.StatusCreated)
					} else {
						g.foreign("things", bson.M{"_id": "x", "n": 1})
					}
					tag := g.do(http.MethodGet, "/things/x", "").header.Get("ETag")
					a := g.do(method, "/things/x", body, "If-Match", strings.ReplaceAll(header, "TAG", tag))
					if holds {
						a.want(http.StatusOK)
					} else {
						a.refused(http.StatusPreconditionFailed, "precondition_failed", "")
						if now := g.do(http.MethodGet, "/things/x", "").header.Get("ETag"); now != tag {
							t.Errorf("%s changed the document", header)
						}
					}
					_ = g.docs.DeleteOne(t.Context(), "things", bson.M{"_id": "x"})
				}
				g.do(method, "/things/none", body, "If-Match", `"1"`).refused(http.StatusNotFound, "not_found", "")
				g.do(method, "/things/none", body, "If-Match", "*").refused(http.StatusNotFound, "not_found", "")
				g.do(method, "/things/seed", body, "If-Match", "1").refused(http.StatusBadRequest, "invalid", "If-Match")
			})
		}
	}
}

func TestAForeignDocumentGetsAVersion(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.foreign("things", bson.M{"_id": objectID(t, hexID), "n": 1})
	first := g.do(http.MethodGet, "/things/"+hexID, "").header.Get("ETag")
	second := g.do(http.MethodPatch, "/things/"+hexID, `{"document": {"n": 2}}`, "If-Match", first).want(http.StatusOK).header.Get("ETag")
	g.do(http.MethodPatch, "/things/"+hexID, `{"document": {"n": 3}}`, "If-Match", first).refused(http.StatusPreconditionFailed, "precondition_failed", "")
	g.do(http.MethodPatch, "/things/"+hexID, `{"document": {"n": 3}}`, "If-Match", second).want(http.StatusOK)
}

func TestAForeignDocumentMadeAnewHasAnotherETag(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	seen := map[string]bool{}
	for i := range 5 {
		g.foreign("things", bson.M{"_id": "x", "n": i})
		for range 3 {
			tag := g.do(http.MethodPatch, "/things/x", `{"document": {"m": 2}}`).want(http.StatusOK).header.Get("ETag")
			if now := g.do(http.MethodGet, "/things/x", "").header.Get("ETag"); now != tag || seen[tag] {
				t.Errorf("ETag %s by PATCH, %s by GET, seen before: %t", tag, now, seen[tag])
			}
			for old := range seen {
				g.do(http.MethodDelete, "/things/x", "", "If-Match", old).refused(http.StatusPreconditionFailed, "precondition_failed", "")
			}
			seen[tag] = true
		}
		g.do(http.MethodDelete, "/things/x", "").want(http.StatusOK)
	}
}

// Other programs may have a field of that name for something else.
func TestADocumentWithAForeignVersionIsPatched(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	versions := map[string]any{"text": "1.2", "null": nil, "number": 5, "fraction": 1.5, "negative": int64(-3)}
	if !dbtest.IsEmbedded() { // which does not compare objects
		versions["object"] = bson.M{"a": 1}
	}
	for id, version := range versions {
		g.foreign("things", bson.M{"_id": id, "n": 1, "_version": version})
		first := g.do(http.MethodGet, "/things/"+id, "").want(http.StatusOK).header.Get("ETag")
		second := g.do(http.MethodPatch, "/things/"+id, `{"document": {"$inc": {"n": 1}}}`, "If-Match", first).want(http.StatusOK).header.Get("ETag")
		g.do(http.MethodPatch, "/things/"+id, `{"document": {"n": 9}}`, "If-Match", first).refused(http.StatusPreconditionFailed, "precondition_failed", "")
		g.do(http.MethodPatch, "/things/"+id, `{"document": {"$inc": {"n": 1}}}`, "If-Match", second).want(http.StatusOK)
		if n := g.stored("things", id)["n"]; n != int32(3) {
			t.Errorf("%s: n is %v", id, n)
		}
	}
	g.foreign("others", bson.M{"_id": "a", "_version": "1.2", "n": 1}, bson.M{"_id": "b", "n": 2})
	g.do(http.MethodPatch, "/others", `{"document": {"x": 1}, "query": {}}`).refused(http.StatusConflict, "version_invalid", "_version")
	g.do(http.MethodPatch, "/others", `{"document": {"$inc": {"n": 1}}, "query": {"n": 2}}`).want(http.StatusOK)
	g.do(http.MethodPatch, "/others", `{"document": {"$push": {"n": 1}}, "query": {"n": 3}}`).refused(http.StatusBadRequest, "invalid", "")
}

func TestADocumentMadeAnewHasAnotherETag(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	seen := map[string]bool{}
	for range 20 {
		g.do(http.MethodPost, "/things", `{"document": {"_id": "x", "n": 1}}`).want(http.StatusCreated)
		for range 3 {
			seen[g.do(http.MethodPatch, "/things/x", `{"document": {"n": 2}}`).want(http.StatusOK).header.Get("ETag")] = true
		}
		g.do(http.MethodDelete, "/things/x", "").want(http.StatusOK)
	}
	if len(seen) != 60 {
		t.Errorf("%d different tags of 60", len(seen))
	}
}

func TestDeleteOne(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 3)
	g.foreign("things", bson.M{"_id": objectID(t, hexID)})
	for _, id := range []string{"d01", hexID} {
		if a := g.do(http.MethodDelete, "/things/"+id, "").want(http.StatusOK); a.body != `{"deleted":1}` {
			t.Error(a.body)
		}
		g.do(http.MethodDelete, "/things/"+id, "").refused(http.StatusNotFound, "not_found", "")
	}
	if n, err := g.docs.Count(t.Context(), "things", nil); n != 2 || err != nil {
		t.Errorf("%d documents left, %v; want 2", n, err)
	}
	g.do(http.MethodDelete, "/things/d00", `{"query": {}}`).refused(http.StatusBadRequest, "invalid", "body")
	g.do(http.MethodDelete, "/things/d00?query={}", "").refused(http.StatusBadRequest, "invalid", "query")
}

func TestNoUpdateIsLostAmongWritersWithIfMatch(t *testing.T) {
	t.Parallel()
	for name, insert := range map[string]func(*gateway){
		"ours": func(g *gateway) {
			g.do(http.MethodPost, "/things", `{"document": {"_id": "x", "n": 0}}`).want(http.StatusCreated)
		},
		"foreign": func(g *gateway) { g.foreign("things", bson.D{{Key: "_id", Value: "x"}, {Key: "n", Value: 0}}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			insert(g)
			g.race(50)
		})
	}
}

// race lets writers raise n of the document x, each once, by what they read.
func (g *gateway) race(writers int) {
	g.Helper()
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for {
				a := g.do(http.MethodGet, "/things/x", "")
				var n int
				if _, err := fmt.Sscanf(a.body, `{"_id":"x","n":%d`, &n); err != nil {
					g.Errorf("%v in %s", err, a.body)
					return
				}
				b := g.do(http.MethodPatch, "/things/x", fmt.Sprintf(`{"document": {"n": %d}}`, n+1), "If-Match", a.header.Get("ETag"))
				if b.status == http.StatusOK {
					return
				}
				if b.status != http.StatusPreconditionFailed {
					g.Errorf("status %d: %s", b.status, b.body)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := g.stored("things", "x")["n"]; n != int32(writers) {
		g.Errorf("n is %v after %d writers", n, writers)
	}
}

func TestConcurrentIncrementsAllCount(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.do(http.MethodPost, "/things", `{"document": {"_id": "x", "n": 0}}`).want(http.StatusCreated)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			for range 10 {
				if a := g.do(http.MethodPatch, "/things/x", `{"document": {"$inc": {"n": 1}}}`); a.status != http.StatusOK {
					t.Errorf("status %d: %s", a.status, a.body)
				}
			}
		})
	}
	wg.Wait()
	if n := g.stored("things", "x")["n"]; n != int32(400) {
		t.Errorf("n is %v after 400 increments", n)
	}
}
