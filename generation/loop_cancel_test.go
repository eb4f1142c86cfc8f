package generation_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// canceling is a conversation that is canceled at some stage.
type canceling struct {
	replies []generationtest.Reply
	// slow is a function that Gemini may call as getTime.
	slow func(ctx context.Context, entered chan<- struct{}) (json.RawMessage, error)
	// requests is how many were made when it is canceled, where there is no slow.
	requests int
	// turns and told are what the history has.
	turns int
	told  []string
}

func stages(release <-chan struct{}) map[string]canceling {
	call := generationtest.Chunk(generationtest.Call("getWeather", city("Rome")), generationtest.Call("getTime", nil))
	told := []string{`getWeather standin-1-1 {"output":{"city":"Rome","degrees":21}}`, `getTime standin-1-2 {"error":"the call was canceled"}`}
	return map[string]canceling{
		"in the first call":  {replies: []generationtest.Reply{generationtest.Hang()}, requests: 1},
		"in the second call": {replies: []generationtest.Reply{generationtest.Call("getWeather", city("Rome")), generationtest.Hang()}, requests: 2, turns: 2},
		"in a function": {replies: []generationtest.Reply{call}, turns: 2, told: told, slow: func(ctx context.Context, entered chan<- struct{}) (json.RawMessage, error) {
			close(entered)
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		"in a function that does not care": {replies: []generationtest.Reply{call}, turns: 2, told: told, slow: func(_ context.Context, entered chan<- struct{}) (json.RawMessage, error) {
			close(entered)
			<-release
			return json.RawMessage("1"), nil
		}},
	}
}

// converse begins a conversation, cancels it, and returns what came of it.
func (c canceling) converse(t *testing.T, g *gateway, begin func(context.Context, generation.Request) (*generation.Reply, error)) (*generation.Reply, error) {
	t.Helper()
	g.gemini.Enqueue(c.replies...)
	entered := make(chan struct{})
	set := tools{
		"getWeather": weather,
		"getTime":    func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) { return c.slow(ctx, entered) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	type result struct {
		reply *generation.Reply
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		reply, err := begin(ctx, ask(set))
		ended <- result{reply, err}
	}()
	if c.slow != nil {
		<-entered
	} else if err := g.gemini.AwaitRequests(t.Context(), c.requests); err != nil {
		t.Fatal(err)
	}
	cancel()
	r := <-ended // hangs where canceling does not end it
	return r.reply, r.err
}

func TestACanceledConversationEndsAtOnce(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, stage := range stages(release) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			reply, err := stage.converse(t, g, g.gen.Converse)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
			if stage.turns == 0 {
				if reply != nil {
					t.Errorf("got %+v", reply)
				}
				return
			}
			if reply == nil || len(reply.History) != stage.turns {
				t.Fatalf("the history has %+v", reply)
			}
			if stage.told == nil {
				return
			}
			// Which function ended first is nobody's to say.
			got := responsesIn(t, reply.History[1])
			if got[0] != stage.told[0] && got[0] != `getWeather standin-1-1 {"error":"the call was canceled"}` || got[1] != stage.told[1] {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestACanceledStreamEndsAtOnce(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, stage := range stages(release) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			_, err := stage.converse(t, g, func(ctx context.Context, r generation.Request) (*generation.Reply, error) {
				var last error
				for _, err := range g.gen.Stream(ctx, r) {
					if last != nil {
						t.Error("something came after the error")
					}
					last = err
				}
				return nil, last
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAConversationThatFailsKeepsWhatWasDone(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(
		generationtest.Stream(generationtest.Used(generationtest.Usage{Input: 3, Output: 2}), generationtest.Call("getWeather", city("Rome"))),
		generationtest.Fail(400, "no"),
	)
	reply, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": weather}))
	if _, ok := errors.AsType[*generation.UpstreamError](err); !ok || reply == nil {
		t.Fatalf("got %v, %v", reply, err)
	}
	if len(reply.History) != 2 || reply.Usage.Total != 5 {
		t.Errorf("got %+v", reply)
	}
	if diff := cmp.Diff([]string{`getWeather standin-1-1 {"output":{"city":"Rome","degrees":21}}`}, responsesIn(t, reply.History[1])); diff != "" {
		t.Error(diff)
	}
}
