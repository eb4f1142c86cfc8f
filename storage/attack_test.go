package storage_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/storage"
)

// people is a service that has collections of its own, as auth has.
type people struct {
	service.Service // of storage, for all that is not said here

	name        string
	collections []service.Namespace
}

func (p *people) Name() string                     { return p.name }
func (p *people) Collections() []service.Namespace { return p.collections }
func (p *people) Adopt(service.Host)               {}

// everyRoute sends a request to each route of a collection.
func (g *gateway) everyRoute(collection string, check func(answer)) {
	g.Helper()
	tried := 0
	for _, r := range []struct{ method, path, body string }{
		{"GET", "", ""},
		{"GET", "/x", ""},
		{"POST", "", `{"document": {"a": 1}}`},
		{"PATCH", "/x", `{"document": {"a": 1}}`},
		{"PATCH", "", `{"document": {"a": 1}, "query": {}}`},
		{"DELETE", "/x", ""},
		{"DELETE", "?query={}", ""},
		{"POST", "/aggregate", `{"pipeline": []}`},
	} {
		tried++
		check(g.do(r.method, "/"+collection+r.path, r.body))
	}
	const heads = 2 // whose handlers are those of GET, and who have no body to look at
	if n := len(g.docs.Routes()); tried+heads != n {
		g.Errorf("%d routes are tried, there are %d", tried, n)
	}
}

func TestReservedCollectionsAreClosed(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	g := newGatewayOn(t, db, &storage.Options{Reserved: []string{"ledger"}})
	// A service that is added later is known all the same.
	users := &people{Service: g.docs, name: "people", collections: []service.Namespace{{Database: db.Name(), Collection: "members"}, {Database: "other", Collection: "things"}}}
	if err := g.app.Add(users); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"_USERS", "_users", "_ARCHIVE", "_", "__proto__", "_$x", "%5FUSERS", "%5f%55SERS", "_a%2Fb",
		"system.users", "system.", "system.js", "%73ystem.users", "system%2Eusers",
		"ledger", "%6Cedger", "members", "m%65mbers",
	} {
		g.everyRoute(name, func(a answer) { a.refused(http.StatusForbidden, "collection_reserved", "") })
	}
	for _, name := range []string{
		"a$b", "a%24b", "a.b", "a%2Fb", "a%00b", "..", "%2e%2e", ".", "$cmd", "9a", "-a", "a%20b", "a%0d%0ab", "%C3%A9", "System.users%00", "a%2500b",
		strings.Repeat("a", 65), "%255FUSERS",
	} {
		g.everyRoute(name, func(a answer) { a.refused(http.StatusBadRequest, "collection_invalid", "") })
	}
	for _, name := range []string{"things", "USERS", "Ledger", strings.Repeat("a", 64), "a_-9"} {
		g.do(http.MethodGet, "/"+name, "").want(http.StatusOK)
	}
	if names, err := db.ListCollectionNames(t.Context(), bson.D{}); err != nil || len(names) > 0 {
		t.Errorf("there are collections: %v, %v", names, err)
	}
}

