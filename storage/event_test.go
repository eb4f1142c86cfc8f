package storage_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
	"github.com/imadelakhaldev/coglex/storage"
)

// raw is a document by its JSON.
func raw(t *testing.T, json string) bson.Raw {
	t.Helper()
	var doc bson.D
	if err := bson.UnmarshalExtJSON([]byte(json), false, &doc); err != nil {
		t.Fatal(err)
	}
	out, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// brief is an event without what changes from run to run.
func brief(e any) string {
	switch e := e.(type) {
	case storage.Inserted:
		ids := bson.A(e.IDs)
		text, _ := bson.MarshalExtJSON(bson.M{"ids": ids}, false, false)
		return "inserted " + e.Collection + " " + string(text)
	case storage.Patched:
		text, _ := bson.MarshalExtJSON(bson.D{{Key: "id", Value: e.ID}, {Key: "n", Value: e.Matched}, {Key: "m", Value: e.Modified}}, false, false)
		return "patched " + e.Collection + " " + e.Filter.String() + " " + e.Update.String() + " " + string(text)
	case storage.Deleted:
		text, _ := bson.MarshalExtJSON(bson.D{{Key: "id", Value: e.ID}, {Key: "n", Value: e.Count}}, false, false)
		return "deleted " + e.Collection + " " + e.Filter.String() + " " + string(text)
	}
	return "?"
}

func TestWritesTellWhatHappened(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, method, path, body string
		want                     []string
	}{
		{"insert", "POST", "/things", `{"documents": [{"_id": "new"}, {"_id": 7}]}`, []string{`inserted things {"ids":["new",7]}`}},
		{"a part of an insert", "POST", "/things", `{"documents": [{"_id": "new"}, {"_id": "d00"}]}`, []string{`inserted things {"ids":["new"]}`}},
		{"a refused insert", "POST", "/things", `{"document": {"_id": "d00"}}`, nil},
		{"an invalid insert", "POST", "/things", `{"document": {"_x": 1}}`, nil},
		{"patch one", "PATCH", "/things/d00", `{"document": {"a": {"$numberInt": "1"}}}`, []string{
			`patched things {"_id": "d00"} {"$set": {"a": {"$numberInt":"1"}}} {"id":"d00","n":1,"m":1}`,
		}},
		{"patch none", "PATCH", "/things/none", `{"document": {"a": 1}}`, nil},
		{"patch many", "PATCH", "/things", `{"document": {"$unset": {"n": ""}}, "query": {"even": true}}`, []string{
			`patched things {"even": true} {"$unset": {"n": ""}} {"id":null,"n":2,"m":2}`,
		}},
		{"patch none of many", "PATCH", "/things", `{"document": {"a": 1}, "query": {"n": 9}}`, nil},
		{"delete one", "DELETE", "/things/d01", "", []string{`deleted things {"_id": "d01"} {"id":"d01","n":1}`}},
		{"delete none", "DELETE", "/things/none", "", nil},
		{"delete many", "DELETE", "/things?query={}", "", []string{`deleted things {} {"id":null,"n":3}`}},
		{"delete none of many", "DELETE", "/things" + query("query", `{"n": 9}`), "", nil},
		{"reads", "GET", "/things", "", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.fill("things", 3)
			events := signalstest.RecordAll(t, g.app.Signals())
			g.do(row.method, row.path, row.body)
			var got []string
			for _, e := range events.Events() {
				got = append(got, brief(e))
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What an interceptor or a subscriber finds by the filter is what is meant.
func TestEventsHaveTheScope(t *testing.T) {
	t.Parallel()
	g := newScoped(t, ownDocuments)
	events := signalstest.RecordAll(t, g.app.Signals())
	var asked []string
	t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Patching) error {
		asked = append(asked, e.Filter.String())
		return nil
	}))
	t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Deleting) error {
		asked = append(asked, e.Filter.String())
		return nil
	}))
	g.as("ada", "PATCH", "/notes/a", `{"document": {"x": "y"}}`).want(200)
	g.as("ada", "PATCH", "/notes", `{"document": {"x": "y"}, "query": {}}`).want(200)
	g.as("ada", "DELETE", "/notes", `{"query": {"x": "z"}}`).want(200)
	g.as("ada", "DELETE", "/notes/a", "").want(200)
	var told []string
	for _, e := range events.Events() {
		told = append(told, brief(e))
	}
	if diff := cmp.Diff([]string{`{"_id": "a","owner": "ada"}`, `{"owner": "ada"}`, `{"x": "z","owner": "ada"}`, `{"_id": "a","owner": "ada"}`}, asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		`patched notes {"_id": "a","owner": "ada"} {"$set": {"x": "y"}} {"id":"a","n":1,"m":1}`,
		`patched notes {"owner": "ada"} {"$set": {"x": "y"}} {"id":null,"n":1,"m":1}`,
		`deleted notes {"_id": "a","owner": "ada"} {"id":"a","n":1}`,
	}, told); diff != "" {
		t.Error(diff)
	}
}

