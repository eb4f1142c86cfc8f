package generation_test

import (
	"context"
	"encoding/json"
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

// liar returns a service whose Gemini answers by fn.
func liar(t *testing.T, opts generation.Options, fn http.HandlerFunc) *generation.Service {
	t.Helper()
	server := httptest.NewServer(fn)
	t.Cleanup(server.Close)
	opts.NoAccounts, opts.BaseURL, opts.Attempts = true, server.URL, 1
	return newService(t, "k", &opts)
}

// endless writes text until nobody reads on.
func endless(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
}

// heard takes a stream to its end.
func heard(t *testing.T, gen *generation.Service, r generation.Request) (chunks int, err error) {
	t.Helper()
	for _, cause := range gen.Stream(t.Context(), r) {
		if err = cause; err == nil {
			chunks++
		}
	}
	return chunks, err
}

func TestAnAnswerWithoutAnEndIsLeft(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 1<<20)
	event := `{"candidates":[{"content":{"parts":[{"text":"` + long + `"}]}}]}`
	for name, lie := range map[string]struct{ first, text string }{
		"one piece": {`{"candidates":[{"content":{"parts":[{"text":"`, long},
		"one event": {`data: {"candidates":[{"content":{"parts":[{"text":"`, long},
		"events":    {"", "data: " + event + "\n\n"},
		"comments":  {"", ": " + long + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gen := liar(t, generation.Options{}, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, lie.first)
				endless("application/json", lie.text)(w, r)
			})
			if _, err := heard(t, gen, user("hi")); !isTooLong(err) {
				t.Errorf("the stream: %v", err)
			}
			if name != "one piece" {
				return
			}
			if _, err := gen.Converse(t.Context(), user("hi")); !isTooLong(err) {
				t.Errorf("the answer: %v", err)
			}
		})
	}
}

func isTooLong(err error) bool {
	up, ok := errors.AsType[*generation.UpstreamError](err)
	return ok && strings.Contains(up.Message, "too long")
}

func TestNothingIsGivenBack(t *testing.T) {
	t.Parallel()
	g, _, _ := accounted(t, generation.Options{DailyLimit: 16})
	lie := `{"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}],` +
		`"usageMetadata":{"promptTokenCount":-10,"candidatesTokenCount":-1,"cachedContentTokenCount":-1,"thoughtsTokenCount":-1,"toolUsePromptTokenCount":-1,"totalTokenCount":-2147483648}}`
	g.gemini.Enqueue(generationtest.Raw(http.StatusOK, "application/json", lie), spending())
	reply, err := g.gen.Converse(ada(t), user("hi"))
	if err != nil || reply.Usage != (generation.Usage{}) {
		t.Fatalf("got %+v, %v", reply, err)
	}
	if _, err := g.gen.Converse(ada(t), user("hi")); err != nil {
		t.Fatal(err)
	}
	if _, err := g.gen.Converse(ada(t), user("hi")); !errors.As(err, new(*generation.UsageError)) {
		t.Errorf("after all that there is: %v", err)
	}
}

func TestNobodyIsToldToWaitAYear(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Fail(http.StatusTooManyRequests, "no", generationtest.RetryInfo(365*24*time.Hour)))
	a := g.converse("hi", "")
	a.refused(http.StatusTooManyRequests, "too_many_requests", "")
	if got := a.header.Get("Retry-After"); got != "86400" {
		t.Errorf("Retry-After: %q", got)
	}
	gen := liar(t, generation.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "31536000")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := gen.Converse(t.Context(), user("hi"))
	if up, ok := errors.AsType[*generation.UpstreamError](err); !ok || up.RetryAfter != 24*time.Hour {
		t.Errorf("got %v", err)
	}
}

func TestArgumentsAreAnObject(t *testing.T) {
	t.Parallel()
	for args, called := range map[string]bool{`[1]`: false, `"x"`: false, `7`: false, `true`: false, `null`: true, `{}`: true} {
		g := newGateway(t, nil)
		say := `{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"1","name":"getTime","args":` + args + `}}]},"finishReason":"STOP"}]}`
		g.gemini.Enqueue(generationtest.Raw(http.StatusOK, "application/json", say))
		n := 0
		_, _ = g.gen.Converse(t.Context(), ask(tools{"getTime": func(_ context.Context, got json.RawMessage) (json.RawMessage, error) {
			if n++; string(got) != "{}" {
				t.Errorf("it was called with %s", got)
			}
			return json.RawMessage(`1`), nil
		}}))
		if (n == 1) != called {
			t.Errorf("with %s it was called %d times", args, n)
		}
	}
}
