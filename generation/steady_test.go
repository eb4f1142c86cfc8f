package generation_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// user is a request of one text.
func user(text string) generation.Request {
	return generation.Request{Contents: []generation.Content{generation.User(generation.Text(text))}}
}

func TestFailuresThatPassAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]generationtest.Reply{
		"429":            generationtest.Fail(http.StatusTooManyRequests, "slow down"),
		"500":            generationtest.Fail(http.StatusInternalServerError, "oops"),
		"502 of a proxy": generationtest.Raw(http.StatusBadGateway, "text/html", "<h1>no</h1>"),
		"503":            generationtest.Fail(http.StatusServiceUnavailable, "overloaded"),
		"504":            generationtest.Fail(http.StatusGatewayTimeout, "late"),
		"cut":            generationtest.Cut(),
		"cut midway":     generationtest.Stream(generationtest.Text("half"), generationtest.Cut()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.gemini.Enqueue(failure, failure, failure, generationtest.Text("at last"))
			g.converse("hi", "").parts(`[{"text": "at last"}]`)
			waits := g.waits.list()
			if len(waits) != 3 {
				t.Fatalf("waited %v", waits)
			}
			for i, w := range waits {
				if least := 250 * time.Millisecond << i; w < least || w > 2*least+least {
					t.Errorf("wait %d is %s", i, w)
				}
			}
			g.gemini.Enqueue(failure, failure, failure, failure, generationtest.Text("too late"))
			if _, err := g.gen.Converse(t.Context(), user("hi")); err == nil {
				t.Error("a fifth try was made")
			}
		})
	}
}

func TestFailuresThatStayAreNotTriedAgain(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]generationtest.Reply{
		"400":      generationtest.Fail(http.StatusBadRequest, "bad"),
		"403":      generationtest.Fail(http.StatusForbidden, "no"),
		"404":      generationtest.Fail(http.StatusNotFound, "no such model"),
		"501":      generationtest.Fail(http.StatusNotImplemented, "never"),
		"no JSON":  generationtest.Raw(http.StatusOK, "application/json", "<html>"),
		"redirect": generationtest.Raw(http.StatusTemporaryRedirect, "text/plain", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.gemini.Enqueue(failure, generationtest.Text("no"))
			g.converse("hi", "").refused(http.StatusInternalServerError, "generation_failed", "")
			if len(g.waits.list()) > 0 {
				t.Error("it was tried again")
			}
		})
	}
}

func TestWhatGeminiAsksToWaitIsWaited(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]generationtest.Reply{
		"RetryInfo":   generationtest.Fail(http.StatusTooManyRequests, "slow down", generationtest.RetryInfo(17*time.Second)),
		"Retry-After": generationtest.Stream(generationtest.Header("Retry-After", "17"), generationtest.Fail(http.StatusTooManyRequests, "slow down")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			g.gemini.Enqueue(failure, generationtest.Text("ok"))
			g.converse("hi", "").want(http.StatusOK)
			if waits := g.waits.list(); len(waits) != 1 || waits[0] < 17*time.Second || waits[0] > 18*time.Second {
				t.Errorf("waited %v", waits)
			}
			// Before the deadline there is no time for it.
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			g.gemini.Enqueue(failure)
			_, err := g.gen.Converse(ctx, user("hi"))
			if up, ok := errors.AsType[*generation.UpstreamError](err); !ok || up.RetryAfter != 17*time.Second {
				t.Errorf("got %v", err)
			}
			if len(g.waits.list()) != 1 {
				t.Error("it was waited past the deadline")
			}
		})
	}
}

func TestALongWaitIsTheClients(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Fail(http.StatusTooManyRequests, "slow down", generationtest.RetryInfo(90*time.Second)))
	a := g.converse("hi", "")
	a.refused(http.StatusTooManyRequests, "too_many_requests", "")
	if got := a.header.Get("Retry-After"); got != "90" {
		t.Errorf("Retry-After: %q", got)
	}
	g.gemini.Enqueue(generationtest.Fail(429, "a"), generationtest.Fail(429, "a"), generationtest.Fail(429, "a"), generationtest.Fail(429, "a"))
	a = g.converse("hi", "")
	a.refused(http.StatusTooManyRequests, "too_many_requests", "")
	if a.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
}

