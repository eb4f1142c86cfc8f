package generation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestNoFileIsFetchedFromElsewhere(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	base := g.gemini.URL()
	for _, uri := range []string{
		"", " ", "x", "files", "files/", "files/../x", "files/a/b", "files/a?b", "files/a#b", "files/a%2fb", "files/a b", "files/a\n", "\nfiles/a", "/files/a", "//files/a", "Files/a",
		"https://evil.example/v1beta/files/a", "http://generativelanguage.googleapis.com/v1beta/files/a", "HTTPS://generativelanguage.googleapis.com/v1beta/files/a",
		"https://generativelanguage.googleapis.com.evil.example/v1beta/files/a", "https://generativelanguage.googleapis.com@evil.example/v1beta/files/a",
		"https://evil.example/@generativelanguage.googleapis.com/files/a", "https://user@generativelanguage.googleapis.com/v1beta/files/a",
		"https://user:pass@generativelanguage.googleapis.com/v1beta/files/a", "https://generativelanguage.googleapis.com:443/v1beta/files/a",
		"https://generativelanguage.googleapis.com:8080/v1beta/files/a", "https://generativelanguage.googleapis.com\\@evil.example/v1beta/files/a",
		"https://generativelanguage.googleapis.com./v1beta/files/a", "https://ｇenerativelanguage.googleapis.com/v1beta/files/a", "https://xn--generativelanguage.googleapis.com/files/a",
		"https://generativelanguage.googleapis.com/v1beta/../files/a", "https://generativelanguage.googleapis.com/v1beta/%2e%2e/files/a", "https://generativelanguage.googleapis.com//evil.example/files/a",
		"https://generativelanguage.googleapis.com/v1beta/files/a?alt=media", "https://generativelanguage.googleapis.com/v1beta/files/a#x", "https://generativelanguage.googleapis.com/v1beta/files/a/../../models",
		"https://generativelanguage.googleapis.com/v1beta/models/a", "https://generativelanguage-googleapis.com/v1beta/files/a", "https://generativelanguagexgoogleapis.com/files/a",
		"https://www.youtube.com/watch?v=x", "gs://bucket/files/a", "file:///files/a", "data:text/plain,files/a", "javascript:files/a", "ai://file/a", "http://169.254.169.254/files/a",
		"https:generativelanguage.googleapis.com/files/a", "https:///generativelanguage.googleapis.com/files/a",
		base + "@evil.example/v1beta/files/a", base + "1/v1beta/files/a", strings.Replace(base, "http", "https", 1) + "/v1beta/files/a", "files/" + strings.Repeat("a", 129),
	} {
		for _, part := range []string{
			`{"file_data": {"file_uri": %s, "mime_type": "image/png"}}`, `{"fileData": {"fileUri": %s}}`,
			`{"text": "a", "fileData": {"fileUri": %s}}`,
		} {
			for _, role := range []string{"user", "model"} {
				a := g.post("/converse", `{"contents": [{"role": "`+role+`", "parts": [`+fmt.Sprintf(part, quote(uri))+`]}]}`)
				a.request = uri
				a.refused(http.StatusBadRequest, "invalid", `"field":"contents[0].parts[0].file`)
			}
		}
	}
	if n := len(g.gemini.Requests()); n > 0 {
		t.Errorf("Gemini was asked %d times", n)
	}
	for _, uri := range []string{"files/abc-123", "https://generativelanguage.googleapis.com/v1beta/files/a", "https://generativelanguage.googleapis.com/files/a", base + "/v1beta/files/a"} {
		g.post("/converse", `{"contents": [{"parts": [{"fileData": {"fileUri": `+quote(uri)+`}}]}]}`)
	}
	if n := len(g.gemini.Requests()); n != 4 {
		t.Errorf("Gemini was asked %d times for files of its own", n)
	}
}

