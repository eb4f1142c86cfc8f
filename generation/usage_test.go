package generation_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/signals"
)

// clock is a time that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// noon is when the tests of accounts begin.
func noon() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// accounted returns a gateway that keeps accounts, and its clock.
func accounted(t *testing.T, opts generation.Options) (*gateway, *mongo.Database, *clock) {
	t.Helper()
	db := dbtest.Database(t)
	g := &gateway{T: t, gemini: newGemini(t, nil), logs: new(logs), waits: new(waits)}
	c := &clock{now: noon()}
	opts.BaseURL, opts.Now, opts.Sleep = g.gemini.URL(), c.Now, g.waits.sleep
	var err error
	if g.gen, err = generation.New(db, g.gemini.Key(), &opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.gen.Stop(context.Background()) })
	if g.app, err = coglex.New(apiKey, &coglex.Options{Logger: slog.New(slog.NewTextHandler(g.logs, nil)), NoAccessLog: true}); err != nil {
		t.Fatal(err)
	}
	g.echo = echo.New()
	if err := g.app.Mount(g.echo, g.gen); err != nil {
		t.Fatal(err)
	}
	return g, db, c
}

// ada returns a context in which ada is signed in.
func ada(t *testing.T) context.Context {
	t.Helper()
	return middleware.NewContext(t.Context(), person{"ada", "_USERS"})
}

// spending is an answer that takes tokens: 16 in all.
func spending() generationtest.Reply {
	return generationtest.Stream(generationtest.Used(generationtest.Usage{Input: 10, Output: 5, Cached: 2, Thoughts: 1}), generationtest.Text("ok"))
}

// tally is what so many calls of spending take.
func tally(calls int64) generation.Tally {
	return generation.Tally{Calls: calls, Usage: generation.Usage{Input: 10 * calls, Output: 5 * calls, Cached: 2 * calls, Thoughts: calls, Total: 16 * calls}}
}

// usageOf returns an account, and fails the test where there is an error.
func (g *gateway) usageOf(collection, user string, day time.Time) generation.Account {
	g.Helper()
	a, err := g.gen.UsageOf(g.Context(), collection, user, day)
	if err != nil {
		g.Fatal(err)
	}
	return a
}

func TestUsageIsKeptByUserAndDay(t *testing.T) {
	t.Parallel()
	g, db, c := accounted(t, generation.Options{})
	converse := func(ctx context.Context, model string) {
		t.Helper()
		g.gemini.Enqueue(spending())
		if _, err := g.gen.Converse(ctx, generation.Request{Contents: ask(nil).Contents, Model: model}); err != nil {
			t.Fatal(err)
		}
	}
	converse(ada(t), "gemini-2.5-flash")
	converse(ada(t), "models/gemini-2.5-pro")
	converse(ada(t), "")
	converse(t.Context(), "")
	converse(middleware.NewContext(t.Context(), person{"ada", "_OTHERS"}), "")
	c.set(noon().Add(12 * time.Hour))
	converse(ada(t), "")

	want := generation.Account{Day: "2026-01-31", Collection: "_USERS", User: "ada", Tally: tally(3), Models: map[string]generation.Tally{
		"gemini-2.5-flash": tally(2), "gemini-2.5-pro": tally(1),
	}}
	if diff := cmp.Diff(want, g.usageOf("_USERS", "ada", noon().In(time.FixedZone("", 3600)))); diff != "" {
		t.Error(diff)
	}
	for name, a := range map[string]generation.Account{
		"the next day": g.usageOf("_USERS", "ada", c.Now()), "another collection": g.usageOf("_OTHERS", "ada", noon()), "no user": g.usageOf("", "", noon()),
	} {
		if a.Tally != tally(1) {
			t.Errorf("%s: %+v", name, a)
		}
	}
	nobody := g.usageOf("_USERS", "eve", noon())
	if diff := cmp.Diff(generation.Account{Day: "2026-01-31", Collection: "_USERS", User: "eve", Models: map[string]generation.Tally{}}, nobody); diff != "" {
		t.Error(diff)
	}
	var ids []string
	cursor, err := db.Collection(generation.CollectionUsage).Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var docs []struct {
		ID string `bson:"_id"`
	}
	if err := cursor.All(t.Context(), &docs); err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		ids = append(ids, d.ID)
	}
	if diff := cmp.Diff(map[string]bool{"2026-01-31/_USERS/ada": true, "2026-01-31/key": true, "2026-01-31/_OTHERS/ada": true, "2026-02-01/_USERS/ada": true}, set(ids)); diff != "" {
		t.Error(diff)
	}
}