func TestInsertedHasTheDocumentsAsStored(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	events := signalstest.Record[storage.Inserted](t, g.app.Signals())
	id := g.do("POST", "/things", `{"document": {"n": 1}}`).ids()[0]
	var want bson.Raw
	want, err := g.docs.FindOne(t.Context(), "things", bson.M{"_id": id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := events.Events()[0].Documents; len(got) != 1 || got[0].String() != want.String() {
		t.Errorf("told %v, stored %v", got, want)
	}
}

// refuse vetoes an intent.
func refuse[E any, P signals.IntentOf[E]](g *gateway, err error) {
	g.Cleanup(signals.Intercept[E, P](g.app.Signals(), func(context.Context, P) error { return err }))
}

func TestInterceptorsRefuse(t *testing.T) {
	t.Parallel()
	veto := &service.Problem{Status: 422, Code: "not_today"}
	for _, row := range []struct {
		method, path, body string
		refuse             func(*gateway, error)
	}{
		{"POST", "/things", `{"document": {}}`, refuse[storage.Inserting]},
		{"PATCH", "/things/d00", `{"document": {"a": 1}}`, refuse[storage.Patching]},
		{"PATCH", "/things", `{"document": {"a": 1}, "query": {}}`, refuse[storage.Patching]},
		{"DELETE", "/things/d00", "", refuse[storage.Deleting]},
		{"DELETE", "/things", `{"query": {}}`, refuse[storage.Deleting]},
	} {
		t.Run(row.method+row.path, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.fill("things", 2)
			before := g.do("GET", "/things", "").body
			events := signalstest.RecordAll(t, g.app.Signals())
			row.refuse(g, veto)
			g.do(row.method, row.path, row.body).refused(422, "not_today", "")
			if after := g.do("GET", "/things", "").body; after != before {
				t.Errorf("it was done: %s", after)
			}
			events.ExpectExactly()

			other := newGateway(t, nil)
			other.fill("things", 1)
			row.refuse(other, errors.New("a secret"))
			if a := other.do(row.method, row.path, row.body); a.status != 500 || strings.Contains(a.body, "secret") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestInterceptorsSeeWhatIsMeant(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	var seen []string
	t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Patching) error {
		seen = append(seen, e.Collection+e.Filter.String()+e.Update.String())
		return nil
	}))
	t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Deleting) error {
		seen = append(seen, e.Collection+e.Filter.String())
		return nil
	}))
	g.do("PATCH", "/things/"+hexID, `{"document": {"a": "b"}}`).want(404)
	g.do("DELETE", "/things", `{"query": {"a": "b"}}`).want(200)
	want := []string{
		`things{"_id": {"$in": ["` + hexID + `",{"$oid":"` + hexID + `"}]}}{"$set": {"a": "b"}}`,
		`things{"a": "b"}`,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestInterceptorsChangeWhatIsWritten(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Inserting) error {
		e.Documents = append(e.Documents, raw(t, `{"_id": "added", "by": "us"}`))
		e.Documents[0] = raw(t, `{"_id": "first", "n": 2}`)
		return nil
	}))
	t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Patching) error {
		e.Update = raw(t, `{"$set": {"patched": "by us"}}`)
		return nil
	}))
	if a := g.do("POST", "/things", `{"document": {"n": 1}}`).want(201); a.body != `{"ids":["first","added"]}` {
		t.Error(a.body)
	}
	g.do("PATCH", "/things/first", `{"document": {"n": 9}}`).want(200)
	if doc := g.stored("things", "first"); doc["n"] != int32(2) || doc["patched"] != "by us" {
		t.Errorf("stored %v", doc)
	}
}

// What an interceptor makes of a client's document is checked again: by mistake
// it may have moved what was harmless where it was.
func TestWhatInterceptorsLeaveIsCheckedAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ document, update string }{
		{`{"_password": "x"}`, `{"$set": {"_password": "x"}}`},
		{`{"_version": 1}`, `{"$inc": {"_version": 1}}`},
		{`{"_id": {"a": 1}}`, `{"$set": {"_id": 1}}`},
		{`{"a": {"$where": 1}}`, `{"$where": 1}`},
		{`{"owner": "bob"}`, `{"$set": {"owner": "bob"}}`},
	} {
		t.Run(row.document, func(t *testing.T) {
			t.Parallel()
			g := newScoped(t, ownDocuments)
			t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Inserting) error {
				e.Documents = []bson.Raw{raw(t, row.document)}
				return nil
			}))
			t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Patching) error {
				e.Update = raw(t, row.update)
				return nil
			}))
			before := g.as("ada", "GET", "/notes", "").body
			if a := g.as("ada", "POST", "/notes", `{"document": {}}`); a.status != 500 && a.status != 403 {
				t.Errorf("insert: %d %s", a.status, a.body)
			}
			g.as("ada", "PATCH", "/notes/a", `{"document": {"n": 1}}`).refused(500, "internal", "")
			g.as("ada", "PATCH", "/notes", `{"document": {"n": 1}, "query": {}}`).refused(500, "internal", "")
			if after := g.as("ada", "GET", "/notes", "").body; after != before {
				t.Errorf("now %s", after)
			}
		})
	}
}

func TestAnInterceptorMayTakeAllDocumentsAway(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	t.Cleanup(signals.Intercept(g.app.Signals(), func(_ context.Context, e *storage.Inserting) error {
		e.Documents = nil
		return nil
	}))
	if a := g.do("POST", "/things", `{"document": {}}`).want(http.StatusCreated); a.body != `{"ids":[]}` {
		t.Error(a.body)
	}
}
