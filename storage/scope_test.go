package storage_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/storage"
)

// user is a signed-in user.
type user string

func (u user) UserID() string     { return string(u) }
func (u user) Collection() string { return "users" }
func (u user) SessionID() string  { return "s" }

// ownDocuments lets users see and write their own documents.
func ownDocuments(ctx context.Context, _ storage.Op) (bson.D, error) {
	u, ok := middleware.FromContext(ctx)
	if !ok {
		return nil, middleware.Unauthenticated()
	}
	return bson.D{{Key: "owner", Value: u.UserID()}}, nil
}

// as sends a request of a user; "" is nobody.
func (g *gateway) as(u user, method, path, body string, headers ...string) answer {
	g.Helper()
	r := httptest.NewRequestWithContext(g.Context(), method, "/service/storage/v1"+path, strings.NewReader(body))
	r.Header.Set("X-API-Key", apiKey)
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if u != "" {
		r = r.WithContext(middleware.NewContext(r.Context(), u))
	}
	return g.serve(r)
}

// newScoped returns a gateway with a document of ada and one of bob.
func newScoped(t *testing.T, scope storage.ScopeFunc) *gateway {
	t.Helper()
	g := newGateway(t, &storage.Options{Scope: scope})
	g.foreign("notes",
		bson.D{{Key: "_id", Value: "a"}, {Key: "owner", Value: "ada"}, {Key: "n", Value: 1}},
		bson.D{{Key: "_id", Value: "b"}, {Key: "owner", Value: "bob"}, {Key: "n", Value: 2}},
	)
	return g
}

