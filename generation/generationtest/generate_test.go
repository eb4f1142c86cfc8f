package generationtest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// start returns an endpoint and the SDK's client of it.
func start(t *testing.T, opts *generationtest.Options) (*generationtest.Server, *genai.Client) {
	t.Helper()
	s, err := generationtest.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, client(t, s.URL(), s.Key())
}

// client returns the SDK's client, with connections of its own.
func client(t *testing.T, url, key string) *genai.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI, HTTPClient: &http.Client{Transport: transport},
		HTTPOptions: genai.HTTPOptions{BaseURL: url},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const flash = "gemini-2.5-flash"

// generate asks once, and fails the test where that fails.
func generate(t *testing.T, c *genai.Client, contents []*genai.Content, config *genai.GenerateContentConfig) *genai.GenerateContentResponse {
	t.Helper()
	res, err := c.Models.GenerateContent(t.Context(), flash, contents, config)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// refused asks once and returns the error of the API.
func refused(t *testing.T, c *genai.Client, contents []*genai.Content, config *genai.GenerateContentConfig) genai.APIError {
	t.Helper()
	_, err := c.Models.GenerateContent(t.Context(), flash, contents, config)
	return apiError(t, err)
}

// apiError returns the error of the API that err is.
func apiError(t *testing.T, err error) genai.APIError {
	t.Helper()
	var e genai.APIError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of the API", err)
	}
	return e
}

func TestAnAnswerIsWhatIsScripted(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(generationtest.Text("hello"))
	res := generate(t, c, genai.Text("hi"), nil)
	if got := res.Text(); got != "hello" || res.Candidates[0].FinishReason != genai.FinishReasonStop {
		t.Errorf("got %q, finish %q", got, res.Candidates[0].FinishReason)
	}
	if u := res.UsageMetadata; u.PromptTokenCount != 1 || u.CandidatesTokenCount != 2 || u.TotalTokenCount != 3 {
		t.Errorf("usage %+v", u)
	}
	if res.ModelVersion != flash || res.ResponseID != "standin-1" {
		t.Errorf("model %q, id %q", res.ModelVersion, res.ResponseID)
	}
}

func TestEachRequestTakesOneReply(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(generationtest.Text("one"), generationtest.Text("two"))
	for _, want := range []string{"one", "two"} {
		if got := generate(t, c, genai.Text("hi"), nil).Text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if n := s.Pending(); n != 0 {
		t.Errorf("%d replies are left", n)
	}
}

func TestUsageIsAsScripted(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(generationtest.Stream(generationtest.Used(generationtest.Usage{Input: 10, Output: 5, Cached: 4, Thoughts: 3}), generationtest.Text("a")))
	u := generate(t, c, genai.Text("hi"), nil).UsageMetadata
	got := []int32{u.PromptTokenCount, u.CandidatesTokenCount, u.CachedContentTokenCount, u.ThoughtsTokenCount, u.TotalTokenCount}
	if diff := cmp.Diff([]int32{10, 5, 4, 3, 18}, got); diff != "" {
		t.Error(diff)
	}
}

// outcomes are answers that are successes over HTTP, and are none.
func TestWhatIsNoAnswerArrives(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reply generationtest.Reply
		check func(*genai.GenerateContentResponse) bool
	}{
		"a blocked prompt": {generationtest.Blocked("PROHIBITED_CONTENT"), func(r *genai.GenerateContentResponse) bool {
			return len(r.Candidates) == 0 && r.PromptFeedback.BlockReason == genai.BlockedReasonProhibitedContent
		}},
		"no candidate": {generationtest.NoCandidates(), func(r *genai.GenerateContentResponse) bool {
			return len(r.Candidates) == 0 && r.PromptFeedback == nil
		}},
		"an answer that is not safe": {generationtest.Finish("SAFETY"), func(r *genai.GenerateContentResponse) bool {
			return r.Candidates[0].FinishReason == genai.FinishReasonSafety && len(r.Candidates[0].Content.Parts) == 0
		}},
		"an answer cut for its length": {generationtest.Stream(generationtest.Text("lo"), generationtest.Finish("MAX_TOKENS")), func(r *genai.GenerateContentResponse) bool {
			return r.Candidates[0].FinishReason == genai.FinishReasonMaxTokens && r.Candidates[0].Content.Parts[0].Text == "lo"
		}},
		"a thought": {generationtest.Stream(generationtest.Thought("hm"), generationtest.Text("yes")), func(r *genai.GenerateContentResponse) bool {
			return r.Candidates[0].Content.Parts[0].Thought && r.Text() == "yes" && r.UsageMetadata.ThoughtsTokenCount == 1
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := start(t, nil)
			s.Enqueue(test.reply, test.reply)
			if res := generate(t, c, genai.Text("hi"), nil); !test.check(res) {
				t.Errorf("got %+v", res)
			}
			var last *genai.GenerateContentResponse
			for res, err := range c.Models.GenerateContentStream(t.Context(), flash, genai.Text("hi"), nil) {
				if err != nil {
					t.Fatal(err)
				}
				last = res
			}
			if last == nil {
				t.Error("the stream has nothing")
			}
		})
	}
}