func TestAModelIsANameNotAPath(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, model := range []string{
		"../x", "models/../../v1", "models/../x", "?key=", "models/x?key=y", "x:generateContent", "models/x:embedContent", "models/", "models", "models/models/x", "tunedModels/x",
		"files/abc", "a/b", "a\\b", "a%2fb", "a b", "a\n", "..", ".", "-a", "a..b", "/a", "a/", "models//a", "https://evil.example/models/a", "ａ", "a\u0000", strings.Repeat("a", 129),
		"publishers/google/models/x", "projects/p/locations/l/models/x", "x/v1beta/y",
	} {
		for _, path := range []string{"/converse", "/tokens"} {
			want := "model"
			if model == "models" {
				continue // is a name
			}
			a := g.post(path, `{"contents": [{"parts": [{"text": "hi"}]}], "model": `+quote(model)+`}`)
			a.request = path + " " + model
			a.refused(http.StatusBadRequest, "invalid", `"field":"`+want+`"`)
		}
		if model != "models" {
			g.post("/embed", `{"texts": ["a"], "model": `+quote(model)+`}`).refused(http.StatusBadRequest, "invalid", `"field":"model"`)
		}
	}
	if n := len(g.gemini.Requests()); n > 0 {
		t.Errorf("Gemini was asked %d times", n)
	}
}

func TestNoClientChoosesWhereGeminiIs(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, member := range []string{"base_url", "baseUrl", "baseURL", "url", "endpoint", "http_options", "httpOptions", "headers", "timeout", "stream", "safety_settings", "cachedContent", "generationConfig", "Contents", "KEY"} {
		g.converse("hi", `, "`+member+`": "https://evil.example"`).refused(http.StatusBadRequest, "invalid", member)
	}
	for _, query := range []string{"?key=x", "?base_url=x", "?alt=sse", "?model=x"} {
		for _, path := range []string{"/converse", "/tokens", "/embed"} {
			g.post(path+query, hi).refused(http.StatusBadRequest, "invalid", "")
		}
		g.do(http.MethodGet, "/models"+query, "", nil).refused(http.StatusBadRequest, "invalid", "")
		g.do(http.MethodPost, "/file"+query, "multipart/form-data; boundary=x", strings.NewReader("--x--")).refused(http.StatusBadRequest, "invalid", "")
	}
	if n := len(g.gemini.Requests()); n > 0 {
		t.Errorf("Gemini was asked %d times", n)
	}
}

func TestADeclarationRunsNothing(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Call("transferMoney", map[string]any{"amount": 1}))
	a := g.converse("hi", `, "tools": [{"name": "transferMoney"}]`).want(http.StatusOK)
	if !strings.Contains(a.body, `"functionCall"`) || len(g.gemini.Requests()) != 1 {
		t.Errorf("%d requests, answer %s", len(g.gemini.Requests()), a.body)
	}
	g.converse("hi", `, "functions": ["transferMoney"]`).refused(http.StatusBadRequest, "invalid", `"functions`)
}

func TestADeclarationDoesNotPassForAFunction(t *testing.T) {
	t.Parallel()
	fns := tools{"getTime": func(context.Context, json.RawMessage) (json.RawMessage, error) {
		t.Error("it was called")
		return nil, nil
	}}
	g := newGateway(t, &generation.Options{Toolset: fns})
	for _, declared := range []string{`[{"name": "getTime"}]`, `[{"function_declarations": [{"name": "getTime"}]}]`, `[{"name": "a"}, {"name": "get\u0054ime"}]`} {
		g.converse("hi", `, "functions": ["getTime"], "tools": `+declared).refused(http.StatusBadRequest, "invalid", `"field":"tools`)
	}
	for _, names := range []string{`["other"]`, `["getTime", "other"]`, `[""]`, `["gettime"]`, `["../getTime"]`, `[1]`, `"getTime"`, `null`} {
		g.converse("hi", `, "functions": `+names).refused(http.StatusBadRequest, "invalid", `"field":"functions`)
	}
	if n := len(g.gemini.Requests()); n > 0 {
		t.Errorf("%d requests", n)
	}
	// Unless it is asked for, it is not there, and the name is the client's.
	g.gemini.Enqueue(generationtest.Call("getTime", nil), generationtest.Call("getTime", nil), generationtest.Call("getTime", nil))
	g.converse("hi", "").want(http.StatusOK)
	g.converse("hi", `, "functions": []`).want(http.StatusOK)
	g.converse("hi", `, "tools": [{"name": "getTime"}]`).want(http.StatusOK)
}