func set(names []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

func TestNamesOfUsersCannotCollide(t *testing.T) {
	t.Parallel()
	g, _, _ := accounted(t, generation.Options{})
	g.gemini.Enqueue(spending())
	if _, err := g.gen.Converse(middleware.NewContext(t.Context(), person{"b/c", "a"}), ask(nil)); err != nil {
		t.Fatal(err)
	}
	if g.usageOf("a/b", "c", noon()).Calls != 0 || g.usageOf("a", "b/c", noon()).Calls != 1 || g.usageOf("", "", noon()).Calls != 0 {
		t.Error("one user's usage is another's")
	}
}

func TestEachCallCountsOnce(t *testing.T) {
	t.Parallel()
	call := generationtest.Stream(generationtest.Used(generationtest.Usage{Input: 10, Output: 5, Cached: 2, Thoughts: 1}), generationtest.Call("getWeather", city("Rome")))
	blocked := generationtest.Chunk(generationtest.Used(generationtest.Usage{Input: 10, Output: 5, Cached: 2, Thoughts: 1}), generationtest.Blocked("SAFETY"))
	tests := map[string]struct {
		replies []generationtest.Reply
		want    int64
	}{
		"an answer":                       {[]generationtest.Reply{spending()}, 1},
		"each call of a loop":             {[]generationtest.Reply{call, call, spending()}, 3},
		"a loop that fails at last":       {[]generationtest.Reply{call, generationtest.Fail(400, "no")}, 1},
		"not what was refused":            {[]generationtest.Reply{generationtest.Fail(400, "no")}, 0},
		"what was tried again, once":      {[]generationtest.Reply{generationtest.Fail(503, "no"), spending()}, 1},
		"a blocked prompt that was read":  {[]generationtest.Reply{blocked}, 1},
		"a stream that breaks off midway": {[]generationtest.Reply{generationtest.Stream(spending(), generationtest.Cut())}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, _, _ := accounted(t, generation.Options{})
			var told generation.Usage
			var mu sync.Mutex
			signals.Subscribe(g.app.Signals(), func(_ context.Context, e generation.Generated) error {
				mu.Lock()
				defer mu.Unlock()
				told.Total += e.Usage.Total
				return nil
			})
			g.gemini.Enqueue(test.replies...)
			for chunk, err := range g.gen.Stream(ada(t), ask(tools{"getWeather": weather})) {
				_, _ = chunk, err
			}
			if got := g.usageOf("_USERS", "ada", noon()); got.Tally != tally(test.want) {
				t.Errorf("got %+v, want %+v", got.Tally, tally(test.want))
			}
			if mu.Lock(); told.Total != 16*test.want {
				t.Errorf("the events tell of %d tokens", told.Total)
			}
			mu.Unlock()
		})
	}
}

func TestWhatWasUsedBeforeTheCallerLeftCounts(t *testing.T) {
	t.Parallel()
	g, _, _ := accounted(t, generation.Options{})
	g.gemini.Enqueue(generationtest.Stream(spending(), generationtest.Hang()), generationtest.Stream(spending(), generationtest.Hang()))
	ctx, cancel := context.WithCancel(ada(t))
	defer cancel()
	for _, err := range g.gen.Stream(ctx, ask(nil)) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	if got := g.usageOf("_USERS", "ada", noon()); got.Tally != tally(1) {
		t.Errorf("canceled: %+v", got)
	}
	for range g.gen.Stream(ada(t), ask(nil)) {
		break
	}
	if got := g.usageOf("_USERS", "ada", noon()); got.Tally != tally(2) {
		t.Errorf("the loop broke: %+v", got)
	}
}

