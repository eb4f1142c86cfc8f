package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"golang.org/x/crypto/bcrypt"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// oldHash is the hash of the usual password as the original's bcrypt writes it.
func oldHash(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(pass), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return "$2b$" + strings.TrimPrefix(string(hash), "$2a$")
}

func TestExistingDatabase(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	hash := oldHash(t)
	oid, binary := primitive.NewObjectID(), primitive.Binary{Subtype: 4, Data: make([]byte, 16)}
	docs := []any{
		bson.M{"_id": "5f0000000000000000000001", "_key": "Ada@Example.com", "_password": hash, "n": 1},
		bson.M{"_id": oid, "_key": " bob ", "_password": hash},
		bson.M{"_id": int32(7), "_key": "seven", "_password": hash},
		bson.M{"_id": int64(1) << 40, "_key": "big", "_password": hash},
		bson.M{"_id": "oid:5f0000000000000000000001", "_key": "prefixed", "_password": hash},
		bson.M{"_id": "str:x", "_key": "prefixed2", "_password": hash},
		bson.M{"_id": 1.5, "_key": "double", "_password": hash},
		bson.M{"_id": binary, "_key": "binary", "_password": hash},
		bson.M{"_id": "a", "_key": 42, "_password": hash},
		bson.M{"_id": "b", "_key": true, "_password": hash},
		bson.M{"_id": "c", "_password": hash},
		bson.M{"_id": "d", "_key": "  ", "_password": hash},
		bson.M{"_id": "e", "_key": "plain", "_password": "correct horse"},
		bson.M{"_id": "f", "_key": "null", "_password": nil},
		bson.M{"_id": "g", "_key": "number", "_password": 5},
		bson.M{"_id": "h", "_key": "costly", "_password": "$2b$31$" + hash[7:]},
		bson.M{"_id": "i", "_key": "signin", "_password": hash},
	}
	if _, err := db.Collection("_USERS").InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	g := newGatewayOn(t, db, fast())
	for key, id := range map[string]string{
		"ada@example.com": "5f0000000000000000000001", "bob": "oid:" + oid.Hex(), "seven": "int:7", "big": "int:1099511627776",
		"prefixed": "str:oid:5f0000000000000000000001", "prefixed2": "str:str:x", "double": "bson:AQAAAAAAAPg_", "binary": "bson:BRAAAAAEAAAAAAAAAAAAAAAAAAAAAA", "signin": "i",
	} {
		in := g.signin(key)
		if got := claims(t, in.access)["sub"]; got != id {
			t.Errorf("%s: sub = %v, want %s", key, got, id)
		}
		if !g.isIn(in.access) {
			t.Errorf("%s: not in", key)
		}
		in = g.refresh(in.refresh)
		r := post("/pass", `{"current":"correct horse","new":"another horse"}`)
		r.bearer = in.access
		g.want(r, http.StatusNoContent, "")
		g.want(request{method: http.MethodPatch, path: prefix + "/users/" + url.PathEscape(key), key: true, body: `{"document":{"x":1}}`}, http.StatusOK, "")
		u, err := g.users.User(t.Context(), auth.Ref{ID: id})
		if err != nil || u.ID != id {
			t.Errorf("%s: User by id = %+v, %v", key, u, err)
		}
		g.want(request{method: http.MethodGet, path: "/out", bearer: in.access}, http.StatusOK, "")
		if g.isIn(in.access) {
			t.Errorf("%s: still in", key)
		}
	}
	for _, key := range []string{"plain", "null", "number", "costly", "42", "true", "", " a", " b", "a"} {
		g.want(post(prefix+"/signin", signinBody(key, pass)), http.StatusUnauthorized, "invalid_credentials")
	}
	g.want(post(prefix+"/signup", `{"_key":"BOB"}`), http.StatusCreated, "") // no "@", so case counts
	g.want(post(prefix+"/signup", `{"_key":"ADA@example.com"}`), http.StatusConflict, "key_exists")
}

func TestCollisionsStopTheStart(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	coll := db.Collection("_USERS")
	docs := []any{bson.M{"_id": "x", "_key": "alone"}}
	for i := range 25 {
		docs = append(docs, bson.M{"_key": fmt.Sprintf("User%d@example.com", i)}, bson.M{"_key": fmt.Sprintf("user%d@EXAMPLE.com", i)})
	}
	docs = append(docs, bson.M{"_key": "user0@example.com"})
	if _, err := coll.InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	g := assemble(t, db, fast())
	var collision *auth.CollisionError
	err := g.users.Start(t.Context())
	if !errors.As(err, &collision) || collision.Count != 25 || len(collision.Keys) != 20 || !slices.Contains(collision.Keys, "user0@example.com") {
		t.Fatalf("Start = %v", err)
	}
	if !strings.Contains(err.Error(), "_USERS") || !strings.Contains(err.Error(), "user0@example.com") || !strings.Contains(err.Error(), "and more") {
		t.Errorf("the error does not help: %v", err)
	}
	written, err := coll.CountDocuments(t.Context(), bson.M{"_identity": bson.M{"$exists": true}})
	if err != nil || written != 0 {
		t.Errorf("%d users were written all the same, %v", written, err)
	}
	g.want(post(prefix+"/signin", signinBody("alone", pass)), http.StatusServiceUnavailable, "not_started")
	// Once the operator has cleared it up, the start may be tried again.
	if _, err := coll.DeleteMany(t.Context(), bson.M{"_key": bson.M{"$regex": "^user"}}); err != nil {
		t.Fatal(err)
	}
	if err := g.users.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.want(request{method: http.MethodGet, path: prefix + "/users/user3@example.com", key: true}, http.StatusOK, "")
}

