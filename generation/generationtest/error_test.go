package generationtest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

func TestErrorsAreAsGoogleWritesThem(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reply generationtest.Reply
		want  genai.APIError
	}{
		"limited, with the time to wait": {
			generationtest.Fail(429, "slow down", generationtest.RetryInfo(17*time.Second)),
			genai.APIError{Code: 429, Message: "slow down", Status: "RESOURCE_EXHAUSTED", Details: []map[string]any{
				{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"},
			}},
		},
		"with half a second to wait": {
			generationtest.Fail(503, "", generationtest.RetryInfo(500*time.Millisecond)),
			genai.APIError{Code: 503, Status: "UNAVAILABLE", Details: []map[string]any{
				{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.5s"},
			}},
		},
		"no JSON": {
			generationtest.Raw(502, "text/html", "<h1>Bad Gateway</h1>"),
			genai.APIError{Code: 502, Message: "<h1>Bad Gateway</h1>", Status: "502 Bad Gateway"},
		},
		"empty":               {generationtest.Raw(500, "", ""), genai.APIError{Code: 500, Status: "500 Internal Server Error"}},
		"a code without name": {generationtest.Fail(418, "a teapot"), genai.APIError{Code: 418, Message: "a teapot", Status: "UNKNOWN"}},
		"a part that is no JSON": {
			generationtest.Part(map[string]any{"text": func() {}}),
			genai.APIError{Code: 500, Message: "generationtest: the script has a part that is no JSON: json: unsupported type: func()", Status: "INTERNAL"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := start(t, nil)
			s.Enqueue(test.reply, test.reply)
			if diff := cmp.Diff(test.want, refused(t, c, genai.Text("hi"), nil)); diff != "" {
				t.Error(diff)
			}
			for _, err := range c.Models.GenerateContentStream(t.Context(), flash, genai.Text("hi"), nil) {
				if diff := cmp.Diff(test.want, apiError(t, err)); diff != "" {
					t.Errorf("streamed: %s", diff)
				}
			}
		})
	}
}

func TestHeadersComeWithAnError(t *testing.T) {
	t.Parallel()
	s, _ := start(t, nil)
	s.Enqueue(generationtest.Stream(generationtest.Header("Retry-After", "7"), generationtest.Fail(429, "slow down")))
	status, header, _ := post(t, s, "/v1beta/models/gemini-2.5-flash:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`)
	if status != 429 || header.Get("Retry-After") != "7" {
		t.Errorf("status %d, Retry-After %q", status, header.Get("Retry-After"))
	}
}

func TestAKeyIsNeeded(t *testing.T) {
	t.Parallel()
	s, _ := start(t, nil)
	wrong := refused(t, client(t, s.URL(), "wrong"), genai.Text("hi"), nil)
	if wrong.Code != 400 || wrong.Status != "INVALID_ARGUMENT" || wrong.Details[0]["reason"] != "API_KEY_INVALID" {
		t.Errorf("a wrong key: %+v", wrong)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/v1beta/models", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if res.StatusCode != 403 {
		t.Errorf("no key: %s", res.Status)
	}
	requests := s.Requests()
	if !requests[0].HasKey("wrong") || requests[0].HasKey(s.Key()) || requests[0].Header.Get("X-Goog-Api-Key") != "" {
		t.Errorf("the record does not tell which key it was, or shows it: %v", requests[0].Header)
	}
}

func TestWhatGoogleRefusesIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := start(t, nil)
	tests := map[string]struct{ path, body, want string }{
		"no contents":        {"", `{}`, "contents is not specified"},
		"no parts":           {"", `{"contents":[{"role":"user"}]}`, "contents.parts must not be empty"},
		"an empty part":      {"", `{"contents":[{"parts":[{}]}]}`, "contents[0].parts[0].data: required oneof"},
		"an unknown role":    {"", `{"contents":[{"role":"system","parts":[{"text":"a"}]}]}`, "valid role"},
		"an unknown member":  {"", `{"contents":[{"parts":[{"file_data":{}}]}]}`, `Unknown name "file_data": Cannot find field`},
		"two values":         {"", `{"contents":[{"parts":[{"text":"a"}]}]}{}`, "before end of input"},
		"no JSON":            {"", `{`, "Invalid JSON payload"},
		"an unknown model":   {"/v1beta/models/gpt:generateContent", `{"contents":[{"parts":[{"text":"a"}]}]}`, "models/gpt is not found"},
		"a model of vectors": {"/v1beta/models/gemini-embedding-001:generateContent", `{"contents":[{"parts":[{"text":"a"}]}]}`, "not supported for generateContent"},
		"two functions of one name": {
			"", `{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f"},{"name":"f"}]}]}`, "Duplicate function declaration found: f",
		},
		"a function with a bad name": {
			"", `{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f g"}]}]}`, "Invalid function name",
		},
		"a response without a call": {"", `{"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`, "immediately after a function call turn"},
		"a response without a name": {"", `{"contents":[{"parts":[{"functionResponse":{"response":{}}}]}]}`, "Name cannot be empty"},
		"a file of another place":   {"", `{"contents":[{"parts":[{"fileData":{"fileUri":"https://example.com/a"}}]}]}`, "unsupported file uri"},
		"an unknown file":           {"", `{"contents":[{"parts":[{"fileData":{"fileUri":"files/a"}}]}]}`, "permission to access the File a"},
		"a stream of no events":     {"/v1beta/models/gemini-2.5-flash:streamGenerateContent", `{}`, "alt=sse"},
		"an unknown version":        {"/v9/models/gemini-2.5-flash:generateContent", `{}`, "Error 404"},
		"an unknown verb":           {"/v1beta/models/gemini-2.5-flash:dream", `{}`, "Error 404"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := test.path
			if path == "" {
				path = "/v1beta/models/gemini-2.5-flash:generateContent"
			}
			status, _, body := post(t, s, path, test.body)
			if status < 400 || !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), test.want) {
				t.Errorf("status %d, %s; want %q", status, body, test.want)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	_, err := generationtest.Start(t.Context(), &generationtest.Options{Keys: []string{""}, Models: []string{"a/b"}, Processing: -1})
	for _, field := range []string{"Keys[0]", "Models[0]", "Processing"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

func TestTheEndOfItsContextClosesAServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := generationtest.Start(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, s.URL(), s.Key())
	s.Enqueue(generationtest.Hang())
	failed := make(chan error, 1)
	go func() {
		_, err := c.Models.GenerateContent(context.WithoutCancel(ctx), flash, genai.Text("hi"), nil)
		failed <- err
	}()
	if err := s.AwaitRequests(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; err == nil {
		t.Error("the hanging request came to an answer")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	t.Parallel()
	for keep, want := range map[int]int{2: 2, -1: 0} {
		s, c := start(t, &generationtest.Options{Keep: keep})
		for range 3 {
			generate(t, c, genai.Text("hi"), nil)
		}
		if got := len(s.Requests()); got != want {
			t.Errorf("keeping %d: %d requests, want %d", keep, got, want)
		}
		if err := s.AwaitRequests(t.Context(), 3); err != nil {
			t.Error(err)
		}
	}
}
