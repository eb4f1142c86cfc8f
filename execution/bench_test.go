package execution_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkRouter is a call end to end: the App's handler, the router, the key, the
// checks, the function, the answer.
func BenchmarkRouter(b *testing.B) {
	g := newGateway(b, nil, getWeather(nil))
	h := g.app.Handler(g.echo)
	const body = `{"city":"Paris","unit":"celsius"}`
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/service/execution/v1/execute/getWeather", nil)
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(body))
	b.ReportAllocs()
	for b.Loop() {
		r.Body = readCloser{strings.NewReader(body)}
		h.ServeHTTP(discard{http.Header{}}, r)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// BenchmarkCall is Call alone.
func BenchmarkCall(b *testing.B) {
	fns := newService(b, getWeather(nil))
	input := json.RawMessage(`{"city":"Paris","unit":"celsius"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fns.Call(b.Context(), "getWeather", input); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCallLarge is Call with an input and an output of about 100 KB.
func BenchmarkCallLarge(b *testing.B) {
	fns := newService(b, echoOrder())
	input := json.RawMessage(`{"item":"a","count":1,"lines":[` + strings.Repeat(`{"price":1.25},`, 7000) + `{"price":1}]}`)
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fns.Call(b.Context(), "order", input); err != nil {
			b.Fatal(err)
		}
	}
}
