package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestSignup(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 321)
	tests := []struct {
		name   string
		body   string
		status int
		code   string
		field  string // that the problem names
	}{
		{name: "key and password", body: `{"_key":"new@example.com","_password":"12345678"}`, status: 201},
		{name: "without a password", body: `{"_key":"bare"}`, status: 201},
		{name: "with a document", body: `{"_key":"doc","document":{"name":"Ada","born":{"$date":"1815-12-10T00:00:00Z"}}}`, status: 201},
		{name: "empty document", body: `{"_key":"empty","document":{}}`, status: 201},
		{name: "password of 72 bytes", body: `{"_key":"p72","_password":` + quote(strings.Repeat("ä", 36)) + `}`, status: 201},
		{name: "key of 320 bytes", body: `{"_key":` + quote(long[:320]) + `}`, status: 201},

		{name: "taken key", body: `{"_key":"taken@example.com","_password":"12345678"}`, status: 409, code: "key_exists"},
		{name: "taken key in another case", body: `{"_key":" TAKEN@Example.COM "}`, status: 409, code: "key_exists"},
		{name: "no key", body: `{"_password":"12345678"}`, status: 400, code: "invalid", field: "_key"},
		{name: "empty key", body: `{"_key":""}`, status: 400, code: "invalid", field: "_key"},
		{name: "blank key", body: `{"_key":" \t "}`, status: 400, code: "invalid", field: "_key"},
		{name: "key too long", body: `{"_key":` + quote(long) + `}`, status: 400, code: "invalid", field: "_key"},
		{name: "key with a NUL", body: `{"_key":"a\u0000b"}`, status: 400, code: "invalid", field: "_key"},
		{name: "key with a line break", body: `{"_key":"a\nb"}`, status: 400, code: "invalid", field: "_key"},
		{name: "key with a zero-width space", body: `{"_key":"a\u200bda"}`, status: 400, code: "invalid", field: "_key"},
		{name: "key that turns the direction", body: `{"_key":"a\u202eda"}`, status: 400, code: "invalid", field: "_key"},
		{name: "key with a byte order mark", body: `{"_key":"\ufeffada"}`, status: 400, code: "invalid", field: "_key"},
		{name: "key that is a route", body: `{"_key":"signin"}`, status: 422, code: "key_reserved"},
		{name: "key that is a route in capitals", body: `{"_key":"Sessions"}`, status: 422, code: "key_reserved"},
		{name: "key that is a route to come", body: `{"_key":"oauth"}`, status: 422, code: "key_reserved"},
		{name: "key that URLs cannot hold", body: `{"_key":".."}`, status: 422, code: "key_reserved"},
		{name: "number as key", body: `{"_key":42}`, status: 400, code: "invalid", field: "_key"},
		{name: "operator as key", body: `{"_key":{"$ne":null}}`, status: 400, code: "invalid", field: "_key"},
		{name: "null as key", body: `{"_key":null}`, status: 400, code: "invalid", field: "_key"},
		{name: "array as key", body: `{"_key":["a"]}`, status: 400, code: "invalid", field: "_key"},

		{name: "password too short", body: `{"_key":"w","_password":"1234567"}`, status: 422, code: "weak_password", field: "_password"},
		{name: "password too long", body: `{"_key":"w","_password":` + quote(strings.Repeat("ä", 37)) + `}`, status: 422, code: "weak_password", field: "_password"},
		{name: "empty password", body: `{"_key":"w","_password":""}`, status: 422, code: "weak_password", field: "_password"},
		{name: "password with a NUL", body: `{"_key":"w","_password":"1234\u00005678"}`, status: 422, code: "weak_password", field: "_password"},
		{name: "null as password", body: `{"_key":"w","_password":null}`, status: 400, code: "invalid", field: "_password"},
		{name: "false as password", body: `{"_key":"w","_password":false}`, status: 400, code: "invalid", field: "_password"},
		{name: "operator as password", body: `{"_key":"w","_password":{"$gt":""}}`, status: 400, code: "invalid", field: "_password"},

		{name: "unknown member", body: `{"_key":"u","role":"admin"}`, status: 400, code: "invalid", field: "role"},
		{name: "duplicate member", body: `{"_key":"u","_key":"v"}`, status: 400, code: "invalid", field: "_key"},
		{name: "escaped duplicate", body: `{"_key":"u","\u005fkey":"v"}`, status: 400, code: "invalid", field: "_key"},
		{name: "trailing data", body: `{"_key":"u"}{}`, status: 400, code: "invalid"},
		{name: "array as document", body: `{"_key":"u","document":[]}`, status: 400, code: "invalid", field: "document"},
		{name: "null as document", body: `{"_key":"u","document":null}`, status: 400, code: "invalid", field: "document"},
	}
	o := fast()
	o.Settable = []string{"name", "born"} // or /join, which asks for no key, would take no document
	g := newGateway(t, o)
	g.signup("taken@example.com")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{prefix + "/signup", "/join"} {
				r := post(path, test.body)
				r.key = path != "/join"
				a := g.do(r)
				if test.status == http.StatusCreated && path == "/join" {
					test.status, test.code = http.StatusConflict, "key_exists" // the second time
				}
				if a.status != test.status || a.code() != test.code {
					t.Fatalf("%s: %d %q, want %d %q\n%s", path, a.status, a.code(), test.status, test.code, a.text)
				}
				if test.field != "" && !strings.Contains(a.text, `"field":"`+test.field+`"`) {
					t.Errorf("the problem does not name %s: %s", test.field, a.text)
				}
			}
		})
	}
}

