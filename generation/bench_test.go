package generation_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// upstream answers at once, with as little work as can be.
func upstream(b *testing.B, answer string) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	b.Cleanup(server.Close)
	return server.URL
}

const hello = `{"candidates":[{"content":{"role":"model","parts":[{"text":"hello"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4}}`

// BenchmarkConverse compares a conversation by the SDK alone, by the Go method and
// over HTTP; long is one of 100 turns.
func BenchmarkConverse(b *testing.B) {
	url := upstream(b, hello)
	gen := newService(b, "k", &generation.Options{NoAccounts: true, BaseURL: url})
	transport := &http.Transport{}
	b.Cleanup(transport.CloseIdleConnections)
	sdk, err := genai.NewClient(b.Context(), &genai.ClientConfig{APIKey: "k", Backend: genai.BackendGeminiAPI, HTTPClient: &http.Client{Transport: transport}, HTTPOptions: genai.HTTPOptions{BaseURL: url}})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	e.POST("/converse", gen.HandleConverse)
	for name, turns := range map[string]int{"short": 1, "long": 100} {
		text := strings.Repeat("some words that are said ", 20)
		var own []generation.Content
		var theirs []*genai.Content
		for range turns {
			own = append(own, generation.User(generation.Text(text)))
			theirs = append(theirs, genai.NewContentFromText(text, genai.RoleUser))
		}
		b.Run(name+"/sdk", func(b *testing.B) {
			for b.Loop() {
				if _, err := sdk.Models.GenerateContent(b.Context(), flash, theirs, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/go", func(b *testing.B) {
			for b.Loop() {
				if _, err := gen.Converse(b.Context(), generation.Request{Contents: own}); err != nil {
					b.Fatal(err)
				}
			}
		})
		body := `{"contents": [` + strings.TrimSuffix(strings.Repeat(`{"role": "user", "parts": [{"text": `+quote(text)+`}]},`, turns), ",") + `]}`
		b.Run(name+"/http", func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/converse", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				rec := httptest.NewRecorder()
				if e.ServeHTTP(rec, r); rec.Code != http.StatusOK {
					b.Fatal(rec.Body)
				}
			}
		})
	}
}

// BenchmarkFirstByte measures from when Gemini sends the first part until a client
// has it: directly, and through the gateway.
func BenchmarkFirstByte(b *testing.B) {
	sent := make(chan time.Time, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		sent <- time.Now()
		_, _ = io.WriteString(w, "data: "+hello+"\n\n")
		_ = http.NewResponseController(w).Flush()
	}))
	b.Cleanup(server.Close)
	gen := newService(b, "k", &generation.Options{NoAccounts: true, BaseURL: server.URL})
	e := echo.New()
	e.POST("/converse", gen.HandleConverse)
	gateway := httptest.NewServer(e)
	b.Cleanup(gateway.Close)
	transport := &http.Transport{}
	b.Cleanup(transport.CloseIdleConnections)
	for _, way := range []struct{ name, url string }{{"direct", server.URL}, {"gateway", gateway.URL + "/converse"}} {
		b.Run(way.name, func(b *testing.B) {
			var total time.Duration
			for b.Loop() {
				r, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, way.url, strings.NewReader(hi))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Accept", "text/event-stream")
				res, err := transport.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				lines := bufio.NewReader(res.Body)
				if _, err := lines.ReadString('\n'); err != nil {
					b.Fatal(err)
				}
				total += time.Since(<-sent)
				_, _ = io.Copy(io.Discard, lines)
				_ = res.Body.Close()
			}
			b.ReportMetric(float64(total.Microseconds())/float64(b.N), "µs/first-byte")
		})
	}
}

// BenchmarkStreamsAtOnce measures the memory of 100 streams that wait for more, of
// the gateway's handlers and its connections to Gemini alone.
func BenchmarkStreamsAtOnce(b *testing.B) {
	const n = 100
	gemini := newGemini(b, nil)
	gen := newService(b, gemini.Key(), &generation.Options{NoAccounts: true, BaseURL: gemini.URL()})
	gemini.Answer(func(generationtest.Request) (generationtest.Reply, bool) {
		return generationtest.Stream(generationtest.Text("a"), generationtest.Hang()), true
	})
	for b.Loop() {
		before := inUse()
		ctx, cancel := context.WithCancel(b.Context())
		var first, all sync.WaitGroup
		first.Add(n)
		for range n {
			all.Go(func() {
				for _, err := range gen.Stream(ctx, user("hi")) {
					if err == nil {
						first.Done()
					}
				}
			})
		}
		first.Wait()
		b.ReportMetric(float64(inUse()-before)/n/1024, "KiB/stream")
		cancel()
		all.Wait()
	}
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