func TestWhatGeminiRefusesIsTyped(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for name, c := range map[string]struct {
		reply  generationtest.Reply
		status int
		code   string
		text   string
	}{
		"blocked prompt":  {generationtest.Blocked("SAFETY"), 422, "prompt_blocked", `"reason":"SAFETY"`},
		"blocked answer":  {generationtest.Finish("SAFETY"), 422, "answer_blocked", `"reason":"SAFETY"`},
		"half an answer":  {generationtest.Stream(generationtest.Text("half"), generationtest.Finish("RECITATION")), 422, "answer_blocked", `"RECITATION"`},
		"no tokens left":  {generationtest.Finish("MAX_TOKENS"), 422, "answer_cut", ""},
		"malformed call":  {generationtest.Finish("MALFORMED_FUNCTION_CALL"), 500, "generation_failed", `"MALFORMED_FUNCTION_CALL"`},
		"no candidates":   {generationtest.NoCandidates(), 500, "generation_failed", ""},
		"empty candidate": {generationtest.Raw(200, "application/json", `{"candidates":[{"finishReason":"STOP"}]}`), 500, "generation_failed", ""},
		"null candidate":  {generationtest.Raw(200, "application/json", `{"candidates":[null]}`), 500, "generation_failed", ""},
		"odd types":       {generationtest.Raw(200, "application/json", `{"candidates":"x"}`), 500, "generation_failed", ""},
		"odd parts":       {generationtest.Raw(200, "application/json", `{"candidates":[{"content":{"parts":"x"}}]}`), 500, "generation_failed", ""},
		"an array":        {generationtest.Raw(200, "application/json", `[]`), 500, "generation_failed", ""},
		"nothing":         {generationtest.Raw(200, "application/json", ``), 500, "generation_failed", ""},
	} {
		g := g.on(t)
		g.gemini.Enqueue(c.reply)
		a := g.converse("hi", "")
		a.request = name
		a.refused(c.status, c.code, c.text)
		g.gemini.Enqueue(c.reply)
		for _, err := range g.gen.Stream(t.Context(), user("hi")) {
			if err == nil {
				continue
			}
			switch name {
			case "blocked prompt":
				if _, ok := errors.AsType[*generation.BlockedError](err); !ok {
					t.Errorf("%s, streamed: %v", name, err)
				}
			case "no candidates", "empty candidate":
				if !errors.Is(err, generation.ErrNoAnswer) {
					t.Errorf("%s, streamed: %v", name, err)
				}
			}
		}
	}
}

func TestACutAnswerSaysSo(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Stream(generationtest.Text("half"), generationtest.Finish("MAX_TOKENS")))
	a := g.converse("hi", "").want(http.StatusOK)
	if got := a.header.Get("X-Finish-Reason"); got != "MAX_TOKENS" {
		t.Errorf("finish reason %q", got)
	}
}

func TestContinuationsAreNotFollowed(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Stream(generationtest.Text("a"), generationtest.Continue("dG9rZW4=")), generationtest.Text("b"))
	g.converse("hi", "")
	if n := len(g.gemini.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{Timeout: 20 * time.Millisecond, StreamTimeout: 20 * time.Millisecond})
	g.gemini.Enqueue(generationtest.Hang(), generationtest.Hang())
	g.converse("hi", "").refused(http.StatusGatewayTimeout, "timeout", "")
	for _, err := range g.gen.Stream(t.Context(), user("hi")) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed, with the key %q", r.Header.Get("X-Goog-Api-Key"))
	}))
	t.Cleanup(thief.Close)
	server := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	g := newGateway(t, &generation.Options{BaseURL: server.URL, Attempts: 1})
	g.converse("hi", "").refused(http.StatusInternalServerError, "generation_failed", "")
	g.upload("a.txt", "text").refused(http.StatusInternalServerError, "generation_failed", "")
	if _, err := g.gen.Models(t.Context(), ""); err == nil {
		t.Error("there are models")
	}
}

func TestTheSDKsPanicsStop(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{Attempts: 1})
	for _, body := range []string{`{}`, `{"file": null}`, `{"file": []}`, `[]`, `{"file": {}}`, ``} {
		g.gemini.EnqueueFor(generationtest.OpUpload, generationtest.Stream(generationtest.Header("X-Goog-Upload-Status", "final"), generationtest.Raw(http.StatusOK, "application/json", body)))
		a := g.upload("a.txt", "text")
		a.request = "a file, answered " + body
		a.refused(http.StatusInternalServerError, "generation_failed", "")
	}
	if !strings.Contains(g.logs.String(), "panicked") {
		t.Error("the SDK does not panic here any more: this test tests nothing")
	}
}

// broken is a transport that fails.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

func TestAGeminiThatIsNotReached(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{HTTPClient: &http.Client{Transport: broken{io.ErrUnexpectedEOF}}})
	g.converse("hi", "").refused(http.StatusInternalServerError, "generation_failed", "")
	if n := len(g.waits.list()); n != 3 {
		t.Errorf("%d waits", n)
	}
}