func TestLargeAndDeepRequests(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Text("ok"))
	g.converse(strings.Repeat("a", 10<<20), "").parts(`[{"text": "ok"}]`)
	if r := g.gemini.Requests()[0]; r.Size < 10<<20 {
		t.Errorf("Gemini was sent %d bytes", r.Size)
	}
	g.converse(strings.Repeat("a", 20<<20), "").refused(http.StatusRequestEntityTooLarge, "too_large", "")
	for _, deep := range []string{
		strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), strings.Repeat("[", 200_000),
	} {
		for _, body := range []string{`{"contents": ` + deep + `}`, `{"contents": [{"parts": [{"functionCall": {"name": "f", "args": {"a": ` + deep + `}}}]}]}`, `{"contents": [], "tools": ` + deep + `}`} {
			g.post("/converse", body).refused(http.StatusBadRequest, "invalid", "")
		}
	}
	many := strings.Repeat(`{},`, 10_000) + `{}`
	g.post("/converse", `{"contents": [`+strings.ReplaceAll(many, `{}`, `{"parts":[{"text":"a"}]}`)+`]}`).refused(http.StatusBadRequest, "invalid", `"field":"contents"`)
	g.post("/converse", `{"contents": [{"parts": [`+strings.ReplaceAll(many, `{}`, `{"text":"a"}`)+`]}]}`).refused(http.StatusBadRequest, "invalid", `"field":"contents[0].parts[10000]"`)
	var tools []string
	for i := range 513 {
		tools = append(tools, fmt.Sprintf(`{"name": "f%d"}`, i))
	}
	g.converse("hi", `, "tools": [`+strings.Join(tools, ",")+`]`).refused(http.StatusBadRequest, "invalid", `"field":"tools[512]"`)
	for _, body := range []string{
		``, `{`, `[]`, `null`, `{"contents": [{"parts": [{"text": "a"}]}]} {}`, `{"contents": [{"parts": [{"text": "a", "text": "b"}]}]}`,
		`{"contents": [{"parts": [{"functionCall": {"name": "f", "args": {"a": [{"b": 1, "b": 2}]}}}]}]}`, `{"contents": [{"parts": [{"text": "a"}], "parts": [{"text": "b"}]}]}`, "{\"contents\": [{\"parts\": [{\"text\": \"\xff\"}]}]}",
	} {
		g.post("/converse", body).refused(http.StatusBadRequest, "invalid", "")
	}
	if n := len(g.gemini.Requests()); n != 1 {
		t.Errorf("Gemini was asked %d times", n)
	}
}

// canary is a key that must appear nowhere, in none of its forms.
const canary = "AIzaCanary-0123456789_abcdefghijklmnop"

// leak is a transport that tells the key wherever it can.
type leak struct{ mode string }

func (l leak) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.Header.Get("X-Goog-Api-Key")
	if key == "" {
		return nil, errors.New("there is no key")
	}
	reply := func(status int, body string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Status: key, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"X-Key": {key}, "Retry-After": {key}, "Location": {"https://evil.example/" + key}}, Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
	switch l.mode {
	case "transport":
		return nil, fmt.Errorf("sending %s failed", key)
	case "text":
		return reply(http.StatusBadGateway, "the key is "+key)
	case "error":
		return reply(http.StatusBadRequest, `{"error":{"code":400,"message":"API key not valid: `+key+`","status":"`+key+`","details":[{"reason":"`+key+`"}]}}`)
	case "refused":
		return reply(http.StatusUnauthorized, `{"error":{"code":401,"message":"`+key+`","status":"UNAUTHENTICATED","details":[{"reason":"API_KEY_INVALID"}]}}`)
	case "limited":
		return reply(http.StatusTooManyRequests, `{"error":{"code":429,"message":"`+key+`","status":"RESOURCE_EXHAUSTED"}}`)
	case "redirect":
		return reply(http.StatusFound, key)
	case "garbage":
		return reply(http.StatusOK, `{"candidates": "`+key+`"`)
	case "types":
		return reply(http.StatusOK, `{"candidates": "`+key+`", "file": "`+key+`", "models": "`+key+`", "embeddings": "`+key+`", "totalTokens": "`+key+`"}`)
	case "stream":
		return reply(http.StatusOK, "data: {\"error\":{\"code\":500,\"message\":\""+key+"\",\"status\":\""+key+"\"}}\n\n")
	case "line":
		return reply(http.StatusOK, key+"\n\ndata: "+key+"\n\n")
	case "blocked":
		return reply(http.StatusOK, `{"promptFeedback":{"blockReason":"`+key+`"}}`)
	case "finish":
		return reply(http.StatusOK, `{"candidates":[{"finishReason":"`+key+`"}]}`)
	}
	panic(l.mode)
}