func TestSignupRefusesReservedFields(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	for _, field := range []string{
		"_id", "_key", "_identity", "_password", "_inserted", "_patched", "_sessions", "_banned", "_role", "_", "$set", "$where", "a.b", "", "_sessions.x",
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			a := g.do(post(prefix+"/signup", `{"_key":"eve","document":{`+quote(field)+`:1}}`))
			if a.status != http.StatusBadRequest || !strings.Contains(a.str("detail"), "document.") {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
	}
}

func TestSignupStores(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	a := g.want(post(prefix+"/signup", `{"_key":" Ada@Example.com ","_password":"12345678","document":{"n":7,"big":{"$numberLong":"9007199254740993"},"tags":["a",{"b":1}]}}`), http.StatusCreated, "")
	if got := a.header.Get("Location"); got != prefix+"/users/Ada@Example.com" {
		t.Errorf("Location = %q", got)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
	got := g.stored("Ada@Example.com")
	hash, _ := got["_password"].(string)
	if !strings.HasPrefix(hash, "$2") || strings.Contains(hash, "12345678") {
		t.Errorf("_password = %q", hash)
	}
	delete(got, "_password")
	want := bson.M{
		"_id": a.str("_id"), "_key": "Ada@Example.com", "_identity": "ada@example.com",
		"_inserted": primitive.NewDateTimeFromTime(g.clock.Now()),
		"n":         int32(7), "big": int64(9007199254740993), "tags": bson.A{"a", bson.M{"b": int32(1)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if _, err := primitive.ObjectIDFromHex(a.str("_id")); err != nil {
		t.Errorf("_id %q is no 24 hex digits", a.str("_id"))
	}
	g.events.ExpectExactly(func(e any) bool {
		up, ok := e.(auth.SignedUp)
		return ok && up.User.Key == "Ada@Example.com" && up.Client.Address == "198.51.100.7"
	})
}

func TestSignupAnswersWhereTheUserIs(t *testing.T) {
	t.Parallel()
	o := fast()
	o.Collections = []string{"people"}
	g := newGateway(t, o)
	for _, test := range []struct{ path, key, location string }{
		{prefix + "/signup", "a/b c", prefix + "/users/a%2Fb%20c"},
		{prefix + "/signup/", "slash", prefix + "/users/slash"},
		{prefix + "/signup/people", "p", prefix + "/users/p"},
		{prefix + "/signup/_USERS", "u", prefix + "/users/u?collection=_USERS"},
		{"/join", "j", ""},
	} {
		a := g.want(post(test.path, `{"_key":`+quote(test.key)+`}`), http.StatusCreated, "")
		if got := a.header.Get("Location"); got != test.location {
			t.Errorf("%s: Location = %q, want %q", test.path, got, test.location)
		}
		if test.location != "" {
			a := g.want(request{method: http.MethodGet, path: test.location, key: true}, http.StatusOK, "")
			if a.str("_key") != test.key {
				t.Errorf("%s: there is %s", test.location, a.text)
			}
		}
	}
}

// At the root there is no prefix, and alone there is no route of users.
func TestLocationAtTheRoot(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	whole, alone := echo.New(), echo.New()
	pass := func(string) echo.MiddlewareFunc { return func(next echo.HandlerFunc) echo.HandlerFunc { return next } }
	if _, err := service.Register(whole, "", service.Guards{Protected: pass, Authenticated: pass(""), Identified: pass("")}, g.users.Routes()); err != nil {
		t.Fatal(err)
	}
	alone.POST("/signup", g.users.HandleSignup)
	for _, test := range []struct {
		echo          *echo.Echo
		key, location string
	}{{whole, "ada", "/users/ada"}, {alone, "bob", ""}} {
		g.echo = test.echo
		a := g.want(post("/signup", `{"_key":`+quote(test.key)+`}`), http.StatusCreated, "")
		if got := a.header.Get("Location"); got != test.location {
			t.Errorf("Location = %q, want %q", got, test.location)
		}
	}
}

// Only one of the crowd may have its password hashed: the gate would not let so
// many wait.
func TestFiftySignupsOfOneKeyMakeOneAccount(t *testing.T) {
	t.Parallel()
	o := fast()
	o.Cost, o.HashPlaces = 10, 1
	quiet := newGateway(t, o)
	quiet.signup("first@example.com")
	begun := time.Now()
	quiet.signup("second@example.com")
	o.HashWait = 10 * time.Since(begun)
	g := newGateway(t, o)
	const n = 50
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			key := "crowd@example.com"
			if i%2 == 1 {
				key = "Crowd@Example.com"
			}
			answers[i] = g.do(post(prefix+"/signup", signinBody(key, pass)))
		})
	}
	wg.Wait()
	count := map[string]int{}
	for _, a := range answers {
		count[fmt.Sprint(a.status, " ", a.code())]++
	}
	if diff := cmp.Diff(map[string]int{"201 ": 1, "409 key_exists": n - 1}, count); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

// The look before the insert can be late: then the index decides.
func TestSignupRaceOfTwoInstances(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	one, two := newGatewayOn(t, db, fast()), newGatewayOn(t, db, fast())
	signals.Intercept(one.bus, func(context.Context, *auth.SigningUp) error {
		two.signup("same")
		return nil
	})
	one.want(post(prefix+"/signup", `{"_key":"same"}`), http.StatusConflict, "key_exists")
}

func TestSettableFields(t *testing.T) {
	t.Parallel()
	o := fast()
	o.Settable = []string{"name"}
	g := newGateway(t, o)
	g.want(post(prefix+"/signup", `{"_key":"a","document":{"name":{"first":"Ada"}}}`), http.StatusCreated, "")
	g.want(post(prefix+"/signup", `{"_key":"b","document":{"name":"x","role":"admin"}}`), http.StatusUnprocessableEntity, "field_not_allowed")
	patch := func(document string) request {
		return request{method: http.MethodPatch, path: prefix + "/users/a", key: true, body: `{"document":` + document + `}`}
	}
	for _, allowed := range []string{`{"name":"Ada"}`, `{"$set":{"name":{"first":"A"}}}`, `{"$set":{"name.first":"A"}}`, `{"$unset":{"name":1}}`, `{"_password":"12345678"}`, `{"_key":"a"}`} {
		g.want(patch(allowed), http.StatusOK, "")
	}
	for _, refused := range []string{`{"role":"admin"}`, `{"$set":{"role":1}}`, `{"$set":{"role.x":1}}`, `{"$push":{"roles":1}}`, `{"$unset":{"names":1}}`, `{"$set":{"name2":1}}`} {
		g.want(patch(refused), http.StatusUnprocessableEntity, "field_not_allowed")
	}
	// The gateway's own code is not bound by it.
	if _, err := g.users.Update(t.Context(), auth.Ref{Key: "a"}, bson.M{"role": "admin", "_grade": 1}); err != nil {
		t.Errorf("Update: %v", err)
	}
	if got := g.stored("a"); got["role"] != "admin" || got["_grade"] != int32(1) {
		t.Errorf("stored = %v", got)
	}
}

func TestWithoutAnAPIKeyNoFieldIsSettableUnlessListed(t *testing.T) {
	t.Parallel()
	body := `{"_key":"eve","_password":"12345678","document":{"role":"admin"}}`
	byHand := func(path, body string) request {
		r := post(path, body)
		r.key = false
		return r
	}
	g := newGateway(t, fast())
	g.want(byHand("/join", body), http.StatusUnprocessableEntity, "field_not_allowed")
	g.want(byHand("/join", `{"_key":"eve","_password":"12345678"}`), http.StatusCreated, "") // no account was made before
	g.want(post(prefix+"/signup", strings.Replace(body, "eve", "ada", 1)), http.StatusCreated, "")

	o := fast()
	o.Settable = []string{"name"}
	listed := newGateway(t, o)
	listed.want(byHand("/join", `{"_key":"eve","document":{"name":"Eve"}}`), http.StatusCreated, "")
}

func TestSigningUpIsAsked(t *testing.T) {
	t.Parallel()
	veto := errors.New("a secret reason")
	tests := []struct {
		name      string
		intercept func(*auth.SigningUp) error
		status    int
		code      string
		stored    bson.M
	}{
		{
			name: "changes the document",
			intercept: func(e *auth.SigningUp) error {
				e.Document = append(e.Document, bson.E{Key: "_role", Value: "guest"})
				return nil
			},
			status: http.StatusCreated, stored: bson.M{"name": "Ada", "_role": "guest"},
		},
		{
			name: "refuses in its own words",
			intercept: func(*auth.SigningUp) error {
				return &service.Problem{Status: http.StatusForbidden, Code: "members_only"}
			},
			status: http.StatusForbidden, code: "members_only",
		},
		{name: "fails", intercept: func(*auth.SigningUp) error { return veto }, status: http.StatusInternalServerError, code: "internal"},
		{
			name: "may not write what is ours",
			intercept: func(e *auth.SigningUp) error {
				e.Document = append(e.Document, bson.E{Key: "_password", Value: "plain"})
				return nil
			},
			status: http.StatusInternalServerError, code: "internal",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fast())
			signals.Intercept(g.bus, func(_ context.Context, e *auth.SigningUp) error {
				if e.Key != "ada" || e.Collection != auth.DefaultCollection || e.Client.Address != "198.51.100.7" {
					t.Errorf("asked about %+v", e)
				}
				return test.intercept(e)
			})
			a := g.want(post(prefix+"/signup", `{"_key":"ada","document":{"name":"Ada"}}`), test.status, test.code)
			if strings.Contains(a.text, veto.Error()) {
				t.Errorf("the answer tells the cause: %s", a.text)
			}
			if test.stored == nil {
				g.want(request{method: http.MethodGet, path: prefix + "/users/ada", key: true}, http.StatusNotFound, "user_unknown")
				g.events.ExpectExactly()
				return
			}
			got := g.stored("ada")
			for field, want := range test.stored {
				if diff := cmp.Diff(want, got[field]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", field, diff)
				}
			}
		})
	}
}

func TestSignUpGo(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	ctx := t.Context()
	type profile struct {
		Name string    `bson:"name"`
		Role string    `bson:"_role"`
		At   time.Time `bson:"at"`
	}
	in := profile{Name: "Ada", Role: "admin", At: g.clock.Now()}
	u, err := g.users.SignUp(ctx, auth.Account{Key: "ada", Password: pass, Document: in})
	if err != nil {
		t.Fatal(err)
	}
	var out profile
	if err := u.Decode(&out); err != nil || out.Name != "Ada" || out.Role != "" || !out.At.Equal(in.At) {
		t.Errorf("Decode = %+v, %v; reserved fields must be left out", out, err)
	}
	if g.stored("ada")["_role"] != "admin" {
		t.Error("the gateway's own reserved field was not stored")
	}
	var weak *auth.WeakPasswordError
	var key *auth.KeyError
	var field *auth.FieldError
	for _, test := range []struct {
		name    string
		account auth.Account
		ok      func(error) bool
	}{
		{"taken", auth.Account{Key: "ada"}, func(err error) bool { return errors.Is(err, auth.ErrKeyExists) }},
		{"weak", auth.Account{Key: "b", Password: "x"}, func(err error) bool { return errors.As(err, &weak) && len(weak.Reasons) == 1 }},
		{"no key", auth.Account{}, func(err error) bool { return errors.As(err, &key) }},
		{"reserved key", auth.Account{Key: "password"}, func(err error) bool { return errors.Is(err, auth.ErrKeyReserved) }},
		{"field of ours", auth.Account{Key: "b", Document: bson.M{"_banned": false}}, func(err error) bool { return errors.As(err, &field) }},
		{"field twice", auth.Account{Key: "b", Document: bson.D{{Key: "a", Value: 1}, {Key: "a", Value: 2}}}, func(err error) bool { return errors.As(err, &field) }},
		{"unknown collection", auth.Account{Collection: "posts", Key: "b"}, func(err error) bool { return errors.Is(err, auth.ErrUnknownCollection) }},
		{"no document", auth.Account{Key: "b", Document: 5}, func(err error) bool { return err != nil }},
	} {
		if _, err := g.users.SignUp(ctx, test.account); !test.ok(err) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