func TestADayHasALimit(t *testing.T) {
	t.Parallel()
	g, _, c := accounted(t, generation.Options{DailyLimit: 32})
	c.set(time.Date(2026, 1, 31, 23, 59, 0, 0, time.UTC))
	g.gemini.Answer(func(generationtest.Request) (generationtest.Reply, bool) { return spending(), true })
	for range 2 {
		if _, err := g.gen.Converse(ada(t), ask(nil)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := g.gen.Converse(ada(t), ask(nil))
	want := &generation.UsageError{Limit: 32, Used: 32, RetryAfter: time.Minute}
	if got, ok := errors.AsType[*generation.UsageError](err); !ok || *got != *want {
		t.Fatalf("got %v", err)
	}
	for _, err := range g.gen.Stream(ada(t), ask(nil)) {
		if _, ok := errors.AsType[*generation.UsageError](err); !ok {
			t.Errorf("streamed: %v", err)
		}
	}
	if _, err := g.gen.Embed(ada(t), generation.EmbedRequest{Texts: []string{"a"}}); !errors.As(err, new(*generation.UsageError)) {
		t.Errorf("vectors: %v", err)
	}
	if n := len(g.gemini.Requests()); n != 2 {
		t.Errorf("Gemini was asked %d times", n)
	}
	if _, err := g.gen.Converse(middleware.NewContext(t.Context(), person{"eve", "_USERS"}), ask(nil)); err != nil {
		t.Errorf("another user: %v", err)
	}
	for range 3 {
		if _, err := g.gen.Converse(t.Context(), ask(nil)); err != nil {
			t.Errorf("nobody in particular: %v", err)
		}
	}
	c.set(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if _, err := g.gen.Converse(ada(t), ask(nil)); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// signedIn serves a handler to ada, as a host does that mounts it alone.
func (g *gateway) signedIn(handler echo.HandlerFunc, method, target, body string) answer {
	g.Helper()
	e := echo.New()
	e.Add(method, "/*", handler, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.SetRequest(c.Request().WithContext(ada(g.T)))
			return next(c)
		}
	})
	r := httptest.NewRequestWithContext(g.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, r)
	return answer{T: g.T, request: method + " " + target, status: rec.Code, header: rec.Header(), body: strings.TrimSpace(rec.Body.String())}
}

func TestTheLimitIs429OverHTTP(t *testing.T) {
	t.Parallel()
	g, _, _ := accounted(t, generation.Options{DailyLimit: 1})
	g.gemini.Enqueue(spending())
	const body = `{"contents": [{"parts": [{"text": "hi"}]}]}`
	g.signedIn(g.gen.HandleConverse, http.MethodPost, "/converse", body).want(http.StatusOK)
	a := g.signedIn(g.gen.HandleConverse, http.MethodPost, "/converse", body)
	a.refused(http.StatusTooManyRequests, "usage_exceeded", "")
	if got := a.header.Get("Retry-After"); got != "43200" {
		t.Errorf("Retry-After is %q", got)
	}
}

func TestALoopStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	g, _, _ := accounted(t, generation.Options{DailyLimit: 1})
	g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")), spending())
	reply, err := g.gen.Converse(ada(t), ask(tools{"getWeather": weather}))
	if _, ok := errors.AsType[*generation.UsageError](err); !ok || reply == nil || len(reply.History) != 2 {
		t.Errorf("got %+v, %v", reply, err)
	}
}

func TestManyCallsAtOnceAreAllCounted(t *testing.T) {
	t.Parallel()
	g, _, _ := accounted(t, generation.Options{})
	g.gemini.Answer(func(generationtest.Request) (generationtest.Reply, bool) { return spending(), true })
	const n = 50
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := g.gen.Converse(ada(t), ask(nil))
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := g.usageOf("_USERS", "ada", noon()); got.Tally != tally(n) {
		t.Errorf("got %+v", got.Tally)
	}
	if strings.Contains(g.logs.String(), "not recorded") {
		t.Error(g.logs)
	}
}

func TestUsageOverHTTP(t *testing.T) {
	t.Parallel()
	g, _, _ := accounted(t, generation.Options{})
	g.gemini.Answer(func(generationtest.Request) (generationtest.Reply, bool) { return spending(), true })
	for _, ctx := range []context.Context{ada(t), t.Context()} {
		if _, err := g.gen.Converse(ctx, ask(nil)); err != nil {
			t.Fatal(err)
		}
	}
	const sum = `"calls":1,"input":10,"output":5,"cached":2,"thoughts":1,"total":16`
	const models = `"models":{"gemini-2.5-flash":{` + sum + `}}`
	usage := func(query string) answer { return g.do(http.MethodGet, "/usage"+query, "", http.NoBody) }
	usage("").parts(`{"day":"2026-01-31",` + sum + `,` + models + `}`)
	usage("?day=2026-01-31&collection=_USERS&user=ada").parts(`{"day":"2026-01-31","collection":"_USERS","user":"ada",` + sum + `,` + models + `}`)
	var other struct{ Calls int }
	if err := json.Unmarshal([]byte(usage("?day=2026-01-30").want(http.StatusOK).body), &other); err != nil || other.Calls != 0 {
		t.Errorf("the day before: %+v, %v", other, err)
	}
	for query, field := range map[string]string{"?day=today": `"day"`, "?user=ada": `"user"`, "?collection=_USERS": `"user"`, "?all=1": `"all"`} {
		usage(query).refused(http.StatusBadRequest, "invalid", field)
	}
	if got := usage("").header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	own := `{"day":"2026-01-31","collection":"_USERS","user":"ada",` + sum + `,` + models + `}`
	for _, query := range []string{"", "?collection=_USERS&user=ada"} {
		g.signedIn(g.gen.HandleUsage, http.MethodGet, "/usage"+query, "").parts(own)
	}
	g.signedIn(g.gen.HandleUsage, http.MethodGet, "/usage?"+url.Values{"collection": {"_USERS"}, "user": {"eve"}}.Encode(), "").refused(http.StatusForbidden, "not_yours", "")
	rec := httptest.NewRecorder()
	e := echo.New()
	e.GET("/usage", g.gen.HandleUsage)
	e.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/usage?collection=_USERS&user=ada", http.NoBody))
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("nobody at all is told %d %s", rec.Code, rec.Body)
	}
	newGateway(t, nil).do(http.MethodGet, "/usage", "", http.NoBody).refused(http.StatusNotFound, "not_found", "")
}

func TestADatabaseThatIsAwayLetsNobodyPastALimit(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	db := dbtest.Connect(t, server.URI()).Database("usage")
	gemini := newGemini(t, nil)
	logged := new(logs)
	gen, err := generation.New(db, gemini.Key(), &generation.Options{
		BaseURL: gemini.URL(), DailyLimit: 100, Logger: slog.New(slog.NewTextHandler(logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gen.Stop(context.Background()) })
	if _, err := gen.Converse(ada(t), ask(nil)); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if _, err := gen.Converse(ada(t), ask(nil)); err == nil || len(gemini.Requests()) != 1 {
		t.Errorf("got %v after %d requests", err, len(gemini.Requests()))
	}
	if _, err := gen.Converse(t.Context(), ask(nil)); err != nil || !strings.Contains(logged.String(), "usage is not recorded") {
		t.Errorf("who has no limit: %v, logged %s", err, logged)
	}
}