func TestScopeHidesWhatIsOthers(t *testing.T) {
	t.Parallel()
	g := newScoped(t, ownDocuments)
	for _, row := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"a list", "GET", "/notes", "", 200, `[{"_id":"a","owner":"ada","n":1}]`},
		{"a list that asks for others", "GET", "/notes" + query("query", `{"owner": "bob"}`), "", 200, `[]`},
		{"a list with or", "GET", "/notes" + query("query", `{"$or": [{"owner": "bob"}, {}]}`), "", 200, `[{"_id":"a","owner":"ada","n":1}]`},
		{"lines", "GET", "/notes?limit=9", "", 200, `[{"_id":"a","owner":"ada","n":1}]`},
		{"one's own", "GET", "/notes/a", "", 200, `{"_id":"a","owner":"ada","n":1}`},
		{"another's", "GET", "/notes/b", "", 404, "not_found"},
		{"a patch of another's", "PATCH", "/notes/b", `{"document": {"n": 3}}`, 404, "not_found"},
		{"a patch of all", "PATCH", "/notes", `{"document": {"x": 3}, "query": {"n": 2}}`, 200, `{"matched":0,"modified":0}`},
		{"a deletion of another's", "DELETE", "/notes/b", "", 404, "not_found"},
		{"a deletion of all of others", "DELETE", "/notes", `{"query": {"owner": "bob"}}`, 200, `{"deleted":0}`},
		{"a pipeline", "POST", "/notes/aggregate", `{"pipeline": [{"$group": {"_id": null, "sum": {"$sum": "$n"}}}]}`, 200, `[{"_id":null,"sum":1}]`},
		{"a pipeline that asks for others", "POST", "/notes/aggregate", `{"pipeline": [{"$match": {"$or": [{"owner": "bob"}]}}]}`, 200, `[]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := g.on(t).as("ada", row.method, row.path, row.body).want(row.status)
			if a.body != row.want && (row.status == 200 || !strings.Contains(a.body, row.want)) {
				t.Errorf("got %s, want %s", a.body, row.want)
			}
		})
	}
	t.Run("for preconditions too", func(t *testing.T) {
		t.Parallel()
		g := g.on(t)
		g.as("ada", "PATCH", "/notes/b", `{"document": {"n": 3}}`, "If-Match", "*").refused(404, "not_found", "")
		g.as("ada", "DELETE", "/notes/b", "", "If-Match", `"1"`).refused(404, "not_found", "")
		if got := g.as("ada", "GET", "/notes?count=true", "").header.Get("X-Total-Count"); got != "1" {
			t.Errorf("a count of %s, want 1", got)
		}
	})
}

func TestScopeStampsWhatIsInserted(t *testing.T) {
	t.Parallel()
	g := newScoped(t, ownDocuments)
	id := g.as("ada", "POST", "/notes", `{"document": {"n": 5}}`).ids()[0]
	if doc := g.stored("notes", id); doc["owner"] != "ada" || doc["n"] != int32(5) {
		t.Errorf("stored %v", doc)
	}
	g.as("ada", "POST", "/notes", `{"document": {"owner": "ada"}}`).want(201)
	g.as("ada", "POST", "/notes", `{"documents": [{}, {"owner": "bob"}]}`).refused(403, "field_not_allowed", "owner")
	g.as("ada", "POST", "/notes", `{"document": {"owner": {"a": 1}}}`).refused(403, "field_not_allowed", "owner")
	if got := g.as("bob", "GET", "/notes", "").column("_id"); len(got) != 1 {
		t.Errorf("bob has %v", got)
	}
}

func TestNoUpdateLeavesTheScope(t *testing.T) {
	t.Parallel()
	g := newScoped(t, ownDocuments)
	for _, document := range []string{
		`{"owner": "bob"}`, `{"owner": "ada"}`, `{"$set": {"owner": "bob"}}`, `{"$unset": {"owner": ""}}`, `{"$set": {"owner.x": 1}}`,
		`{"$rename": {"owner": "x"}}`, `{"$rename": {"n": "owner"}}`, `{"$max": {"owner": "z"}}`, `{"$push": {"owner": "bob"}}`,
		`{"$currentDate": {"owner": true}}`, `{"$set": {"x": 1}, "$inc": {"owner": 1}}`,
	} {
		g.as("ada", "PATCH", "/notes/a", `{"document": `+document+`}`).refused(403, "field_not_allowed", "owner")
		g.as("ada", "PATCH", "/notes", `{"document": `+document+`, "query": {}}`).refused(403, "field_not_allowed", "owner")
	}
	g.as("ada", "PATCH", "/notes/a", `{"document": {"n": 7, "x": {"owner": 1}}}`).want(200)
	if doc := g.stored("notes", "a"); doc["owner"] != "ada" || doc["n"] != int32(7) {
		t.Errorf("now %v", doc)
	}
}

func TestScopeFieldsBelowOperatorsAreKnown(t *testing.T) {
	t.Parallel()
	g := newScoped(t, func(context.Context, storage.Op) (bson.D, error) {
		return bson.D{{Key: "$or", Value: bson.A{
			bson.D{{Key: "owner", Value: "ada"}},
			bson.D{{Key: "$and", Value: bson.A{bson.D{{Key: "team.id", Value: 1}}}}},
		}}}, nil
	})
	for _, field := range []string{"owner", "team"} {
		g.do("PATCH", "/notes/a", `{"document": {"`+field+`": 1}}`).refused(403, "field_not_allowed", field)
	}
	g.do("PATCH", "/notes/a", `{"document": {"n": 9}}`).want(200)
	g.do("POST", "/notes", `{"document": {}}`).refused(500, "internal", "") // such a scope stamps nothing
}

func TestAScopeThatCannotBeHeldFailsClosed(t *testing.T) {
	t.Parallel()
	g := newScoped(t, func(context.Context, storage.Op) (bson.D, error) {
		return bson.D{{Key: "$expr", Value: bson.D{{Key: "$eq", Value: bson.A{"$owner", "ada"}}}}}, nil
	})
	g.do("PATCH", "/notes/a", `{"document": {"n": 1}}`).refused(500, "internal", "")
	g.do("PATCH", "/notes", `{"document": {"n": 1}, "query": {}}`).refused(500, "internal", "")
	g.do("POST", "/notes", `{"document": {"n": 1}}`).refused(500, "internal", "")
}

func TestAScopeOfAnInsertHasPlainFieldsOnly(t *testing.T) {
	t.Parallel()
	for _, scope := range []bson.D{
		{{Key: "owner", Value: bson.D{{Key: "$in", Value: bson.A{"ada", "bob"}}}}},
		{{Key: "owner", Value: primitive.Regex{Pattern: "a"}}},
		{{Key: "owner.id", Value: "ada"}},
		{{Key: "$or", Value: bson.A{bson.D{{Key: "owner", Value: "ada"}}}}},
		{{Key: "_id", Value: "a"}},
		{{Key: "", Value: "a"}},
		{{Key: "owner", Value: func() {}}},
	} {
		g := newScoped(t, func(context.Context, storage.Op) (bson.D, error) { return scope, nil })
		g.do("POST", "/notes", `{"document": {"owner": "ada"}}`).refused(500, "internal", "")
	}
	g := newScoped(t, func(context.Context, storage.Op) (bson.D, error) {
		return bson.D{{Key: "team", Value: bson.D{{Key: "id", Value: 1}}}, {Key: "_tenant", Value: "x"}}, nil
	})
	id := g.do("POST", "/notes", `{"document": {"n": 1}}`).ids()[0]
	if doc := g.stored("notes", id); doc["_tenant"] != "x" || doc["team"] == nil {
		t.Errorf("stored %v", doc)
	}
}

func TestAMalformedScopeOfAnUpdateFailsClosed(t *testing.T) {
	t.Parallel()
	for _, scope := range []bson.D{
		{{Key: "$or", Value: "owner"}},
		{{Key: "$or", Value: bson.A{"owner"}}},
		{{Key: "$or", Value: bson.A{bson.D{{Key: "$where", Value: "1"}}}}},
		{{Key: "$text", Value: bson.D{}}},
	} {
		g := newScoped(t, func(context.Context, storage.Op) (bson.D, error) { return scope, nil })
		g.do("PATCH", "/notes/a", `{"document": {"n": 1}}`).refused(500, "internal", "")
	}
}

func TestScopeRefuses(t *testing.T) {
	t.Parallel()
	g := newScoped(t, ownDocuments)
	routes := []struct{ method, path, body string }{
		{"GET", "/notes", ""},
		{"GET", "/notes/a", ""},
		{"POST", "/notes", `{"document": {}}`},
		{"PATCH", "/notes/a", `{"document": {"n": 1}}`},
		{"PATCH", "/notes", `{"document": {"n": 1}, "query": {}}`},
		{"DELETE", "/notes/a", ""},
		{"DELETE", "/notes", `{"query": {}}`},
		{"POST", "/notes/aggregate", `{"pipeline": []}`},
	}
	const heads = 2 // whose handlers are those of GET
	if len(routes)+heads != len(g.docs.Routes()) {
		t.Errorf("%d routes are tried, there are %d", len(routes), len(g.docs.Routes()))
	}
	for _, route := range routes {
		g.as("", route.method, route.path, route.body).refused(401, "unauthenticated", "")
	}
	hidden := newScoped(t, func(context.Context, storage.Op) (bson.D, error) { return nil, errors.New("a secret of the host") })
	a := hidden.do("GET", "/notes", "")
	if a.refused(500, "internal", ""); strings.Contains(a.body, "secret") {
		t.Error(a.body)
	}
}

func TestScopeIsAskedForEachOperation(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ops []storage.Op
	g := newScoped(t, func(_ context.Context, op storage.Op) (bson.D, error) {
		mu.Lock()
		defer mu.Unlock()
		ops = append(ops, op)
		return bson.D{}, nil
	})
	g.do("GET", "/notes", "").want(200)
	g.do("GET", "/notes/a", "").want(200)
	g.do("POST", "/notes", `{"document": {}}`).want(201)
	g.do("PATCH", "/notes/a", `{"document": {"n": 1}}`).want(200)
	g.do("PATCH", "/notes", `{"document": {"n": 1}, "query": {}}`).want(200)
	g.do("DELETE", "/notes/a", "").want(200)
	g.do("DELETE", "/notes", `{"query": {}}`).want(200)
	g.do("POST", "/notes/aggregate", `{"pipeline": []}`).want(200)
	want := []storage.Op{}
	for _, kind := range []storage.OpKind{"find", "find", "insert", "update", "update", "delete", "delete", "aggregate"} {
		want = append(want, storage.Op{Kind: kind, Database: g.db.Name(), Collection: "notes"})
	}
	if diff := cmp.Diff(want, ops); diff != "" {
		t.Error(diff)
	}
}

func TestScopeReachesIntoJoins(t *testing.T) {
	t.Parallel()
	g := newScoped(t, func(_ context.Context, op storage.Op) (bson.D, error) {
		if op.Collection == "closed" {
			return nil, &service.Problem{Status: 403, Code: "not_yours"}
		}
		return bson.D{{Key: "owner", Value: "ada"}}, nil
	})
	for _, stage := range []string{
		`{"$lookup": {"from": "closed", "localField": "a", "foreignField": "b", "as": "c"}}`,
		`{"$lookup": {"from": "closed", "pipeline": [], "as": "c"}}`,
		`{"$unionWith": "closed"}`,
		`{"$unionWith": {"coll": "closed"}}`,
		`{"$graphLookup": {"from": "closed", "startWith": "$a", "connectFromField": "a", "connectToField": "b", "as": "c"}}`,
		`{"$facet": {"x": [{"$lookup": {"from": "closed", "pipeline": [], "as": "c"}}]}}`,
		`{"$lookup": {"from": "notes", "as": "c", "pipeline": [{"$unionWith": {"coll": "closed", "pipeline": []}}]}}`,
	} {
		g.do("POST", "/notes/aggregate", `{"pipeline": [`+stage+`]}`).refused(403, "not_yours", "")
	}
	if dbtest.IsEmbedded() {
		return // which has no joins
	}
	a := g.do("POST", "/notes/aggregate", `{"pipeline": [{"$unionWith": "notes"}, {"$lookup": {"from": "notes", "pipeline": [], "as": "all"}}]}`).want(200)
	if strings.Contains(a.body, "bob") || strings.Count(a.body, `"_id":"a"`) != 4 {
		t.Error(a.body)
	}
}

// A way through the function that decides nothing must not mean everything.
func TestAScopeOfNilOpensNothing(t *testing.T) {
	t.Parallel()
	g := newScoped(t, func(context.Context, storage.Op) (bson.D, error) { return nil, nil })
	for _, row := range []struct{ method, path, body string }{
		{"GET", "/notes", ""},
		{"GET", "/notes/a", ""},
		{"POST", "/notes", `{"document": {}}`},
		{"PATCH", "/notes/a", `{"document": {"n": 3}}`},
		{"PATCH", "/notes", `{"document": {"n": 3}, "query": {}}`},
		{"DELETE", "/notes/a", ""},
		{"DELETE", "/notes?query={}", ""},
		{"POST", "/notes/aggregate", `{"pipeline": []}`},
	} {
		g.do(row.method, row.path, row.body).refused(500, "internal", "")
	}
	if n, err := g.docs.Count(t.Context(), "notes", bson.M{"n": bson.M{"$lt": 3}}); n != 2 || err != nil {
		t.Errorf("%d documents are as they were, %v; want 2", n, err)
	}
}

func TestTheGoMethodsHaveNoScope(t *testing.T) {
	t.Parallel()
	g := newScoped(t, ownDocuments)
	if n, err := g.docs.Count(t.Context(), "notes", nil); n != 2 || err != nil {
		t.Errorf("%d, %v; want both", n, err)
	}
	if err := g.docs.DeleteOne(t.Context(), "notes", bson.M{"owner": "bob"}); err != nil {
		t.Error(err)
	}
}