func TestAContinuationIsContinuedByTheSDK(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(
		generationtest.Stream(generationtest.Text("one "), generationtest.Continue("go on")),
		generationtest.Text("two"),
	)
	if got := generate(t, c, genai.Text("hi"), nil).Text(); got != "one two" {
		t.Errorf("got %q", got)
	}
	requests := s.Requests(generationtest.OpGenerate)
	if len(requests) != 2 || !strings.Contains(string(requests[1].Body), `"continuationToken":"Z28gb24="`) {
		t.Errorf("%d requests, the second %s", len(requests), requests[len(requests)-1].Body)
	}
}

func TestAStreamArrivesPieceByPiece(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	goOn := make(chan struct{})
	s.Enqueue(generationtest.Stream(generationtest.Text("one "), generationtest.Wait(goOn), generationtest.Text("two")))
	var got []string
	for res, err := range c.Models.GenerateContentStream(t.Context(), flash, genai.Text("hi"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, res.Text()+string(res.Candidates[0].FinishReason))
		if len(got) == 1 {
			close(goOn) // the first piece is here while the second is held back
		}
	}
	if diff := cmp.Diff([]string{"one ", "twoSTOP"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAStreamEndsAsScripted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end   generationtest.Reply
		check func(error) bool
	}{
		"with an error in the middle": {generationtest.Fail(503, "overloaded"), func(err error) bool {
			var e genai.APIError
			return errors.As(err, &e) && e.Code == 503 && e.Status == "UNAVAILABLE" && e.Message == "overloaded"
		}},
		"with a broken connection": {generationtest.Cut(), func(err error) bool { return err != nil && !errors.As(err, new(genai.APIError)) }},
		"with a comment, which the SDK does not know": {generationtest.Line(": ping"), func(err error) bool {
			return err != nil && strings.Contains(err.Error(), "invalid stream chunk")
		}},
		"with what is no JSON": {generationtest.Line("data: [DONE]"), func(err error) bool { return err != nil && !errors.As(err, new(genai.APIError)) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := start(t, nil)
			s.Enqueue(generationtest.Stream(generationtest.Text("one "), test.end))
			var text string
			var failure error
			off := false
			for res, err := range c.Models.GenerateContentStream(t.Context(), flash, genai.Text("hi"), &genai.GenerateContentConfig{AutomaticContinuation: &off}) {
				if err != nil {
					failure = err
					break
				}
				text += res.Text()
			}
			if text != "one " || !test.check(failure) {
				t.Errorf("got %q and then %v", text, failure)
			}
		})
	}
}

func TestAClientThatLeavesIsNoticed(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]generationtest.Reply{
		"hanging": generationtest.Hang(),
		"waiting": generationtest.Wait(make(chan struct{})),
		"pausing": generationtest.Pause(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := start(t, nil)
			s.Enqueue(reply)
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				_, err := c.Models.GenerateContent(ctx, flash, genai.Text("hi"), nil)
				failed <- err
			}()
			if err := s.AwaitRequests(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if err := s.AwaitAbandoned(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if !s.Requests()[0].Abandoned() {
				t.Error("the request does not say that its client left")
			}
		})
	}
}

func TestAnAnswerIsCutInTheMiddle(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Enqueue(generationtest.Stream(generationtest.Text("a long answer"), generationtest.Cut()), generationtest.Cut())
	for range 2 {
		if _, err := c.Models.GenerateContent(t.Context(), flash, genai.Text("hi"), nil); err == nil || errors.As(err, new(genai.APIError)) {
			t.Errorf("got %v, want a broken connection", err)
		}
	}
}

func TestAnswersAreComputed(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	s.Answer(func(r generationtest.Request) (generationtest.Reply, bool) {
		return generationtest.Text(r.Name), strings.Contains(string(r.Body), "mine")
	})
	if got := generate(t, c, genai.Text("mine"), nil).Text(); got != flash {
		t.Errorf("got %q", got)
	}
	if got := generate(t, c, genai.Text("other"), nil).Text(); !strings.Contains(got, "stand-in") {
		t.Errorf("got %q", got)
	}
}