func TestReservedCollectionsAreClosedByEveryMount(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	docs, err := storage.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	users := &people{Service: docs, name: "people", collections: []service.Namespace{{Database: db.Name(), Collection: "users"}}}
	if err := app.Add(users); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"/data", "/"} {
		if err := app.MountWith(e.Group("/x"), docs, coglex.MountOptions{Prefix: prefix}); err != nil {
			t.Fatal(err)
		}
	}
	e.GET("/alone/:collection", docs.HandleFind)
	for _, path := range []string{"/x/data/users", "/x/data/_USERS", "/x/users", "/x/data//users", "/alone/users", "/alone/%75sers", "/alone/_USERS"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("X-API-Key", apiKey)
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		if noRoute := strings.Contains(path, "//") && rec.Code == http.StatusNotFound; rec.Code != http.StatusForbidden && !noRoute {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

func TestReservedCollectionsAreClosedToPipelines(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &storage.Options{Reserved: []string{"ledger"}})
	for _, name := range []string{"_USERS", "system.users", "ledger"} {
		for _, stage := range []string{
			`{"$lookup": {"from": %q, "localField": "a", "foreignField": "b", "as": "c"}}`,
			`{"$lookup": {"from": %q, "pipeline": [], "as": "c"}}`,
			`{"$unionWith": %q}`,
			`{"$unionWith": {"coll": %q, "pipeline": []}}`,
			`{"$graphLookup": {"from": %q, "startWith": "$a", "connectFromField": "a", "connectToField": "b", "as": "c"}}`,
			`{"$facet": {"x": [{"$lookup": {"from": %q, "pipeline": [], "as": "c"}}]}}`,
			`{"$lookup": {"from": "things", "as": "c", "pipeline": [{"$facet": {"x": [{"$unionWith": %q}]}}]}}`,
			`{"$unionWith": {"coll": "things", "pipeline": [{"$lookup": {"from": %q, "pipeline": [], "as": "c"}}]}}`,
		} {
			body := `{"pipeline": [` + fmt.Sprintf(stage, name) + `]}`
			a := g.do(http.MethodPost, "/things/aggregate", body)
			if a.status != http.StatusForbidden && a.status != http.StatusBadRequest || strings.Contains(a.body, "unsupported") {
				t.Errorf("%s: %d %s", body, a.status, a.body)
			}
		}
	}
	for _, from := range []string{`{"db": "admin", "coll": "users"}`, `["things"]`, `"a$b"`, `""`, `1`} {
		a := g.do(http.MethodPost, "/things/aggregate", `{"pipeline": [{"$lookup": {"from": `+from+`, "pipeline": [], "as": "c"}}]}`)
		a.want(http.StatusBadRequest)
	}
}

// attacks are values that must never reach the database by a filter.
func attacks() []string {
	return []string{
		`{"$where": "sleep(1000)"}`, `{"$expr": {"$function": {"body": "function() {}", "args": [], "lang": "js"}}}`,
		`{"a": {"$where": "1"}}`, `{"a": {"$not": {"$where": "1"}}}`, `{"$and": [{"$or": [{"$nor": [{"$where": "1"}]}]}]}`,
		`{"a": {"$elemMatch": {"$where": "1"}}}`, `{"a": {"$all": [{"$elemMatch": {"b": {"$where": "1"}}}]}}`,
		`{"$expr": {"$eq": ["$_password", "x"]}}`, `{"$expr": {"$regexMatch": {"input": "$_password", "regex": "^a"}}}`,
		`{"$expr": {"$eq": [{"$getField": "_password"}, "x"]}}`, `{"$expr": {"$eq": ["$$ROOT._password", "x"]}}`,
		`{"$expr": {"$eq": [{"$getField": {"field": "_password", "input": "$$ROOT"}}, "x"]}}`,
		`{"$expr": {"$accumulator": {}}}`, `{"$expr": {"$let": {"vars": {"r": "$$ROOT"}, "in": {"$eq": ["$$r._password", "x"]}}}}`,
		`{"_password": {"$regex": "^\\$2b"}}`, `{"_password": {"$exists": true}}`, `{"_sessions.a": 1}`, `{"_identity": "x"}`,
		`{"$or": [{"_password": {"$gt": "a"}}]}`, `{"$nor": {"_password": 1}}`, `{"a": {"$in": [{"$where": "1"}]}}`,
		`{"$jsonSchema": {}}`, `{"$comment": "x"}`, `{"a": {"$eq": {"$code": "1"}}}`, `{"a": {"$code": "1"}}`, `{"a": {"$symbol": "1"}}`,
		`{"a": {"$dbPointer": {"$ref": "b", "$id": {"$oid": "65920080c1f1f1f1f1f1f1f1"}}}}`, `{"a": {"$undefined": true}}`,
		`{"\u0024where": "1"}`, `{"a": 1, "\u0061": 2}`, `{"a\u0000": 1}`, `{"": 1}`, `{"a..b": 1}`, `{"a.$": 1}`, `{"$": 1}`,
		`{"a": {"$regex": "` + strings.Repeat("x", 257) + `"}}`, `{"a": {"$regex": "a", "$options": "x"}}`, `{"a": {"$options": "i"}}`,
		`{"a": {"$gt": 1, "b": 2}}`, `{"a": {"b": 2, "$gt": 1}}`,
		`{"a": {"$in": [` + strings.TrimSuffix(strings.Repeat("1,", 1001), ",") + `]}}`,
		`{"$or": [` + strings.TrimSuffix(strings.Repeat(`{"a":1},`, 201), ",") + `]}`,
		nested(11), nested(10_000), `{"a": ` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		`[]`, `null`, `5`, `"x"`, `true`, `{"$oid": "65920080c1f1f1f1f1f1f1f1"}`, `{`, ``,
	}
}

func TestNoFilterSmugglesAnOperator(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	for _, filter := range attacks() {
		for _, a := range []answer{
			g.do("GET", "/things"+query("query", filter), ""),
			g.do("GET", "/things"+query("query", filter), "", "Accept", ndjson),
			g.do("PATCH", "/things"+query("query", filter), `{"document": {"hit": 1}}`),
			g.do("PATCH", "/things", `{"document": {"hit": 1}, "query": `+filter+`}`),
			g.do("DELETE", "/things"+query("query", filter), ""),
			g.do("DELETE", "/things", `{"query": `+filter+`}`),
			g.do("POST", "/things/aggregate", `{"pipeline": [{"$match": `+filter+`}]}`),
			g.do("POST", "/things/aggregate", `{"pipeline": [{"$facet": {"x": [{"$match": `+filter+`}]}}]}`),
		} {
			if a.status != http.StatusBadRequest {
				t.Errorf("%s with %.200s: %d %s", a.request, filter, a.status, a.body)
			}
		}
	}
	if n, err := g.docs.Count(t.Context(), "things", bson.M{"hit": nil}); n != 1 || err != nil {
		t.Errorf("%d documents are as they were, %v; want 1", n, err)
	}
}

func TestNoUpdateSmugglesAnything(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.foreign("things", bson.M{"_id": "x", "a": 1, "_password": "hash", "_role": "user", "list": bson.A{1}})
	var updates []string
	for _, field := range []string{"_password", "_password.a", "_role", "_version", "_inserted", "_patched", "_id", "_sessions.x", "_"} {
		for _, operator := range []string{"$set", "$unset", "$inc", "$mul", "$min", "$max", "$push", "$addToSet", "$pull", "$pullAll", "$pop", "$bit", "$currentDate", "$setOnInsert"} {
			updates = append(updates, fmt.Sprintf(`{%q: {%q: 1}}`, operator, field))
		}
		updates = append(updates, fmt.Sprintf(`{%q: 1}`, field), fmt.Sprintf(`{"$rename": {"a": %q}}`, field), fmt.Sprintf(`{"$rename": {%q: "a"}}`, field))
	}
	updates = append(updates,
		`{"$set": {"a": {"$where": "1"}}}`, `{"a": {"$set": {"b": 1}}}`, `{"$set": {"$a": 1}}`, `{"$set": {"a.$[].b": 1}}`, `{"$set": {"a.$b": 1}}`, `{"$set": {"": 1}}`,
		`{"$set": {"a..b": 1}}`, `{"$set": {"a\u0000": 1}}`, `{"$set": "a"}`, `{"$set": []}`, `{"$out": {"a": "x"}}`, `{"$replaceWith": {"a": 1}}`,
		`{"$push": {"list": {"$each": [{"$where": 1}]}}}`, `{"$pull": {"list": {"$where": "1"}}}`, `{"$push": {"list": {"$each": [1], "$where": 1}}}`,
		`{"$rename": {"a": 1}}`, `{"$rename": {"a": "$b"}}`, `{"$inc": {"a": "1"}}`, `{"$currentDate": {"a": {"$type": "code"}}}`, `{"$bit": {"a": {"nand": 1}}}`,
		`{"a": 1, "$set": {"b": 1}}`, `{"\u0024where": {"a": 1}}`, `[{"$set": {"a": 1}}]`, `null`, `1`, `{"a": {"$code": "1"}}`, nested(102), nested(10_000),
	)
	for _, update := range updates {
		for _, a := range []answer{
			g.do("PATCH", "/things/x", `{"document": `+update+`}`),
			g.do("PATCH", "/things", `{"document": `+update+`, "query": {}}`),
		} {
			if a.status != http.StatusBadRequest {
				t.Errorf("%s %.200s: %d %s", a.request, update, a.status, a.body)
			}
		}
	}
	if doc := g.stored("things", "x"); doc["_password"] != "hash" || doc["_role"] != "user" || len(doc) != 5 {
		t.Errorf("the document is now %v", doc)
	}
}

func TestNoPipelineSmugglesAStage(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	var stages []string
	for _, inner := range []string{
		`{"$out": "stolen"}`, `{"$merge": {"into": "stolen"}}`, `{"$currentOp": {}}`, `{"$collStats": {}}`, `{"$listSessions": {}}`, `{"$planCacheStats": {}}`,
		`{"$changeStream": {}}`, `{"$search": {}}`, `{"$documents": [{}]}`, `{"$geoNear": {}}`, `{"$redact": "$$KEEP"}`, `{"$indexStats": {}}`,
		`{"$addFields": {"a": {"$function": {"body": "x", "args": [], "lang": "js"}}}}`, `{"$match": {"$where": "1"}}`,
		`{"$group": {"_id": null, "a": {"$accumulator": {}}}}`, `{"$project": {"a": "$_password"}}`, `{"$project": {"a": {"$concat": ["$_password", ""]}}}`,
		`{"$sort": {"_password": 1}}`, `{"$group": {"_id": "$_password"}}`, `{"$sortByCount": "$_password"}`, `{"$unwind": "$_sessions"}`,
		`{"$match": {"_password": {"$gt": "a"}}}`, `{"$set": {"a": {"$getField": "_password"}}}`, `{"$bucket": {"groupBy": "$_password", "boundaries": [1, 2]}}`,
	} {
		stages = append(stages, inner,
			`{"$facet": {"x": [`+inner+`]}}`,
			`{"$lookup": {"from": "others", "as": "c", "pipeline": [`+inner+`]}}`,
			`{"$unionWith": {"coll": "others", "pipeline": [`+inner+`]}}`,
			`{"$lookup": {"from": "others", "as": "c", "pipeline": [{"$facet": {"x": [`+inner+`]}}]}}`,
		)
	}
	for _, stage := range stages {
		for _, accept := range []string{"", ndjson} {
			a := g.do("POST", "/things/aggregate", `{"pipeline": [{"$match": {}}, `+stage+`]}`, "Accept", accept)
			if a.status != http.StatusBadRequest || !strings.Contains(a.body, "pipeline[1]") {
				t.Errorf("%s: %d %s", stage, a.status, a.body)
			}
		}
	}
	deep := g.do("POST", "/things/aggregate", `{"pipeline": [{"$facet": {"a": [{"$lookup": {"from": "o", "as": "c", "pipeline": [{"$facet": {"b": [{"$out": "x"}]}}]}}]}}]}`)
	if deep.status != http.StatusBadRequest {
		t.Error(deep.status, deep.body)
	}
	if names, err := g.db.ListCollectionNames(t.Context(), bson.D{}); err != nil || len(names) != 1 {
		t.Errorf("there are %v, %v; want things only", names, err)
	}
}

func TestSecretsNeverLeave(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.foreign("things", bson.D{
		{Key: "_id", Value: "x"},
		{Key: "_password", Value: "SECRET"},
		{Key: "_sessions", Value: bson.M{"a": "SECRET"}},
		{Key: "_identity", Value: "SECRET"},
		{Key: "n", Value: 1},
		{Key: "sub", Value: bson.M{"_password": "not ours"}},
	})
	for _, a := range []answer{
		g.do("GET", "/things", ""),
		g.do("GET", "/things", "", "Accept", ndjson),
		g.do("GET", "/things"+query("keys", `{"n": 0}`), ""),
		g.do("GET", "/things/x", ""),
		g.do("GET", "/things/x"+query("keys", `{"n": 0}`), ""),
		g.do("GET", "/things/x"+query("keys", `{"_version": 0}`), ""),
		g.do("POST", "/things/aggregate", `{"pipeline": []}`),
		g.do("POST", "/things/aggregate", `{"pipeline": [{"$match": {"n": 1}}, {"$limit": 1}]}`, "Accept", ndjson),
		g.do("POST", "/things/aggregate", `{"pipeline": [{"$group": {"_id": "$n", "all": {"$push": "$$ROOT"}}}]}`),
		g.do("POST", "/things/aggregate", `{"pipeline": [{"$project": {"copy": "$$ROOT"}}]}`),
		g.do("POST", "/things/aggregate", `{"pipeline": [{"$replaceRoot": {"newRoot": {"copy": "$$ROOT"}}}]}`),
		g.do("POST", "/things/aggregate", `{"pipeline": [{"$facet": {"a": [{"$match": {}}]}}]}`),
		g.do("PATCH", "/things/x", `{"document": {"n": 2}}`),
	} {
		if strings.Contains(a.body, "SECRET") || a.status >= 500 && a.status != http.StatusNotImplemented {
			t.Errorf("%s: %d %s", a.request, a.status, a.body)
		}
	}
	for _, keys := range []string{`{"_password": 1}`, `["_password"]`, `{"_password": 0}`, `{"_sessions.a": 1}`, `["_identity"]`, `{"a": "$_password"}`, `{"_sessions": {"$slice": 1}}`} {
		g.do("GET", "/things"+query("keys", keys), "").want(http.StatusBadRequest)
		g.do("GET", "/things/x"+query("keys", keys), "").want(http.StatusBadRequest)
	}
	for _, sort := range []string{`{"_password": 1}`, `{"_sessions.a": -1}`} {
		g.do("GET", "/things"+query("sort", sort), "").refused(http.StatusBadRequest, "field_reserved", "sort")
	}
}

// A hash of a document must not tell whether a guess of what is hidden is right.
func TestTheETagTellsNothingOfSecrets(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	var tags []string
	for _, password := range []string{"a", "b"} {
		g.foreign("p"+password, bson.M{"_id": "x", "_password": password})
		tags = append(tags, g.do("GET", "/p"+password+"/x", "").want(http.StatusOK).header.Get("ETag"))
	}
	if tags[0] != tags[1] {
		t.Errorf("the tags differ by the password: %v", tags)
	}
}

func TestProblemsRepeatNoValue(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, a := range []answer{
		g.do("POST", "/things", `{"document": {"_id": {"CANARY": 1}}}`),
		g.do("GET", "/things"+query("query", `{"a": {"$regex": "CANARY", "$options": "CANARY"}}`), ""),
		g.do("GET", "/things?limit=CANARY", ""),
		g.do("GET", "/things/x", "", "If-None-Match", "CANARY"),
		g.do("GET", "/CANARY$", ""),
		g.do("PATCH", "/things/x", `{"document": {"a": "CANARY", "$set": 1}}`),
	} {
		if a.status != http.StatusBadRequest || strings.Contains(a.body, "CANARY") {
			t.Errorf("%s: %d %s", a.request, a.status, a.body)
		}
	}
}

func TestEveryRouteNeedsTheKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, route := range g.docs.Routes() {
		path := strings.NewReplacer(":collection", "things", ":id", "x").Replace("/service/storage/v1" + route.Path)
		for _, key := range []string{"", "wrong", apiKey + "x"} {
			r := httptest.NewRequestWithContext(t.Context(), route.Method, path, strings.NewReader(`{}`))
			if r.Header.Set("X-API-Key", key); key == "" {
				r.Header.Del("X-API-Key")
			}
			if a := g.serve(r); route.Method == http.MethodHead {
				a.want(http.StatusUnauthorized)
			} else {
				a.refused(http.StatusUnauthorized, "api_key_invalid", "")
			}
		}
	}
}
