package generation_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// somebody is signed in.
type somebody struct{}

func (somebody) UserID() string     { return "u1" }
func (somebody) Collection() string { return "_USERS" }
func (somebody) SessionID() string  { return "s1" }

func TestInterceptorsHaveTheirSay(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	var asked generation.Generating
	cancel := signals.Intercept(g.app.Signals(), func(_ context.Context, e *generation.Generating) error {
		asked = *e
		e.Model, e.System = "gemini-2.5-pro", "be brief"
		return nil
	})
	r := user("hi")
	r.System, r.Key = "be long", g.gemini.Key()
	if _, err := g.gen.Converse(middleware.NewContext(t.Context(), somebody{}), r); err != nil {
		t.Fatal(err)
	}
	want := generation.Generating{Model: "models/gemini-2.5-flash", System: "be long", UserID: "u1", OwnKey: true}
	if diff := cmp.Diff(want, asked, cmpopts.IgnoreFields(generation.Generating{}, "Intent")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if last := g.gemini.Requests()[0]; last.Name != "gemini-2.5-pro" {
		t.Errorf("%s was asked", last.Name)
	}
	if diff := cmp.Diff(decode(t, `{"parts": [{"text": "be brief"}]}`), g.sent(generationtest.OpGenerate)["systemInstruction"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	cancel()
	for name, veto := range map[string]struct {
		err    error
		model  string
		status int
		code   string
	}{
		"a problem": {&service.Problem{Status: http.StatusForbidden, Code: "not_today"}, "", http.StatusForbidden, "not_today"},
		"an error":  {errors.New("no"), "", http.StatusInternalServerError, "internal"},
		"no model":  {nil, "../x", http.StatusInternalServerError, "internal"},
	} {
		cancel := signals.Intercept(g.app.Signals(), func(_ context.Context, e *generation.Generating) error {
			e.Model = veto.model
			return veto.err
		})
		a := g.converse("hi", "")
		a.request = name
		a.refused(veto.status, veto.code, "")
		cancel()
	}
	if n := len(g.gemini.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestEachCallIsTold(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	g := newGateway(t, &generation.Options{Now: func() time.Time { now = now.Add(time.Second); return now }})
	var told []generation.Generated
	signals.Subscribe(g.app.Signals(), func(_ context.Context, e generation.Generated) error {
		told = append(told, e)
		return nil
	})
	used := generationtest.Used(generationtest.Usage{Input: 7, Output: 3, Cached: 2, Thoughts: 1})
	failure := generationtest.Fail(http.StatusServiceUnavailable, "no")
	g.gemini.Enqueue(
		failure, generationtest.Stream(used, generationtest.Text("a")),
		generationtest.Stream(used, generationtest.Text("a"), generationtest.Text("b")),
		generationtest.Blocked("SAFETY"), generationtest.Finish("SAFETY"), generationtest.Fail(http.StatusBadRequest, "no"),
		generationtest.Fail(http.StatusTooManyRequests, "no", generationtest.RetryInfo(time.Hour)),
		generationtest.Stream(used, generationtest.Text("a"), generationtest.Cut()),
	)
	usage := generation.Usage{Input: 7, Output: 3, Cached: 2, Thoughts: 1, Total: 11}
	g.converse("hi", "").want(http.StatusOK)
	g.converse("hi", "", "Accept", "text/event-stream").want(http.StatusOK)
	g.converse("hi", "").want(http.StatusUnprocessableEntity)
	g.converse("hi", "").want(http.StatusUnprocessableEntity)
	g.converse("hi", "").want(http.StatusInternalServerError)
	g.converse("hi", "").want(http.StatusTooManyRequests)
	g.converse("hi", "", "Accept", "text/event-stream").want(http.StatusOK)
	want := []generation.Generated{
		{Usage: usage, Outcome: generation.OutcomeOK},
		{Usage: usage, Outcome: generation.OutcomeOK, Stream: true},
		{Outcome: generation.OutcomeBlocked},
		{Outcome: generation.OutcomeBlocked},
		{Outcome: generation.OutcomeFailed},
		{Outcome: generation.OutcomeLimited},
		{Usage: usage, Outcome: generation.OutcomeFailed, Stream: true},
	}
	for i := range want {
		want[i].Model, want[i].Duration = "models/gemini-2.5-flash", time.Second
	}
	for i := range told {
		if told[i].Outcome == generation.OutcomeBlocked {
			told[i].Usage = generation.Usage{} // Gemini counts the prompt
		}
	}
	if diff := cmp.Diff(want, told, cmpopts.IgnoreFields(generation.Generated{}, "Fact")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
