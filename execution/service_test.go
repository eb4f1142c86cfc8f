package execution_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

type (
	loop   struct{ Next *loop }
	hidden struct{ Name string }
	Outer  struct{ *hidden }
)

func TestNewReturnsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	ok := func(context.Context, struct{}) (string, error) { return "", nil }
	many := strings.Repeat("n", 65)
	_, err := execution.New([]execution.Function{
		execution.Func("", "No name.", ok, nil),
		execution.Func("9lives", "Begins with a digit.", ok, nil),
		execution.Func("a.b", "Has a dot.", ok, nil),
		execution.Func("a/b", "Has a slash.", ok, nil),
		execution.Func("name\n", "Has a line end.", ok, nil),
		execution.Func(many, "Is too long.", ok, nil),
		execution.Func("twice", "Once.", ok, nil),
		execution.Func("twice", "Again.", ok, nil),
		execution.Func("silent", "", ok, nil),
		execution.Func[struct{}, string]("absent", "Is nil.", nil, nil),
		execution.Func("negative", "Has bad options.", ok, &execution.FuncOptions{Timeout: -1, Concurrency: -2}),
		execution.Func("takesText", "Takes no object.", func(context.Context, string) (string, error) { return "", nil }, nil),
		execution.Func("takesLoop", "Takes what has no end.", func(context.Context, loop) (string, error) { return "", nil }, nil),
		execution.Func("takesHidden", "Takes what cannot be set.", func(context.Context, struct{ Outer }) (string, error) { return "", nil }, nil),
		execution.Func("givesLoop", "Returns what has no end.", func(context.Context, struct{}) (loop, error) { return loop{}, nil }, nil),
		execution.Func("once", "Has nowhere to keep it.", ok, &execution.FuncOptions{Idempotent: true}),
		{},
	}, &execution.Options{BodyLimit: -1, MaxResultBytes: -1, KeyLifetime: -1, SweepInterval: -1})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`"": the name`, `"9lives": the name`, `"a.b": the name`, `"a/b": the name`, `"name\n": the name`, `"` + many + `": the name`,
		`"twice" is given twice`, `"silent": it has no description`, `"absent": it is nil`, `"negative": Timeout is -1ns`, `"negative": Concurrency is -2`,
		`"takesText": input: string is no object`, `"takesLoop": input: `, "loop contains itself", `"takesHidden": input: `, `"givesLoop": output: `, `"once" is idempotent`, "a Function is empty",
		"Options.BodyLimit is -1", "Options.MaxResultBytes is -1", "Options.KeyLifetime is -1", "Options.SweepInterval is -1",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if _, err := execution.New([]execution.Function{getWeather(&execution.FuncOptions{Idempotent: true})},
		&execution.Options{Database: dbtest.Database(t), MaxResultBytes: 16 << 20}); err == nil || !strings.Contains(err.Error(), "MaxResultBytes") {
		t.Errorf("error %v", err)
	}
}