// TestNoKeyIsTold must not run beside others: it listens to the global logger.
//
//nolint:paralleltest // see above
func TestNoKeyIsTold(t *testing.T) {
	var global bytes.Buffer
	log.SetOutput(&global)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	for _, mode := range []string{"transport", "text", "error", "refused", "limited", "redirect", "garbage", "types", "stream", "line", "blocked", "finish"} {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprint(mode, own), func(t *testing.T) {
				key, member, servers := canary, `, "key": "`+canary+`"`, generationtest.DefaultKey
				if !own {
					key, member, servers = "", "", canary
				}
				g := newGatewayWith(t, servers, &generation.Options{HTTPClient: &http.Client{Transport: leak{mode}}})
				var told strings.Builder
				signals.Tap(g.app.Signals(), func(_ context.Context, e any) { fmt.Fprintf(&told, "%+v", e) })
				signals.Intercept(g.app.Signals(), func(_ context.Context, e *generation.Generating) error {
					fmt.Fprintf(&told, "%+v", e)
					return nil
				})
				for _, a := range []answer{
					g.converse("hi", member), g.converse("hi", member, "Accept", "text/event-stream"), g.post("/tokens", `{"contents": [{"parts": [{"text": "hi"}]}]`+member+`}`),
					g.post("/embed", `{"texts": ["a"]`+member+`}`), g.form(field{"key", "", "", canary}, field{"file", "a.txt", "", "text"}), g.form(field{"file", "a.txt", "", "text"}, field{"key", "", "", canary}),
					g.do(http.MethodGet, "/models", "", nil), g.converse("hi", `, "key": "`+canary+` "`), g.converse("hi", `, "x": "`+canary+`"`+member),
				} {
					fmt.Fprintln(&told, a.status, a.header, a.body)
					if a.status < 400 && a.header.Get("Content-Type") != "text/event-stream" {
						t.Errorf("%s: %d %s", a.request, a.status, a.body)
					}
				}
				r := user("hi")
				r.Key = key
				_, err1 := g.gen.Converse(t.Context(), r)
				_, err2 := g.gen.CountTokens(t.Context(), r)
				_, err3 := g.gen.Embed(t.Context(), generation.EmbedRequest{Texts: []string{"a"}, Key: key})
				_, err4 := g.gen.Models(t.Context(), key)
				_, err5 := g.gen.Upload(t.Context(), strings.NewReader("a"), generation.UploadOptions{Key: key})
				for _, err := range []error{err1, err2, err3, err4, err5} {
					if err == nil {
						t.Error("there is no error")
					}
					for ; err != nil; err = errors.Unwrap(err) {
						fmt.Fprintf(&told, "%v %+v %#v\n", err, err, err)
					}
				}
				for _, err := range g.gen.Stream(t.Context(), r) {
					fmt.Fprintf(&told, "%v %+v\n", err, err)
				}
				for where, text := range map[string]string{"an answer, an error or an event": told.String(), "the log": g.logs.String(), "the global log": global.String()} {
					if i := strings.Index(text, "Canary"); i >= 0 {
						t.Errorf("%s has the key: …%s…", where, text[max(0, i-200):min(len(text), i+100)])
					}
				}
			})
		}
	}
	if global.Len() > 0 {
		t.Errorf("the global log has %s", global.String())
	}
}

