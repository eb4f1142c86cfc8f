package execution_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/service"
)

// clock is a time that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// charge is a function that counts how often it really runs.
type charge struct {
	runs  atomic.Int64
	clock clock
	do    func(ctx context.Context, n int64) (int64, error)
}

type amount struct {
	Cents int64 `json:"cents"`
}

func newCharge(t *testing.T, opts execution.FuncOptions, do func(ctx context.Context, n int64) (int64, error)) (*charge, *gateway) {
	t.Helper()
	c := &charge{do: do}
	opts.Idempotent = true
	db := dbtest.Database(t)
	g := newGateway(t, &execution.Options{Database: db, Now: c.clock.now},
		execution.Func("charge", "Charges a card.", func(ctx context.Context, _ amount) (int64, error) {
			n := c.runs.Add(1)
			if c.do == nil {
				return n, nil
			}
			return c.do(ctx, n)
		}, &opts), getWeather(nil))
	g.db = db
	if err := g.fns.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.fns.Stop(context.Background()) })
	return c, g
}

func (g *gateway) charge(key, body string, headers ...string) answer {
	g.Helper()
	return g.call("charge", body, append(headers, "Idempotency-Key", key)...)
}

// replayed fails the test unless the answer says whether it is stored.
func (a answer) replayed(want bool) answer {
	a.Helper()
	if got := a.header.Get("Idempotency-Replayed") == "true"; got != want {
		a.Fatalf("%s: replayed %t, want %t", a.request, got, want)
	}
	return a
}

// withoutID returns the body without the request's id.
func (a answer) withoutID() map[string]any {
	a.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		a.Fatal(err)
	}
	delete(body, "request_id")
	return body
}

func TestAKeyExecutesOnce(t *testing.T) {
	t.Parallel()
	c, g := newCharge(t, execution.FuncOptions{}, nil)
	g.charge("k1", `{"cents":5}`).gave("1").replayed(false)
	g.charge("k1", `{"cents":5}`).gave("1").replayed(true)
	g.charge("k1", ` { "cents" : 5 } `).gave("1").replayed(true)
	g.charge("k1", `{"cents":6}`).refused(http.StatusUnprocessableEntity, "idempotency_key_reused", "")
	g.charge("k2", `{"cents":6}`).gave("2").replayed(false)
	g.call("charge", `{"cents":5}`).gave("3").replayed(false)
	g.charge("k1", `{"cents":"5"}`).refused(http.StatusBadRequest, "invalid", "cents")
	g.charge("k1", `{"cents":5}`, "Authorization", "Bearer ann").gave("4").replayed(false)
	g.charge("k1", `{"cents":5}`, "Authorization", "Bearer bob").gave("5").replayed(false)
	g.charge("k1", `{"cents":5}`, "Authorization", "Bearer ann").gave("4").replayed(true)
	c.clock.advance(execution.DefaultKeyLifetime)
	g.charge("k1", `{"cents":7}`).gave("6").replayed(false)
	g.charge("k1", `{"cents":7}`).gave("6").replayed(true)
}

func TestHowCallsWithAKeyEnd(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		first  error
		panics bool
		status int
		code   string
		text   string
		stored bool
	}{
		"a refusal":              {first: execution.Errorf(http.StatusPaymentRequired, "card_declined", "No funds."), status: 402, code: "card_declined", text: "No funds.", stored: true},
		"a problem":              {first: service.Invalid("cents", "are too few"), status: 400, code: "invalid", text: "are too few", stored: true},
		"its own 500":            {first: execution.Errorf(http.StatusBadGateway, "bank_failed", "The bank failed."), status: 502, code: "bank_failed", stored: true},
		"a failure":              {first: errors.New("half of it is done"), status: 500, code: "function_failed", stored: true},
		"a panic":                {panics: true, status: 500, code: "function_failed", stored: true},
		"it says to try again":   {first: execution.Errorf(http.StatusServiceUnavailable, "bank_closed", "Later."), status: 503, code: "bank_closed"},
		"it says it is too much": {first: execution.Errorf(http.StatusTooManyRequests, "too_many", "Later."), status: 429, code: "too_many"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := newCharge(t, execution.FuncOptions{}, func(_ context.Context, n int64) (int64, error) {
				if n == 1 && row.panics {
					panic("half of it is done")
				}
				if n == 1 {
					return 0, row.first
				}
				return n, nil
			})
			first := g.charge("k", `{"cents":5}`).refused(row.status, row.code, row.text).replayed(false)
			if row.stored {
				again := g.charge("k", `{"cents":5}`).refused(row.status, row.code, "").replayed(true)
				if diff := cmp.Diff(first.withoutID(), again.withoutID()); diff != "" {
					t.Errorf("the answer is another (-first +again):\n%s", diff)
				}
			} else {
				g.charge("k", `{"cents":5}`).gave("2").replayed(false)
			}
			if n := c.runs.Load(); row.stored == (n != 1) {
				t.Errorf("it ran %d times", n)
			}
		})
	}
}