func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	opts := &execution.FuncOptions{}
	f := getWeather(opts)
	opts.User = true
	functions := []execution.Function{f}
	fns := newService(t, functions...)
	functions[0] = execution.Function{}
	if _, err := fns.Call(t.Context(), "getWeather", []byte(`{"city":"a"}`)); err != nil {
		t.Error(err)
	}
	names := fns.Names()
	names[0] = "x"
	if diff := cmp.Diff([]string{"getWeather"}, fns.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestCollections(t *testing.T) {
	t.Parallel()
	if got := newService(t).Collections(); got != nil {
		t.Errorf("%v without a database", got)
	}
	db := dbtest.Database(t)
	fns, err := execution.New(nil, &execution.Options{Database: db})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]service.Namespace{{Database: db.Name(), Collection: "_EXECUTIONS"}}, fns.Collections()); diff != "" {
		t.Errorf("collections (-want +got):\n%s", diff)
	}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*execution.Options{"without a database": nil, "with one": {Database: dbtest.Database(t), SweepInterval: time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fns, err := execution.New(nil, opts)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []func(context.Context) error{fns.Stop, fns.Start, fns.Start, fns.Ready, fns.Stop, fns.Stop, fns.Start, fns.Stop} {
				if err := step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestStopInAHurry: a context that is over leaves no worker behind that Start would
// take for one that works.
func TestStopInAHurry(t *testing.T) {
	t.Parallel()
	fns, err := execution.New(nil, &execution.Options{Database: dbtest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if err := errors.Join(fns.Start(t.Context()), fns.Stop(over)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	db := dbtest.Connect(t, "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50").Client.Database("x")
	g := newGateway(t, &execution.Options{Database: db}, getWeather(&execution.FuncOptions{Idempotent: true}))
	a := g.call("getWeather", `{"city":"a"}`, "Idempotency-Key", "k").refused(http.StatusServiceUnavailable, "database_unavailable", "")
	if a.header.Get("Retry-After") == "" || strings.Contains(a.body, "127.0.0.1") {
		t.Errorf("header %v, body %s", a.header, a.body)
	}
	if a := g.call("getWeather", `{"city":"a"}`); a.status != http.StatusOK {
		t.Errorf("without a key: %d %s", a.status, a.body)
	}
	if err := g.fns.Ready(t.Context()); err == nil {
		t.Error("it is ready")
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, getWeather(nil),
		nothing("fails", func(context.Context) (string, error) { return "", errors.New("no") }, nil),
		nothing("refuses", func(context.Context) (string, error) { return "", execution.Errorf(409, "taken", "Taken.") }, nil),
		nothing("waits", func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }, &execution.FuncOptions{Timeout: time.Millisecond}),
		nothing("large", func(context.Context) (string, error) {
			return strings.Repeat("x", execution.DefaultMaxResultBytes), nil
		}, nil),
		nothing("vetoed", func(context.Context) (string, error) { t.Error("it was called"); return "", nil }, nil),
		nothing("broken", func(context.Context) (string, error) { t.Error("it was called"); return "", nil }, nil),
	)
	recorder := signalstest.Record[execution.Executed](t, g.app.Signals())
	var asked []string
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *execution.Executing) error {
		input := e.Input()
		who := "nobody"
		if e.User != nil {
			who = e.User.UserID()
		}
		asked = append(asked, string(e.Origin)+" "+e.Name+" "+who+" "+string(input))
		clear(input) // it is a copy
		switch e.Name {
		case "vetoed":
			return &service.Problem{Status: http.StatusPaymentRequired, Code: "no_credit", Detail: "No credit."}
		case "broken":
			return errors.New("10.0.0.7")
		}
		return nil
	})
	tools, err := g.fns.Tools("getWeather")
	if err != nil {
		t.Fatal(err)
	}
	g.call("getWeather", `{"city":"Paris"}`, "Authorization", "Bearer ann").gave(`{"city":"Paris","temperature":21.5,"warnings":[]}`)
	g.call("getWeather", `{"city":1}`).refused(http.StatusBadRequest, "invalid", "")
	tools.Call(t.Context(), "getWeather", []byte(`{"city":"Rome"}`))
	g.fns.Call(t.Context(), "fails", nil)
	g.fns.Call(t.Context(), "refuses", nil)
	g.fns.Call(t.Context(), "waits", nil)
	g.fns.Call(t.Context(), "large", nil)
	left, leave := context.WithCancel(t.Context())
	leave()
	g.fns.Call(left, "waits", nil)
	g.call("vetoed", "").refused(http.StatusPaymentRequired, "no_credit", "No credit.")
	g.call("broken", "").refused(http.StatusInternalServerError, "internal", "")
	want := []string{
		`http getWeather ann {"city":"Paris"}`, `tool getWeather nobody {"city":"Rome"}`,
		"go fails nobody {}", "go refuses nobody {}", "go waits nobody {}", "go large nobody {}", "go waits nobody {}", "http vetoed nobody {}", "http broken nobody {}",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	is := func(name string, origin execution.Origin, outcome execution.Outcome) func(execution.Executed) bool {
		return func(e execution.Executed) bool {
			return e.Name == name && e.Origin == origin && e.Outcome == outcome && e.Duration > 0 && (e.User == nil || e.User.UserID() == "ann")
		}
	}
	recorder.ExpectExactly(
		is("getWeather", execution.OriginHTTP, execution.OutcomeOK), is("getWeather", execution.OriginTool, execution.OutcomeOK),
		is("fails", execution.OriginGo, execution.OutcomeFailed), is("refuses", execution.OriginGo, execution.OutcomeRefused),
		is("waits", execution.OriginGo, execution.OutcomeTimeout), is("large", execution.OriginGo, execution.OutcomeFailed),
		is("waits", execution.OriginGo, execution.OutcomeCanceled),
	)
}

// toolset is the interface that package generation has for what a model may call.
type toolset interface {
	Names() []string
	Describe(name string) (description string, input, output json.RawMessage)
	Call(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error)
}

var _ toolset = (*execution.Tools)(nil)

func TestTools(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, getWeather(nil),
		nothing("other", func(context.Context) (string, error) { return "", nil }, nil),
		nothing("user", func(ctx context.Context) (string, error) {
			id, _ := middleware.FromContext(ctx)
			return id.UserID(), nil
		}, &execution.FuncOptions{User: true}),
		nothing("scope", func(context.Context) (string, error) { return "ok", nil }, &execution.FuncOptions{Scope: "billing:write"}),
		nothing("fails", func(context.Context) (string, error) { return "", errors.New("10.0.0.7") }, nil),
		nothing("leaves", func(context.Context) (string, error) { return "", context.Canceled }, nil),
		nothing("refuses", func(context.Context) (string, error) { return "", execution.Errorf(409, "taken", "It is taken.") }, nil),
		nothing("panics", func(context.Context) (string, error) { panic("10.0.0.7") }, nil),
	)
	if _, err := g.fns.Tools("getWeather", "nope", "getWeather"); err == nil || !strings.Contains(err.Error(), `"nope"`) || !strings.Contains(err.Error(), "twice") {
		t.Errorf("error %v", err)
	}
	if none, err := g.fns.Tools(); err != nil || len(none.Names()) != 0 {
		t.Errorf("%v, %v", none.Names(), err)
	}
	tools, err := g.fns.Tools("user", "getWeather", "scope", "fails", "leaves", "refuses", "panics")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"user", "getWeather", "scope", "fails", "leaves", "refuses", "panics"}, tools.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	description, input, output := tools.Describe("getWeather")
	if description != "Current weather of a city." || !strings.HasPrefix(string(input), `{"type":"object"`) || !strings.Contains(string(output), "temperature") {
		t.Errorf("%s %s %s", description, input, output)
	}
	if description, input, output := tools.Describe("other"); description != "" || input != nil || output != nil {
		t.Error("what was not chosen is described")
	}
	ctx := t.Context()
	rows := map[string]struct {
		ctx              context.Context
		tool, args, want string
		wrong            string
	}{
		"a call":                      {ctx, "getWeather", `{"city":"Rome"}`, `{"city":"Rome","temperature":21.5,"warnings":[]}`, ""},
		"faults":                      {ctx, "getWeather", `{"x":1}`, "", "invalid: The input is invalid. x is not known; city is missing"},
		"no JSON":                     {ctx, "getWeather", `{`, "", "invalid: The input is invalid. body ends too early"},
		"what was not chosen":         {ctx, "other", `{}`, "", "function_unknown: There is no such function."},
		"what there is not":           {ctx, "nope", `{}`, "", "function_unknown: There is no such function."},
		"no user":                     {ctx, "user", `{}`, "", "unauthenticated: "},
		"a user":                      {middleware.NewContext(ctx, user("ann")), "user", `{}`, `"ann"`, ""},
		"a user has no scopes":        {middleware.NewContext(ctx, user("ann")), "scope", `{}`, "", "scope_missing: "},
		"nor has nobody":              {ctx, "scope", `{}`, "", "scope_missing: "},
		"a key that was granted it":   {middleware.WithScopes(ctx, "*"), "scope", `{}`, `"ok"`, ""},
		"a key that was not":          {middleware.WithScopes(ctx, "billing:read"), "scope", `{}`, "", "scope_missing: "},
		"a failure":                   {ctx, "fails", ``, "", "function_failed: The function failed."},
		"a failure that looks milder": {ctx, "leaves", ``, "", "function_failed: The function failed."},
		"a panic":                     {ctx, "panics", ``, "", "function_failed: The function failed."},
		"a refusal":                   {ctx, "refuses", ``, "", "taken: It is taken."},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := tools.Call(row.ctx, row.tool, []byte(row.args))
			if row.wrong == "" && (err != nil || string(text) != row.want) {
				t.Errorf("%s, %v; want %s", text, err, row.want)
			}
			if row.wrong != "" && (err == nil || !strings.HasPrefix(err.Error(), row.wrong) || strings.Contains(err.Error(), "10.0.0.7")) {
				t.Errorf("error %v, want %s", err, row.wrong)
			}
		})
	}
}

// paced is a ResponseWriter with deadlines.
type paced struct {
	*httptest.ResponseRecorder

	deadlines []time.Time
}

func (p *paced) SetWriteDeadline(t time.Time) error {
	p.deadlines = append(p.deadlines, t)
	return nil
}

func TestAClientMustTakeItsAnswer(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, nothing("large", func(context.Context) (string, error) { return strings.Repeat("x", 1<<20), nil }, nil))
	w := &paced{ResponseRecorder: httptest.NewRecorder()}
	began := time.Now()
	g.app.Handler(g.echo).ServeHTTP(w, g.request(http.MethodPost, "/execute/large", ""))
	if len(w.deadlines) != 2 || !w.deadlines[1].IsZero() || w.deadlines[0].Sub(began) < 45*time.Second || w.deadlines[0].Sub(began) > 60*time.Second {
		t.Errorf("deadlines %v after %v", w.deadlines, began)
	}
	if !w.Flushed {
		t.Error("what is in buffers is sent without a deadline")
	}
}