func TestACallersBadKeyIsTheirs(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.converse("hi", `, "key": "wrong"`).refused(http.StatusBadRequest, "key_refused", `"field":"key"`)
	g.form(field{"file", "a.txt", "", "text"}, field{"key", "", "", "wrong"}).refused(http.StatusBadRequest, "key_refused", "")
	if n := len(g.gemini.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
	g.converse("hi", `, "key": "`+g.gemini.Key()+`"`).want(http.StatusOK)
	// The gateway's own is nobody else's affair.
	g = newGateway(t, &generation.Options{BaseURL: newGemini(t, &generationtest.Options{Keys: []string{"another"}}).URL()})
	g.converse("hi", "").refused(http.StatusInternalServerError, "generation_failed", "")
}

func TestKeysOfRequestsMayBeRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{NoRequestKeys: true})
	g.converse("hi", `, "key": "`+g.gemini.Key()+`"`).refused(http.StatusBadRequest, "invalid", `"field":"key"`)
	g.form(field{"key", "", "", g.gemini.Key()}, field{"file", "a.txt", "", "text"}).refused(http.StatusBadRequest, "invalid", `"field":"key"`)
	g.converse("hi", "").want(http.StatusOK)
	if _, err := generation.New(nil, "", &generation.Options{NoAccounts: true, NoRequestKeys: true}); err == nil || !strings.Contains(err.Error(), "NoRequestKeys") {
		t.Errorf("no key at all: %v", err)
	}
}

func TestWithoutAKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	gen := newService(t, "", &generation.Options{NoAccounts: true, BaseURL: g.gemini.URL()})
	if _, err := gen.Converse(t.Context(), user("hi")); !errors.Is(err, generation.ErrNoKey) {
		t.Errorf("got %v", err)
	}
	r := user("hi")
	r.Key = g.gemini.Key()
	if _, err := gen.Converse(t.Context(), r); err != nil {
		t.Error(err)
	}
	r.Key = "a\r\nX-Evil: 1"
	if _, err := gen.Converse(t.Context(), r); err == nil || len(g.gemini.Requests()) != 1 {
		t.Errorf("got %v", err)
	}
}

// TestTheEnvironmentHasNoSay must not run beside others: it sets variables.
//
//nolint:paralleltest // see above
func TestTheEnvironmentHasNoSay(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the environment says where Gemini is") }))
	t.Cleanup(thief.Close)
	for name, value := range map[string]string{
		"GOOGLE_API_KEY": canary, "GEMINI_API_KEY": canary, "GOOGLE_GEMINI_BASE_URL": thief.URL, "GOOGLE_VERTEX_BASE_URL": thief.URL, "GOOGLE_GENAI_USE_VERTEXAI": "true",
		"GOOGLE_GENAI_USE_ENTERPRISE": "1", "GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "l", "GOOGLE_CLOUD_REGION": "r", "GOOGLE_GENAI_REPLAYS_DIRECTORY": t.TempDir(), "GOOGLE_GENAI_CLIENT_MODE": "replay",
	} {
		t.Setenv(name, value)
	}
	g := newGateway(t, nil)
	g.converse("hi", "").want(http.StatusOK)
	g.upload("a.txt", "text").want(http.StatusOK)
	g.do(http.MethodGet, "/models", "", nil).want(http.StatusOK)
	for _, r := range g.gemini.Requests() {
		if !r.HasKey(g.gemini.Key()) || r.HasKey(canary) {
			t.Errorf("%s %s came with another key", r.Method, r.Path)
		}
	}
	gen := newService(t, "", &generation.Options{NoAccounts: true, BaseURL: g.gemini.URL()})
	if _, err := gen.Converse(t.Context(), user("hi")); !errors.Is(err, generation.ErrNoKey) {
		t.Errorf("without a key: %v", err)
	}
	gen = newService(t, "k", &generation.Options{NoAccounts: true, HTTPClient: &http.Client{Transport: broken{errors.New("not here")}}, Attempts: 1, Timeout: time.Second})
	if _, err := gen.Converse(t.Context(), user("hi")); err == nil || !strings.Contains(err.Error(), "generativelanguage.googleapis.com") {
		t.Errorf("by default Gemini is elsewhere: %v", err)
	}
}
