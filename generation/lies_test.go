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
func liar(t *testing.T, fn http.HandlerFunc) *generation.Service {
	t.Helper()
	server := httptest.NewServer(fn)
	t.Cleanup(server.Close)
	return newService(t, "k", &generation.Options{NoAccounts: true, BaseURL: server.URL, Attempts: 1})
}

// endless writes what comes first, and then a text until nobody reads on.
func endless(first, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, first)
		for err == nil {
			_, err = io.WriteString(w, text)
		}
	}
}

func TestAnAnswerWithoutAnEndIsLeft(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 1<<20)
	const first = `{"candidates":[{"content":{"parts":[{"text":"`
	gen := liar(t, endless(first, long))
	if _, err := gen.Converse(t.Context(), user("hi")); !isTooLong(err) {
		t.Errorf("the answer: %v", err)
	}
	for name, lie := range map[string]http.HandlerFunc{"event": endless("data: "+first, long), "comments": endless("", ": "+long+"\n")} {
		gen := liar(t, lie)
		for _, err := range gen.Stream(t.Context(), user("hi")) {
			if !isTooLong(err) {
				t.Errorf("the stream of an %s: %v", name, err)
			}
		}
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
	gen := liar(t, func(w http.ResponseWriter, _ *http.Request) {
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