// A user that lacks an identity may collide with one that has it.
func TestCollisionWithAnIdentity(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada@example.com")
	if _, err := g.db.Collection("_USERS").InsertOne(t.Context(), bson.M{"_id": "x", "_key": "ADA@example.com"}); err != nil {
		t.Fatal(err)
	}
	var collision *auth.CollisionError
	if err := assemble(t, g.db, fast()).users.Start(t.Context()); !errors.As(err, &collision) || collision.Count != 1 {
		t.Errorf("Start = %v", err)
	}
}

func insert(t *testing.T, db *mongo.Database, docs ...any) {
	t.Helper()
	if _, err := db.Collection(auth.DefaultCollection).InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
}

// An identity is a text, and that of the key as it is now.
func TestWrongIdentitiesAreRewritten(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	g.signup("bob")
	g.signup("carol")
	users := g.db.Collection(auth.DefaultCollection)
	for key, change := range map[string]bson.M{ // by another program
		"ada": {"_key": "Bob@example.com"}, "bob": {"_identity": nil}, "carol": {"_identity": 5},
	} {
		if _, err := users.UpdateOne(t.Context(), bson.M{"_key": key}, bson.M{"$set": change}); err != nil {
			t.Fatal(err)
		}
	}
	again := newGatewayOn(t, g.db, fast())
	for _, key := range []string{"bob@example.com", "bob", "carol"} {
		again.signin(key)
	}
	again.want(post(prefix+"/signin", signinBody("ada", pass)), http.StatusUnauthorized, "invalid_credentials")
	again.signup("ada") // nobody's any more
}

// Users who swapped their keys do not stand in each other's way.
func TestSwappedKeys(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	ids := map[string]string{"ada": g.signup("bob"), "bob": g.signup("carol"), "carol": g.signup("ada")}
	for key, id := range ids {
		if _, err := g.db.Collection(auth.DefaultCollection).UpdateOne(t.Context(), bson.M{"_id": id}, bson.M{"$set": bson.M{"_key": key}}); err != nil {
			t.Fatal(err)
		}
	}
	again := newGatewayOn(t, g.db, fast())
	for key, id := range ids {
		if got := again.want(post("/in", signinBody(key, pass)), http.StatusOK, ""); got.fields["user"].(map[string]any)["_id"] != id {
			t.Errorf("%s is %s, want the user with _id %s", key, got.text, id)
		}
	}
}

// Users whom another program gave one key, identity and all.
func TestDuplicateIdentitiesAreACollision(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	insert(t, db, bson.M{"_key": "ada", "_identity": "ada"}, bson.M{"_key": "ada", "_identity": "ada"})
	var collision *auth.CollisionError
	if err := assemble(t, db, fast()).users.Start(t.Context()); !errors.As(err, &collision) || !slices.Equal(collision.Keys, []string{"ada"}) {
		t.Errorf("Start = %v", err)
	}
}

// Whatever stands in _banned is a ban, unless it says that there is none.
func TestBansOfOtherPrograms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value any
		open  bool
	}{
		"null": {nil, true}, "false": {false, true}, "true": {true, false}, "a number": {1, false}, "zero": {0, false},
		"a text": {"yes", false}, "a time": {time.Unix(0, 0), false}, "a document": {bson.M{}, false}, "an array": {bson.A{}, false},
		"an array of false": {bson.A{false}, false}, "an array of null": {bson.A{nil}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fast())
			g.signup("ada")
			in := g.signin("ada")
			users := g.db.Collection(auth.DefaultCollection)
			if _, err := users.UpdateOne(t.Context(), bson.M{"_key": "ada"}, bson.M{"$set": bson.M{"_banned": test.value}}); err != nil {
				t.Fatal(err)
			}
			if got := g.isIn(in.access); got != test.open {
				t.Errorf("the session is good: %t, want %t", got, test.open)
			}
			status, code := http.StatusForbidden, "account_banned"
			if test.open {
				status, code = http.StatusOK, ""
			}
			g.want(post("/in", signinBody("ada", pass)), status, code)
		})
	}
}

// What another program left in _sessions keeps nobody out.
func TestSessionsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"null": nil, "a text": "x", "a number": 1, "an empty array": bson.A{}, "an array": bson.A{bson.M{"token": "x"}, 1},
		"another program's": bson.M{"token": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := dbtest.Database(t)
			insert(t, db, bson.M{"_id": "1", "_key": "ada", "_password": oldHash(t), "_sessions": value})
			g := newGatewayOn(t, db, fast())
			one, two := g.signin("ada"), g.signin("ada")
			if !g.isIn(one.access) || !g.isIn(two.access) {
				t.Error("not in")
			}
		})
	}
}

// A user whose _id no token can hold does not sign in, and nothing is left of it.
func TestIdsThatCannotBeSigned(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	insert(t, db, bson.M{"_id": "", "_key": "empty", "_password": oldHash(t)}, bson.M{"_id": strings.Repeat("x", 4096), "_key": "long", "_password": oldHash(t)})
	g := newGatewayOn(t, db, fast())
	for _, key := range []string{"empty", "long"} {
		g.want(post("/in", signinBody(key, pass)), http.StatusInternalServerError, "internal")
		if n := g.sessionCount(key); n != 0 {
			t.Errorf("%s has %d sessions", key, n)
		}
	}
}
