package generationtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// post sends a body with a good key, and returns what came of it.
func post(t *testing.T, s *generationtest.Server, path, body string) (status int, header http.Header, text string) {
	t.Helper()
	return send(t, s, http.MethodPost, path, body)
}

// send sends a request with a good key. headers are name, value pairs.
func send(t *testing.T, s *generationtest.Server, method, path, body string, headers ...string) (status int, header http.Header, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Goog-Api-Key", s.Key())
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(got)
}
