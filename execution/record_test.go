package execution_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
)

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	c, g := newCharge(t, execution.FuncOptions{}, nil)
	for _, key := range []string{"", "with space", "with\ttab", "é", strings.Repeat("k", 256)} {
		g.charge(key, `{"cents":5}`).refused(http.StatusBadRequest, "invalid", "Idempotency-Key")
	}
	r := g.request(http.MethodPost, "/execute/charge", `{"cents":5}`)
	r.Header["Idempotency-Key"] = []string{"a", "b"}
	g.serve(r).refused(http.StatusBadRequest, "invalid", "Idempotency-Key")
	g.call("getWeather", `{"city":"a"}`, "Idempotency-Key", "k").refused(http.StatusBadRequest, "invalid", "is not taken")
	g.charge(strings.Repeat("k", 255), `{"cents":5}`).gave("1")
	if n := c.runs.Load(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

// TestKeysOfOthers: a key is its function's and its caller's, and users of two
// collections are two users.
func TestKeysOfOthers(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	count := func(context.Context) (string, error) { return fmt.Sprint(runs.Add(1)), nil }
	opts := &execution.FuncOptions{Idempotent: true}
	g := newGateway(t, &execution.Options{Database: dbtest.Database(t)}, nothing("one", count, opts), nothing("two", count, opts))
	callers := []middleware.Identity{nil, user("ann"), user("bob"), admin("ann"), user(""), user(`ann" "k`)}
	want := 0
	for _, name := range g.fns.Names() {
		for _, caller := range callers {
			want++
			for _, replayed := range []bool{false, true} {
				r := g.request(http.MethodPost, "/execute/"+name, "", "Idempotency-Key", "k")
				if caller != nil {
					r = r.WithContext(middleware.NewContext(r.Context(), caller))
				}
				g.serve(r).gave(fmt.Sprintf("%q", fmt.Sprint(want))).replayed(replayed)
			}
		}
	}
}

// admin is a user of another collection.
type admin string

func (a admin) UserID() string     { return string(a) }
func (a admin) Collection() string { return "_ADMINS" }
func (a admin) SessionID() string  { return "session of " + string(a) }

// TestAnInputThatDoesNotDecodeFreesTheKey: the schema takes what the type does not.
func TestAnInputThatDoesNotDecodeFreesTheKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &execution.Options{Database: dbtest.Database(t)},
		execution.Func("book", "Books a day.", func(_ context.Context, in struct{ Day time.Time }) (int, error) { return in.Day.Day(), nil },
			&execution.FuncOptions{Idempotent: true}))
	g.call("book", `{"Day":"tomorrow"}`, "Idempotency-Key", "k").refused(http.StatusBadRequest, "invalid", "has the wrong form")
	g.call("book", `{"Day":"2030-01-31T00:00:00Z"}`, "Idempotency-Key", "k").gave("31").replayed(false)
}

func TestALargeResultIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	g := newGateway(t, &execution.Options{Database: dbtest.Database(t), MaxResultBytes: 10},
		nothing("large", func(context.Context) (string, error) {
			runs.Add(1)
			return strings.Repeat("x", 10), nil
		}, &execution.FuncOptions{Idempotent: true}))
	for _, replayed := range []bool{false, true} {
		g.call("large", "", "Idempotency-Key", "k").refused(http.StatusInternalServerError, "result_too_large", "").replayed(replayed)
	}
	if n := runs.Load(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func TestNothingOfACallerIsStoredInClear(t *testing.T) {
	t.Parallel()
	_, g := newCharge(t, execution.FuncOptions{}, nil)
	g.charge("the-secret-key", `{"cents":987654321}`, "Authorization", "Bearer ann")
	var doc bson.M
	if err := g.db.Collection("_EXECUTIONS").FindOne(t.Context(), bson.D{}).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	text, err := bson.MarshalExtJSON(doc, false, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"the-secret-key", "987654321", "ann", apiKey} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s holds %s", text, secret)
		}
	}
}

// TestAReplayTakesNoPlace: the place of a call that is not executed is given back.
func TestAReplayTakesNoPlace(t *testing.T) {
	t.Parallel()
	_, g := newCharge(t, execution.FuncOptions{Concurrency: 1}, nil)
	g.charge("k", `{"cents":5}`).gave("1")
	for range 3 {
		if err := g.fns.Stop(t.Context()); err != nil { // the place is given back after the answer
			t.Fatal(err)
		}
		g.charge("k", `{"cents":5}`).gave("1").replayed(true)
		g.charge("k", `{"cents":6}`).refused(http.StatusUnprocessableEntity, "idempotency_key_reused", "")
	}
}
