package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/event"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/storage"
)

func TestNewNamesEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := storage.New(nil, &storage.Options{Reserved: []string{"a", ""}, QueryTimeout: -1, Exports: -1, BodyLimit: -1})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"database", "Reserved[1]", "QueryTimeout", "Exports", "BodyLimit"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
	if _, err := storage.New(dbtest.Database(t), &storage.Options{QueryTimeout: time.Microsecond}); err == nil || !strings.Contains(err.Error(), "QueryTimeout") {
		t.Errorf("a timeout below what the database counts: %v", err)
	}
}

func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	opts := &storage.Options{Reserved: []string{"ledger"}}
	g := newGateway(t, opts)
	opts.Reserved[0] = "other"
	g.do("GET", "/ledger", "").refused(403, "collection_reserved", "")
}

func TestOptionsAreHonoured(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 678_901_234, time.UTC)
	ids := 0
	g := newGateway(t, &storage.Options{
		Now: func() time.Time { return at }, BodyLimit: 64,
		NewID: func() string { ids++; return fmt.Sprintf("id %d", ids) },
	})
	g.do("POST", "/things", `{"document": {"a": "`+strings.Repeat("x", 64)+`"}}`).refused(413, "too_large", "")
	g.do("POST", "/things", `{"documents": [{}, {}]}`).want(201)
	g.do("PATCH", "/things/id%202", `{"document": {"a": 1}}`).want(200)
	doc := g.stored("things", "id 2")
	want := bson.M{"_id": "id 2", "a": int32(1), "_inserted": primitive.NewDateTimeFromTime(at), "_patched": primitive.NewDateTimeFromTime(at), "_version": at.UnixMicro() + 1}
	if diff := cmp.Diff(want, doc); diff != "" {
		t.Error(diff)
	}
}

func TestANewIDOfTheWrongLengthIsRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", strings.Repeat("x", 513)} {
		g := newGateway(t, &storage.Options{NewID: func() string { return id }})
		g.do("POST", "/things", `{"document": {}}`).refused(500, "internal", "")
	}
}

func TestLifecycleIsQuiet(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for range 2 {
		if err := errors.Join(g.docs.Start(t.Context()), g.docs.Ready(t.Context())); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := g.docs.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if g.docs.Name() != "storage" || g.docs.Collections() != nil {
		t.Error(g.docs.Name(), g.docs.Collections())
	}
}

func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	names := map[string]bool{}
	for _, route := range g.docs.Routes() {
		if names[route.Name] || route.Summary == "" || route.Scope == "" || route.Response == nil || route.Doc == nil || route.Doc.Codes == nil {
			t.Errorf("route %q lacks something", route.Name)
		}
		names[route.Name] = true
	}
}