func TestOneOfManyAtOnce(t *testing.T) {
	t.Parallel()
	enter, leave := make(chan struct{}), make(chan struct{})
	c, g := newCharge(t, execution.FuncOptions{}, func(_ context.Context, n int64) (int64, error) {
		close(enter)
		<-leave
		return n, nil
	})
	var first answer
	var done sync.WaitGroup
	done.Go(func() { first = g.charge("k", `{"cents":5}`) })
	<-enter
	var others sync.WaitGroup
	for range 20 {
		others.Go(func() {
			a := g.charge("k", `{"cents":5}`)
			a.refused(http.StatusConflict, "idempotency_in_progress", "")
			if a.header.Get("Retry-After") != "1" {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
		})
	}
	g.charge("k", `{"cents":6}`).refused(http.StatusUnprocessableEntity, "idempotency_key_reused", "")
	others.Wait()
	close(leave)
	done.Wait()
	first.gave("1")
	g.charge("k", `{"cents":5}`).gave("1").replayed(true)
	if n := c.runs.Load(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func TestTheKeyOfADeadProcessIsFreed(t *testing.T) {
	t.Parallel()
	c, g := newCharge(t, execution.FuncOptions{Timeout: time.Minute}, nil)
	g.charge("k", `{"cents":5}`).gave("1")
	// As if the process had died before it could store the answer.
	coll := g.db.Collection("_EXECUTIONS")
	if _, err := coll.UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$unset", Value: bson.D{{Key: "answer", Value: ""}}}}); err != nil {
		t.Fatal(err)
	}
	g.charge("k", `{"cents":5}`).refused(http.StatusConflict, "idempotency_in_progress", "")
	c.clock.advance(2*time.Minute + time.Second)
	var ran, refused atomic.Int64
	var done sync.WaitGroup
	for range 10 {
		done.Go(func() {
			if a := g.charge("k", `{"cents":5}`); a.status == http.StatusOK && a.header.Get("Idempotency-Replayed") == "" {
				ran.Add(1)
			} else {
				refused.Add(1)
			}
		})
	}
	done.Wait()
	if ran.Load() != 1 || c.runs.Load() != 2 {
		t.Errorf("%d took it over, it ran %d times; want 1 and 2", ran.Load(), c.runs.Load())
	}
}

// TestAKeyOutlivesItsRun: a lifetime that is shorter than the function does not
// have it executed twice at once.
func TestAKeyOutlivesItsRun(t *testing.T) {
	t.Parallel()
	var clock clock
	enter, leave := make(chan struct{}), make(chan struct{})
	g := newGateway(t, &execution.Options{Database: dbtest.Database(t), Now: clock.now, KeyLifetime: time.Second},
		nothing("slow", func(context.Context) (string, error) {
			close(enter)
			<-leave
			return "done", nil
		}, &execution.FuncOptions{Idempotent: true}))
	var first answer
	var done sync.WaitGroup
	done.Go(func() { first = g.call("slow", "", "Idempotency-Key", "k") })
	<-enter
	clock.advance(10 * time.Second)
	if n, err := g.fns.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept %d, %v while it runs", n, err)
	}
	g.call("slow", "", "Idempotency-Key", "k").refused(http.StatusConflict, "idempotency_in_progress", "")
	close(leave)
	done.Wait()
	first.gave(`"done"`)
}

// TestWhoWasTakenForDead comes back, and leaves the answer alone that another has
// given since.
func TestWhoWasTakenForDead(t *testing.T) {
	t.Parallel()
	enter, leave := make(chan struct{}), make(chan struct{})
	c, g := newCharge(t, execution.FuncOptions{}, func(_ context.Context, n int64) (int64, error) {
		if n == 1 {
			close(enter)
			<-leave
		}
		return n, nil
	})
	var first answer
	var done sync.WaitGroup
	done.Go(func() { first = g.charge("k", `{"cents":5}`) })
	<-enter
	c.clock.advance(execution.DefaultTimeout + time.Minute)
	g.charge("k", `{"cents":5}`).gave("2").replayed(false)
	close(leave)
	done.Wait()
	first.gave("1")
	g.charge("k", `{"cents":5}`).gave("2").replayed(true)
}

// TestALateAnswerIsKept: the client has its 504, the function returns later, and
// the next try gets what it returned.
func TestALateAnswerIsKept(t *testing.T) {
	t.Parallel()
	leave := make(chan struct{})
	_, g := newCharge(t, execution.FuncOptions{Timeout: 30 * time.Millisecond}, func(_ context.Context, n int64) (int64, error) {
		<-leave
		return n, nil
	})
	g.charge("k", `{"cents":5}`).refused(http.StatusGatewayTimeout, "timeout", "")
	g.charge("k", `{"cents":5}`).refused(http.StatusConflict, "idempotency_in_progress", "")
	close(leave)
	if err := g.fns.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.charge("k", `{"cents":5}`).gave("1").replayed(true)
}

// TestAClientThatLeavesMayComeBack: with a key the function is not canceled, for
// the one who lost the connection wants to know what became of the charge.
func TestAClientThatLeavesMayComeBack(t *testing.T) {
	t.Parallel()
	enter, leave := make(chan struct{}), make(chan struct{})
	c, g := newCharge(t, execution.FuncOptions{}, func(ctx context.Context, n int64) (int64, error) {
		close(enter)
		<-leave
		return n, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-enter
		cancel()
	}()
	r := g.request(http.MethodPost, "/execute/charge", `{"cents":5}`, "Idempotency-Key", "k").WithContext(ctx)
	g.serve(r).refused(service.StatusClientClosed, "client_closed", "")
	if n := g.fns.Abandoned(); n != 1 {
		t.Errorf("%d abandoned, want 1", n)
	}
	close(leave)
	if err := g.fns.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.charge("k", `{"cents":5}`).gave("1").replayed(true)
	if n := c.runs.Load(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func TestATimeoutIsKept(t *testing.T) {
	t.Parallel()
	c, g := newCharge(t, execution.FuncOptions{Timeout: 20 * time.Millisecond}, func(ctx context.Context, n int64) (int64, error) {
		<-ctx.Done()
		return n, ctx.Err()
	})
	g.charge("k", `{"cents":5}`).refused(http.StatusGatewayTimeout, "timeout", "")
	if err := g.fns.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.charge("k", `{"cents":5}`).refused(http.StatusGatewayTimeout, "timeout", "").replayed(true)
	if n := c.runs.Load(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func TestABusyFunctionKeepsNoKey(t *testing.T) {
	t.Parallel()
	enter, leave := make(chan struct{}), make(chan struct{})
	_, g := newCharge(t, execution.FuncOptions{Concurrency: 1}, func(_ context.Context, n int64) (int64, error) {
		if n == 1 {
			close(enter)
			<-leave
		}
		return n, nil
	})
	var done sync.WaitGroup
	done.Go(func() { g.charge("k1", `{"cents":5}`).gave("1") })
	<-enter
	g.charge("k2", `{"cents":5}`).refused(http.StatusServiceUnavailable, "busy", "")
	close(leave)
	done.Wait()
	if err := g.fns.Stop(t.Context()); err != nil { // the place is given back after the answer
		t.Fatal(err)
	}
	g.charge("k2", `{"cents":5}`).gave("2").replayed(false)
}

func TestSweep(t *testing.T) {
	t.Parallel()
	c, g := newCharge(t, execution.FuncOptions{}, nil)
	for i := range 3 {
		g.charge(fmt.Sprint("k", i), `{"cents":5}`)
	}
	c.clock.advance(execution.DefaultKeyLifetime - time.Minute)
	if n, err := g.fns.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept %d, %v before they expire", n, err)
	}
	g.charge("k3", `{"cents":5}`)
	c.clock.advance(2 * time.Minute)
	if n, err := g.fns.Sweep(t.Context()); n != 3 || err != nil {
		t.Errorf("swept %d, %v; want 3", n, err)
	}
}
