package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestUserShowsNoSecret(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	ctx := t.Context()
	account := auth.Account{Key: "ada", Password: pass, Document: bson.M{"name": "Ada", "_role": "admin", "profile": bson.M{"_x": 1}}}
	if _, err := g.users.SignUp(ctx, account); err != nil {
		t.Fatal(err)
	}
	in := g.signin("ada")
	g.want(request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: `{"document":{"age":36}}`}, http.StatusOK, "")
	hash, _ := g.stored("ada")["_password"].(string)
	for _, r := range []request{
		{method: http.MethodGet, path: prefix + "/users/ada", key: true},
		{method: http.MethodGet, path: prefix + "/users/ada/", key: true},
		{method: http.MethodGet, path: prefix + "/ada", key: true},
		{method: http.MethodGet, path: prefix + "/session", key: true, bearer: in.access},
		{method: http.MethodGet, path: "/me", bearer: in.access},
		{method: http.MethodGet, path: "/who", cookie: in.cookie},
		{method: http.MethodPost, path: "/in", body: signinBody("ada", pass)},
		again(in.refresh),
	} {
		a := g.want(r, http.StatusOK, "")
		for _, word := range []string{hash, "_password", "_sessions", "_identity", "_role", "generation"} {
			if strings.Contains(a.text, word) {
				t.Errorf("%s %s shows %s: %s", r.method, r.path, word, a.text)
			}
		}
		for _, word := range []string{`"_id"`, `"_key":"ada"`, `"_inserted":{"$date"`, `"_patched":{"$date"`, `"age":36`, `"profile":{"_x":1}`} {
			if !strings.Contains(a.text, word) {
				t.Errorf("%s %s lacks %s: %s", r.method, r.path, word, a.text)
			}
		}
	}
	if a := g.do(request{method: http.MethodGet, path: prefix + "/users/ada", key: true}); a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control = %q", a.header.Get("Cache-Control"))
	}
}

func TestUserByKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	for _, key := range []string{"ada@example.com", "a/b", "a%2Fb", "ü ä", "x?y#z", "signed", "100%"} {
		g.signup(key)
		a := g.want(request{method: http.MethodGet, path: prefix + "/users/" + url.PathEscape(key), key: true}, http.StatusOK, "")
		if a.str("_key") != key {
			t.Errorf("%q: found %q", key, a.str("_key"))
		}
	}
	get := func(path string) request { return request{method: http.MethodGet, path: prefix + path, key: true} }
	g.want(get("/users/ADA@example.com"), http.StatusOK, "")
	query := func(filter string) string { return "?query=" + url.QueryEscape(filter) }
	for path, want := range map[string]int{
		"/users/nobody":                     404,
		"/nobody":                           404,
		"/users/a/b":                        404,
		"/users/a%2Fb/c":                    404,
		"/users/%zz":                        400,
		"/users/signed" + query(`{"_x":1}`): 400,
		"/users/signed" + query(`{"n":{"$exists":false}}`): 200,
		"/signed" + query(`{"n":{"$exists":true}}`):        404,
		"/signed" + query(`{}`):                            200,
		"/signed" + query(`[]`):                            400,
		"/signed" + query(`{"a":1,"a":2}`):                 400,
		"/signed?query=":                                   400,
		"/signed?query=%7B%7D&query=%7B%7D":                400,
		"/signed?collection=":                              400,
		"/signed?keys=1":                                   400,
	} {
		if strings.Contains(path, "%zz") {
			continue // net/http refuses the path before any handler
		}
		if a := g.do(get(path)); a.status != want {
			t.Errorf("GET %s: %d, want %d\n%s", path, a.status, want, a.text)
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		body     string
		status   int
		code     string
		contains string // in the answer
		field    string // of the stored user, and
		want     any    // what it is then
	}{
		{name: "plain document", body: `{"document":{"name":"Ada"}}`, status: 200, field: "name", want: "Ada"},
		{name: "$set", body: `{"document":{"$set":{"a.b":1}}}`, status: 200, field: "a", want: bson.M{"b": int32(1)}},
		{name: "$unset", body: `{"document":{"$unset":{"n":1}}}`, status: 200, field: "n", want: nil},
		{name: "$inc", body: `{"document":{"$inc":{"n":2}}}`, status: 200, field: "n", want: int32(7)},
		{name: "$mul", body: `{"document":{"$mul":{"n":2}}}`, status: 200, field: "n", want: int32(10)},
		{name: "$min", body: `{"document":{"$min":{"n":2}}}`, status: 200, field: "n", want: int32(2)},
		{name: "$max", body: `{"document":{"$max":{"n":9}}}`, status: 200, field: "n", want: int32(9)},
		{name: "$push", body: `{"document":{"$push":{"tags":"b"}}}`, status: 200, field: "tags", want: bson.A{"a", "b"}},
		{name: "$addToSet", body: `{"document":{"$addToSet":{"tags":"a"}}}`, status: 200, field: "tags", want: bson.A{"a"}},
		{name: "$pull", body: `{"document":{"$pull":{"tags":"a"}}}`, status: 200, field: "tags", want: bson.A{}},
		{name: "several", body: `{"document":{"$set":{"m":1},"$inc":{"n":1},"$unset":{"tags":1}}}`, status: 200, field: "n", want: int32(6)},
		{name: "dates survive", body: `{"document":{"d":{"$date":"2024-01-01T00:00:00Z"}}}`, status: 200, field: "d", want: primitive.NewDateTimeFromTime(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))},
		{name: "query matches", body: `{"document":{"m":1},"query":{"n":5}}`, status: 200, field: "m", want: int32(1)},
		{name: "new key", body: `{"document":{"_key":" Ada@New.example "}}`, status: 200, field: "_identity", want: "ada@new.example"},
		{name: "new key by $set", body: `{"document":{"$set":{"_key":"ada2"},"$inc":{"n":1}}}`, status: 200, field: "_key", want: "ada2"},
		{name: "own key", body: `{"document":{"_key":"ada"}}`, status: 200, field: "_key", want: "ada"},

		{name: "query does not match", body: `{"document":{"m":1},"query":{"n":6}}`, status: 404, code: "user_unknown"},
		{name: "no document", body: `{}`, status: 400, code: "invalid", contains: "document"},
		{name: "empty document", body: `{"document":{}}`, status: 400, code: "invalid", contains: "document"},
		{name: "empty operator", body: `{"document":{"$set":{}}}`, status: 400, code: "invalid", contains: "document"},
		{name: "empty operators", body: `{"document":{"$set":{},"$inc":{}}}`, status: 400, code: "invalid", contains: "document"},
		{name: "array", body: `{"document":[]}`, status: 400, code: "invalid", contains: "document"},
		{name: "pipeline", body: `{"document":[{"$set":{"a":1}}]}`, status: 400, code: "invalid", contains: "document"},
		{name: "taken key", body: `{"document":{"_key":"BOB@example.com"}}`, status: 409, code: "key_exists"},
		{name: "reserved key", body: `{"document":{"_key":"session"}}`, status: 422, code: "key_reserved"},
		{name: "empty key", body: `{"document":{"_key":"  "}}`, status: 400, code: "invalid", contains: "_key"},
		{name: "key that is no string", body: `{"document":{"_key":{"$oid":"65a000000000000000000001"}}}`, status: 400, contains: "_key"},
		{name: "key by $unset", body: `{"document":{"$unset":{"_key":1}}}`, status: 400, contains: "document.$unset._key"},
		{name: "key by $inc", body: `{"document":{"$inc":{"_key":1}}}`, status: 400, contains: "document.$inc._key"},
		{name: "weak password", body: `{"document":{"_password":"short"}}`, status: 422, code: "weak_password"},
		{name: "empty password", body: `{"document":{"$set":{"_password":""}}}`, status: 422, code: "weak_password"},
		{name: "password that is no string", body: `{"document":{"_password":12345678}}`, status: 400, contains: "_password"},
		{name: "null password", body: `{"document":{"$set":{"_password":null}}}`, status: 400, contains: "_password"},
		{name: "password by $unset", body: `{"document":{"$unset":{"_password":1}}}`, status: 400, contains: "document.$unset._password"},
		{name: "password by $min", body: `{"document":{"$min":{"_password":"12345678"}}}`, status: 400, contains: "document.$min._password"},
		{name: "below the password", body: `{"document":{"$set":{"_password.x":"12345678"}}}`, status: 400, contains: "_password"},
		{name: "$rename", body: `{"document":{"$rename":{"n":"m"}}}`, status: 400, code: "operator_not_allowed", contains: "document.$rename"},
		{name: "$rename to a reserved field", body: `{"document":{"$rename":{"n":"_banned"}}}`, status: 400},
		{name: "$setOnInsert", body: `{"document":{"$setOnInsert":{"n":1}}}`, status: 400, code: "operator_not_allowed"},
		{name: "$pop", body: `{"document":{"$pop":{"tags":1}}}`, status: 400, code: "operator_not_allowed"},
		{name: "mixed", body: `{"document":{"$set":{"a":1},"b":2}}`, status: 400},
		{name: "positional", body: `{"document":{"$set":{"tags.$[]":1}}}`, status: 400},
		{name: "query on the password", body: `{"document":{"m":1},"query":{"_password":{"$regex":"^\\$2"}}}`, status: 400, code: "field_reserved", contains: "query._password"},
		{name: "query with $expr", body: `{"document":{"m":1},"query":{"$expr":{"$eq":["$_key","ada"]}}}`, status: 400, code: "operator_not_allowed", contains: "query.$expr"},
		{name: "code", body: `{"document":{"m":{"$code":"1"}}}`, status: 400, code: "invalid"},
		{name: "conflict", body: `{"document":{"$set":{"n":1},"$inc":{"n":1}}}`, status: 400},
		{name: "$inc of a text", body: `{"document":{"$inc":{"name":1}}}`, status: 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fast())
			g.signup("bob@example.com")
			g.want(post(prefix+"/signup", `{"_key":"ada","document":{"n":5,"tags":["a"],"name":"x"}}`), http.StatusCreated, "")
			a := g.do(request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: test.body})
			if a.status != test.status || test.code != "" && a.code() != test.code || !strings.Contains(a.text, test.contains) {
				t.Fatalf("%d %s", a.status, a.text)
			}
			var changed int
			for _, e := range g.events.Events() {
				if _, ok := e.(auth.Changed); ok {
					changed++
				}
			}
			if test.status != http.StatusOK {
				if changed != 0 || g.stored("ada")["_patched"] != nil {
					t.Error("a refused update left something behind")
				}
				return
			}
			if diff := cmp.Diff(map[string]any{"matched": 1.0, "modified": 1.0}, a.fields); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			var doc bson.M
			if err := g.db.Collection("_USERS").FindOne(t.Context(), bson.D{{Key: "_patched", Value: bson.D{{Key: "$exists", Value: true}}}}).Decode(&doc); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, doc[test.field]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.field, diff)
			}
			if doc["_patched"] != primitive.NewDateTimeFromTime(g.clock.Now()) || changed != 1 {
				t.Errorf("_patched = %v, %d events", doc["_patched"], changed)
			}
		})
	}
}