// Handlers work where a host places them by hand, without an App.
func TestHandlersWorkAlone(t *testing.T) {
	t.Parallel()
	docs, err := storage.New(dbtest.Database(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.POST("/n/:collection", docs.HandleInsert)
	e.GET("/n/:collection/:id", docs.HandleFindOne)
	serve := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		return rec
	}
	rec := serve("POST", "/n/posts", `{"document": {"_id": "a"}}`)
	if rec.Code != 201 || rec.Header().Get("Location") != "/n/posts/a" {
		t.Errorf("%d %s %s", rec.Code, rec.Header().Get("Location"), rec.Body)
	}
	if rec := serve("GET", "/n/posts/a", ""); rec.Code != 200 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := serve("GET", "/n/posts/b", ""); rec.Code != 404 || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := serve("GET", "/n/_USERS/b", ""); rec.Code != 403 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestGoMethods(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	ctx, docs := t.Context(), g.docs
	ids, err := docs.Insert(ctx, "_own", bson.M{"_id": "a", "n": 1, "_secret": 1, "_version": "mine"}, struct {
		N int `bson:"n"`
	}{2}, raw(t, `{"n": 3}`))
	if err != nil || len(ids) != 3 || ids[0] != "a" {
		t.Fatal(ids, err)
	}
	found, err := docs.Find(ctx, "_own", bson.M{"n": bson.M{"$gt": 1}}, &storage.FindOptions{Sort: bson.D{{Key: "n", Value: -1}}, Keys: bson.M{"n": 1, "_id": 0}, Limit: 5})
	if err != nil || fmt.Sprint(found) != `[{"n": {"$numberInt":"3"}} {"n": {"$numberInt":"2"}}]` {
		t.Error(found, err)
	}
	if found, err := docs.Find(ctx, "_own", bson.M{"n": 9}, nil); found == nil || len(found) != 0 || err != nil {
		t.Error(found, err)
	}
	one, err := docs.FindOne(ctx, "_own", bson.D{}, &storage.FindOptions{Sort: bson.D{{Key: "n", Value: 1}}, Skip: 1})
	if err != nil || one.Lookup("n").Int32() != 2 {
		t.Error(one, err)
	}
	if _, err := docs.FindOne(ctx, "_own", bson.M{"n": 9}, nil); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	before, err := docs.FindOne(ctx, "_own", bson.M{"_id": "a"}, nil)
	if err != nil || before.Lookup("_version").Type != bson.TypeInt64 || before.Lookup("_secret").Int32() != 1 {
		t.Error(before, err)
	}
	after, err := docs.PatchOne(ctx, "_own", bson.M{"_id": "a", "_version": before.Lookup("_version")}, bson.M{"$inc": bson.M{"n": 10}, "$set": bson.M{"_secret": 2}})
	if err != nil || after.Lookup("n").Int32() != 11 || after.Lookup("_version").Int64() != before.Lookup("_version").Int64()+1 {
		t.Error(after, err)
	}
	if _, err := docs.PatchOne(ctx, "_own", bson.M{"_id": "a", "_version": before.Lookup("_version")}, bson.M{"n": 1}); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	if r, err := docs.PatchMany(ctx, "_own", bson.D{}, bson.M{"x": 1}); r != (storage.PatchResult{Matched: 3, Modified: 3}) || err != nil {
		t.Error(r, err)
	}
	sums, err := docs.Aggregate(ctx, "_own", mongo.Pipeline{{{Key: "$group", Value: bson.M{"_id": nil, "n": bson.M{"$sum": "$n"}}}}})
	if err != nil || len(sums) != 1 || sums[0].Lookup("n").AsInt64() != 16 {
		t.Error(sums, err)
	}
	lines := 0
	for doc, err := range docs.ExportAggregate(ctx, "_own", []bson.M{{"$match": bson.M{"x": 1}}}) {
		if err != nil || doc.Lookup("x").Int32() != 1 {
			t.Error(doc, err)
		}
		lines++
	}
	if lines != 3 {
		t.Errorf("%d lines of 3", lines)
	}
	if n, err := docs.DeleteMany(ctx, "_own", bson.M{"n": bson.M{"$lt": 5}}); n != 2 || err != nil {
		t.Error(n, err)
	}
	if err := docs.DeleteOne(ctx, "_own", bson.M{"_id": "a"}); err != nil {
		t.Error(err)
	}
	if err := docs.DeleteOne(ctx, "_own", bson.M{"_id": "a"}); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	type thing struct {
		N int `bson:"n"`
	}
	got, err := storage.Decode[thing]([]bson.Raw{raw(t, `{"n": 1}`), raw(t, `{"n": 2}`)})
	if diff := cmp.Diff([]thing{{1}, {2}}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := storage.Decode[thing](nil); got == nil || len(got) != 0 || err != nil {
		t.Error(got, err)
	}
	if _, err := storage.Decode[thing]([]bson.Raw{raw(t, `{"n": 1}`), raw(t, `{"n": "x"}`)}); err == nil || !strings.Contains(err.Error(), "document 1") {
		t.Error(err)
	}
}

func TestGoMethodsRefuse(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	ctx, docs := t.Context(), g.docs
	_, insert := docs.Insert(ctx, "c", 5)
	_, malformed := docs.Insert(ctx, "c", bson.Raw("x"))
	_, patchMany := docs.PatchMany(ctx, "c", nil, bson.M{"a": 1})
	_, patchOne := docs.PatchOne(ctx, "c", nil, bson.M{"a": 1})
	_, update := docs.PatchOne(ctx, "c", bson.D{}, 5)
	_, deleteMany := docs.DeleteMany(ctx, "c", nil)
	_, find := docs.Find(ctx, "c", 5, nil)
	_, limit := docs.Find(ctx, "c", nil, &storage.FindOptions{Limit: -1})
	_, keys := docs.Find(ctx, "c", nil, &storage.FindOptions{Keys: 5})
	_, count := docs.Count(ctx, "c", 5)
	_, pipeline := docs.Aggregate(ctx, "c", bson.D{{Key: "$match", Value: 1}})
	var export error
	for _, err := range docs.Export(ctx, "c", 5, nil) {
		export = err
	}
	for i, err := range []error{insert, malformed, patchMany, patchOne, update, deleteMany, docs.DeleteOne(ctx, "c", nil), find, limit, keys, count, pipeline, export} {
		if err == nil {
			t.Errorf("no error in case %d", i)
		}
	}
	if ids, err := docs.Insert(ctx, "c"); len(ids) != 0 || err != nil {
		t.Error(ids, err)
	}
}

func TestWritesOfManyHaveTheWriteConcernOfTheDatabase(t *testing.T) {
	t.Parallel()
	var commands []string
	monitor := &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if wc, err := e.Command.LookupErr("writeConcern"); err == nil {
			commands = append(commands, e.CommandName+" "+wc.String()+" "+e.Command.Lookup("maxTimeMS").String())
		}
	}}
	db := dbtest.Database(t) // for the dropping
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(dbtest.URI(t)).SetMonitor(monitor))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	docs, err := storage.New(client.Database(db.Name(), options.Database().SetWriteConcern(writeconcern.Majority())), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := docs.PatchMany(t.Context(), "things", bson.D{}, bson.M{"a": 1}); err != nil {
		t.Error(err)
	}
	if _, err := docs.DeleteMany(t.Context(), "things", bson.D{}); err != nil {
		t.Error(err)
	}
	const concern = `{"w": "majority"} {"$numberLong":"5000"}`
	if diff := cmp.Diff([]string{"update " + concern, "delete " + concern}, commands); diff != "" {
		t.Error(diff)
	}
}

func TestGeoAndTextAreTheHostsToAllow(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &storage.Options{Geo: true, Text: true})
	g.fill("things", 1)
	for _, filter := range []string{
		`{"$text": {"$search": "a"}}`,
		`{"at": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}}}}`,
	} {
		if a := g.do("GET", "/things"+query("query", filter), ""); strings.Contains(a.body, "operator_not_allowed") || a.status == 500 {
			t.Errorf("%s: %d %s", filter, a.status, a.body)
		}
	}
}

func TestInsertErrorsSayHowFarItGot(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	ids, err := g.docs.Insert(t.Context(), "things", bson.M{"_id": "a"}, bson.M{"_id": "a"}, bson.M{"_id": "b"})
	duplicate, ok := errors.AsType[*storage.DuplicateError](err)
	if !ok || duplicate.Index != 1 || fmt.Sprint(duplicate.IDs, ids) != "[a] [a]" || !mongo.IsDuplicateKeyError(err) {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestAnswersAreWholeWhenMany(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	docs := make([]any, 600)
	for i := range docs {
		docs[i] = bson.M{"_id": i}
	}
	if _, err := g.docs.Insert(t.Context(), "things", docs...); err != nil {
		t.Fatal(err)
	}
	a := g.do("GET", "/things?limit=1000"+"&keys="+`%5B%22_id%22%5D`, "")
	var want bytes.Buffer
	for i := range docs {
		fmt.Fprintf(&want, `,{"_id":%d}`, i)
	}
	if a.want(http.StatusOK).body != "["+want.String()[1:]+"]" {
		t.Errorf("got %.200s", a.body)
	}
}
