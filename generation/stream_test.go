package generation_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/signals"
)

// event is an event of a stream, or a comment.
type event struct{ name, data string }

// events is a stream over a real connection.
type events struct {
	*testing.T

	lines  *bufio.Scanner
	header http.Header
	leave  context.CancelFunc
}

// stream asks for a stream over a real connection.
func (g *gateway) stream(body string) *events {
	g.Helper()
	server := httptest.NewServer(g.app.Handler(g.echo))
	g.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(g.Context())
	g.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/service/generation/v1/converse", strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	transport := &http.Transport{}
	g.Cleanup(transport.CloseIdleConnections)
	res, err := transport.RoundTrip(r)
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		g.Fatalf("status %d, type %q", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return &events{T: g.T, lines: bufio.NewScanner(res.Body), header: res.Header, leave: cancel}
}

// next returns the next event, a comment's name being "ping", and an empty one at
// the end.
func (e *events) next() event {
	e.Helper()
	var ev event
	for e.lines.Scan() {
		switch line := e.lines.Text(); {
		case line == "":
			return ev
		case line == ": ping":
			ev.name = "ping"
		case strings.HasPrefix(line, "event: "):
			ev.name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			ev.data = line[len("data: "):]
		default:
			e.Fatalf("the line %q is none of an event", line)
		}
	}
	return ev
}

// after returns the next event that is no ping.
func (e *events) after() event {
	e.Helper()
	for {
		if ev := e.next(); ev.name != "ping" {
			return ev
		}
	}
}

// rest returns all further events that are no pings.
func (e *events) rest() []event {
	e.Helper()
	var all []event
	for ev := e.after(); ev != (event{}); ev = e.after() {
		all = append(all, ev)
	}
	return all
}

const hi = `{"contents": [{"parts": [{"text": "hi"}]}]}`

func TestAStreamHasPartsThenUsage(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	proceed := make(chan struct{})
	g.gemini.Enqueue(generationtest.Stream(
		generationtest.Used(generationtest.Usage{Input: 7, Output: 3, Cached: 2, Thoughts: 1}),
		generationtest.Text("one\n"), generationtest.Wait(proceed), generationtest.Text("two"),
	))
	e := g.stream(hi)
	if got := e.after(); got != (event{"part", `{"text":"one\n"}`}) {
		t.Errorf("the first event is %v", got)
	}
	close(proceed) // what was read came before the rest
	want := []event{
		{"part", `{"text":"two"}`},
		{"usage", `{"input":7,"output":3,"cached":2,"thoughts":1,"total":11}`},
		{"done", `{"finish_reason":"STOP","model":"gemini-2.5-flash"}`},
	}
	if diff := cmp.Diff(want, e.rest(), cmp.AllowUnexported(event{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := e.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAStreamTakesWhatTheSDKDoesNot(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(": ping\n\nevent: message\nid: 1\r\ndata: {\"candidates\":[{\"content\":\r\ndata:{\"parts\":[{\"text\":\"a\",\"new\":1.0}]}}]}\r\n\r\n" +
			"\n\n:\n\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\"}]}\n\ndata: [DONE]"))
	}))
	t.Cleanup(server.Close)
	g := newGateway(t, &generation.Options{BaseURL: server.URL})
	got := g.stream(hi).rest()
	want := []event{
		{"part", `{"text":"a","new":1.0}`},
		{"part", `{"text":"b"}`},
		{"usage", `{"input":0,"output":0,"cached":0,"thoughts":0,"total":0}`},
		{"done", `{"finish_reason":"STOP","model":""}`},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(event{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAStreamShowsThatItIsAlive(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{Heartbeat: time.Millisecond})
	proceed := make(chan struct{})
	g.gemini.Enqueue(generationtest.Stream(generationtest.Wait(proceed), generationtest.Text("a")))
	e := g.stream(hi)
	for range 3 {
		if got := e.next(); got.name != "ping" {
			t.Fatalf("got %v", got)
		}
	}
	close(proceed)
	if got := e.after(); got.name != "part" {
		t.Errorf("got %v", got)
	}
	e.rest()
}

func TestAStreamThatFailsEarlyIsAProblem(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	failure := generationtest.Fail(http.StatusServiceUnavailable, "no")
	g.gemini.Enqueue(generationtest.Blocked("SAFETY"), generationtest.Fail(http.StatusTooManyRequests, "no", generationtest.RetryInfo(time.Minute)), failure, failure, failure, failure)
	g.post("/converse", hi, "Accept", "text/event-stream").refused(http.StatusUnprocessableEntity, "prompt_blocked", "SAFETY")
	g.post("/converse", hi, "Accept", "text/event-stream").refused(http.StatusTooManyRequests, "too_many_requests", "")
	g.post("/converse", hi, "Accept", "text/event-stream").refused(http.StatusInternalServerError, "generation_failed", "")
	g.post("/converse", `{"contents": []}`, "Accept", "text/event-stream").refused(http.StatusBadRequest, "invalid", "contents")
	g.gemini.Enqueue(failure, generationtest.Text("ok"))
	if got := g.stream(hi).after(); got.name != "part" {
		t.Errorf("before its first part a stream is tried again, but got %v", got)
	}
}

func TestAStreamThatFailsMidwaySaysSo(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]generationtest.Reply{
		"an error":   generationtest.Fail(http.StatusServiceUnavailable, "the secret of Gemini"),
		"a cut":      generationtest.Cut(),
		"no JSON":    generationtest.Line("data: nonsense"),
		"a refusal":  generationtest.Finish("SAFETY"),
		"odd events": generationtest.Line(`data: {"candidates":[{"content":{"parts":"x"}}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.gemini.Enqueue(generationtest.Stream(generationtest.Text("half"), failure))
			all := g.stream(hi).rest()
			last := all[len(all)-1]
			if all[0].name != "part" || all[len(all)-2].name != "usage" || last.name != "error" || strings.Contains(last.data, "secret") {
				t.Fatalf("got %v", all)
			}
			if code := `"code":"generation_failed"`; name != "a refusal" && !strings.Contains(last.data, code) {
				t.Errorf("got %v", last)
			}
			if n := len(g.gemini.Requests()); n != 1 {
				t.Errorf("%d requests: it was tried again", n)
			}
		})
	}
}

func TestAStreamThatNeverFinishesIsNotWhole(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n"))
	}))
	t.Cleanup(server.Close)
	g := newGateway(t, &generation.Options{BaseURL: server.URL})
	all := g.stream(hi).rest()
	if len(all) != 3 || all[2].name != "error" {
		t.Errorf("got %v", all)
	}
}

// await fails the test unless so many clients have left Gemini in time.
func (g *gateway) await(n int, within time.Duration) {
	g.Helper()
	ctx, cancel := context.WithTimeout(g.Context(), within)
	defer cancel()
	if err := g.gemini.AwaitAbandoned(ctx, n); err != nil {
		g.Errorf("Gemini goes on: %v", err)
	}
}

func TestGeminiIsLeftWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	outcomes := make(chan generation.Generated, 1)
	signals.Subscribe(g.app.Signals(), func(_ context.Context, e generation.Generated) error { outcomes <- e; return nil })
	g.gemini.Enqueue(generationtest.Stream(generationtest.Used(generationtest.Usage{Input: 5, Output: 1}), generationtest.Text("a"), generationtest.Hang()))
	e := g.stream(hi)
	e.after()
	began := time.Now()
	e.leave()
	g.await(1, 10*time.Second)
	took := time.Since(began)
	t.Logf("Gemini is left after %s", took)
	if took > 100*time.Millisecond {
		t.Errorf("Gemini is left after %s", took)
	}
	if got := <-outcomes; got.Outcome != generation.OutcomeCanceled || got.Usage.Input != 5 || got.Usage.Output != 1 || !got.Stream {
		t.Errorf("the event is %+v", got)
	}
}

func TestGeminiIsLeftWhenTheLoopBreaks(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	outcomes := make(chan generation.Generated, 1)
	signals.Subscribe(g.app.Signals(), func(_ context.Context, e generation.Generated) error { outcomes <- e; return nil })
	g.gemini.Enqueue(generationtest.Stream(generationtest.Text("a"), generationtest.Hang()))
	for chunk, err := range g.gen.Stream(t.Context(), user("hi")) {
		if err != nil || chunk.Parts[0].Text() != "a" {
			t.Errorf("got %v, %v", chunk, err)
		}
		break
	}
	g.await(1, 10*time.Second)
	if got := <-outcomes; got.Outcome != generation.OutcomeCanceled || got.Usage.Total == 0 {
		t.Errorf("the event is %+v", got)
	}
}

func TestAPanicInTheLoopPasses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Stream(generationtest.Text("a"), generationtest.Hang()))
	defer func() {
		if v := recover(); v != "mine" {
			t.Errorf("recovered %v", v)
		}
		g.await(1, 10*time.Second)
	}()
	for range g.gen.Stream(t.Context(), user("hi")) {
		panic("mine")
	}
}

func TestStreamsEndWhenTheGatewayDoes(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Stream(generationtest.Text("a"), generationtest.Hang()))
	e := g.stream(hi)
	e.after()
	if err := g.app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := e.rest(); len(all) != 2 || all[1].name != "error" || !strings.Contains(all[1].data, `"code":"unavailable"`) {
		t.Errorf("got %v", all)
	}
	g.await(1, 10*time.Second)
}

func TestACallThatIsLeftWhileItWaits(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]generationtest.Reply{
		"before the answer": generationtest.Hang(),
		"in the answer":     generationtest.Stream(generationtest.Text("a"), generationtest.Hang()),
	} {
		for _, streamed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				g := newGateway(t, nil)
				g.gemini.Enqueue(reply)
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					_ = g.gemini.AwaitRequests(t.Context(), 1)
					cancel()
				}()
				var err error
				if streamed {
					for _, err = range g.gen.Stream(ctx, user("hi")) {
					}
				} else {
					_, err = g.gen.Converse(ctx, user("hi"))
				}
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				g.await(1, 10*time.Second)
			})
		}
	}
	t.Run("between two tries", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		g := newGateway(t, &generation.Options{Sleep: func(ctx context.Context, _ time.Duration) error {
			cancel()
			return ctx.Err()
		}})
		g.gemini.Enqueue(generationtest.Fail(http.StatusServiceUnavailable, "no"))
		if _, err := g.gen.Converse(ctx, user("hi")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("before it began", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		g := newGateway(t, nil)
		if _, err := g.gen.Converse(ctx, user("hi")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