func TestUpdateOfNobody(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.want(request{method: http.MethodPatch, path: prefix + "/users/nobody", key: true, body: `{"document":{"a":1}}`}, http.StatusNotFound, "user_unknown")
	g.signup("ada")
	r := request{method: http.MethodPatch, path: prefix + "/users/ada?query=" + url.QueryEscape(`{"a":1}`), key: true, body: `{"document":{"a":1}}`}
	g.want(r, http.StatusNotFound, "user_unknown")
	r.body = `{"document":{"a":1},"query":{}}`
	g.want(r, http.StatusBadRequest, "invalid")
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("old@example.com")
	in := g.signin("old@example.com")
	g.want(request{method: http.MethodPatch, path: prefix + "/users/old@example.com", key: true, body: `{"document":{"_key":"New@example.com"}}`}, http.StatusOK, "")
	g.want(post(prefix+"/signin", signinBody("old@example.com", pass)), http.StatusUnauthorized, "invalid_credentials")
	g.signin("new@EXAMPLE.com")
	if !g.isIn(in.access) {
		t.Error("a new key ended the session")
	}
	g.signup("old@example.com") // is free again
}

func TestPasswordByPatchEndsSessions(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"document":{"_password":"another horse"}}`, `{"document":{"$set":{"_password":"another horse","n":1},"$unset":{"m":1}}}`} {
		g := newGateway(t, fast())
		g.signup("ada")
		in := g.signin("ada")
		g.want(request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: body}, http.StatusOK, "")
		if g.isIn(in.access) {
			t.Error("the session goes on")
		}
		g.want(post(prefix+"/signin", signinBody("ada", pass)), http.StatusUnauthorized, "invalid_credentials")
		g.want(post(prefix+"/signin", signinBody("ada", "another horse")), http.StatusOK, "")
		g.events.Expect(func(e any) bool {
			p, ok := e.(auth.PasswordChanged)
			return ok && p.User.Key == "ada"
		})
	}
}

// A deletion heeds its body, and goes through where that asks for nothing more.
func TestDeleteWithBody(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	del := func(path, body string) request {
		return request{method: http.MethodDelete, path: prefix + path, key: true, body: body}
	}
	g.signup("ada")
	for _, path := range []string{"/users/ada", "/ada"} {
		g.want(del(path, `{"query":{"nope":1}}`), http.StatusNotFound, "user_unknown")
		g.want(del(path, `{"query":{"_password":{"$exists":true}}}`), http.StatusBadRequest, "field_reserved")
		for _, body := range []string{`{"filter":{"nope":1}}`, `{"query":null}`, `{"query":[]}`, `[]`, `{`, ` `} {
			g.want(del(path, body), http.StatusBadRequest, "invalid")
		}
		g.want(del(path+"?query="+url.QueryEscape(`{}`), `{"query":{}}`), http.StatusBadRequest, "invalid")
	}
	for _, body := range []string{`{}`, `{"query":{}}`, `{"query":{"nope":{"$exists":false}}}`} {
		g.want(del("/users/ada", body), http.StatusOK, "")
		g.signup("ada")
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	del := func(path string) request { return request{method: http.MethodDelete, path: prefix + path, key: true} }
	g.want(del("/users/ada?query="+url.QueryEscape(`{"n":1}`)), http.StatusNotFound, "user_unknown")
	g.want(del("/users/ada?query="+url.QueryEscape(`{"_password":{"$exists":true}}`)), http.StatusBadRequest, "field_reserved")
	a := g.want(del("/users/ADA"), http.StatusNotFound, "user_unknown")
	_ = a
	a = g.want(del("/ada"), http.StatusOK, "")
	if diff := cmp.Diff(map[string]any{"deleted": 1.0}, a.fields); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	g.want(del("/users/ada"), http.StatusNotFound, "user_unknown")
	g.want(request{method: http.MethodGet, path: "/me", bearer: in.access}, http.StatusUnauthorized, "session_expired")
	g.events.Expect(func(e any) bool {
		d, ok := e.(auth.Deleted)
		return ok && d.User.Key == "ada"
	})
	g.signup("ada")
}

func TestChangingAndDeletingAreAsked(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	patch := func(body string) request {
		return request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: body}
	}
	cancel := signals.Intercept(g.bus, func(_ context.Context, e *auth.Changing) error {
		text, _ := bson.MarshalExtJSON(e.Update, false, false)
		if strings.Contains(string(text), "another horse") {
			t.Errorf("an interceptor sees the password: %s", text)
		}
		e.Update = append(e.Update, bson.E{Key: "$inc", Value: bson.D{{Key: "_changes", Value: 1}}})
		return nil
	})
	g.want(patch(`{"document":{"n":1,"_password":"another horse"}}`), http.StatusOK, "")
	if got := g.stored("ada"); got["_changes"] != int32(1) || got["n"] != int32(1) {
		t.Errorf("stored = %v", got)
	}
	cancel()
	cancel = signals.Intercept(g.bus, func(_ context.Context, e *auth.Changing) error {
		e.Update = append(e.Update, bson.E{Key: "$unset", Value: bson.D{{Key: "_password", Value: ""}}})
		return nil
	})
	g.want(patch(`{"document":{"n":2}}`), http.StatusInternalServerError, "internal")
	cancel()
	veto := &service.Problem{Status: http.StatusForbidden, Code: "frozen"}
	signals.Intercept(g.bus, func(context.Context, *auth.Changing) error { return veto })
	signals.Intercept(g.bus, func(context.Context, *auth.Deleting) error { return veto })
	g.want(patch(`{"document":{"n":3}}`), http.StatusForbidden, "frozen")
	g.want(request{method: http.MethodDelete, path: prefix + "/users/ada", key: true}, http.StatusForbidden, "frozen")
	if got := g.stored("ada"); got["n"] != int32(1) || got["_password"] == nil {
		t.Errorf("stored = %v", got)
	}
}

func TestUpdateGo(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	ctx := t.Context()
	id := g.signup("ada")
	ref := auth.Ref{ID: id}
	u, err := g.users.Update(ctx, ref, bson.D{{Key: "$rename", Value: bson.D{{Key: "a", Value: "b"}}}, {Key: "$set", Value: bson.D{{Key: "_role", Value: "admin"}, {Key: "_key", Value: "ada2"}}}})
	if err != nil || u.Key != "ada2" || g.stored("ada2")["_role"] != "admin" {
		t.Errorf("Update = %+v, %v", u, err)
	}
	var field *auth.FieldError
	for _, update := range []any{
		bson.M{"_sessions": bson.M{}},
		bson.M{"_identity": "eve"},
		bson.M{"$set": bson.M{"_banned": false}},
		bson.M{"$set": bson.M{"_sessions.x": 1}},
		bson.M{"$unset": bson.M{"_password": 1}},
		bson.M{"$rename": bson.M{"_password": "shown"}},
		bson.M{"$rename": bson.M{"shown": "_password"}},
		bson.M{"$rename": bson.M{"shown": "_sessions.x"}},
		bson.M{"$set": 5},
	} {
		if _, err := g.users.Update(ctx, ref, update); !errors.As(err, &field) {
			t.Errorf("Update(%v): %v", update, err)
		}
	}
	for name, f := range map[string]func(auth.Ref) error{
		"User":        func(r auth.Ref) error { _, err := g.users.User(ctx, r); return err },
		"Update":      func(r auth.Ref) error { _, err := g.users.Update(ctx, r, bson.M{"a": 1}); return err },
		"Delete":      func(r auth.Ref) error { return g.users.Delete(ctx, r) },
		"SetPassword": func(r auth.Ref) error { return g.users.SetPassword(ctx, r, "another horse") },
	} {
		for _, r := range []auth.Ref{{Key: "nobody"}, {ID: "nobody"}, {ID: "oid:x"}, {Key: "ada2", Query: bson.M{"x": 1}}} {
			if err := f(r); !errors.Is(err, auth.ErrUserUnknown) {
				t.Errorf("%s(%+v): %v", name, r, err)
			}
		}
		if err := f(auth.Ref{Collection: "posts", Key: "ada2"}); !errors.Is(err, auth.ErrUnknownCollection) {
			t.Errorf("%s in another collection: %v", name, err)
		}
	}
}

func TestUserJSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(struct {
		A *auth.User
		B *auth.User
	}{A: &auth.User{ID: "1"}})
	if err != nil || string(data) != `{"A":null,"B":null}` {
		t.Errorf("Marshal = %s, %v", data, err)
	}
}
