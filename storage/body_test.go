package storage_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// chunked sends a body of unknown length.
func (g *gateway) chunked(method, path, body string) answer {
	g.Helper()
	r := httptest.NewRequestWithContext(g.Context(), method, "/service/storage/v1"+path, io.NopCloser(strings.NewReader(body)))
	r.ContentLength = -1
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Content-Type", "application/json")
	return g.serve(r)
}

func TestABodyIsRefusedWhereThereIsNoUseForOne(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 2)
	for _, row := range []struct{ method, path string }{
		{"GET", "/things"}, {"GET", "/things/d00"}, {"DELETE", "/things/d00"},
	} {
		g.do(row.method, row.path, `{"query": {"n": 1}}`).refused(400, "invalid", "body")
		g.chunked(row.method, row.path, `{"query": {"n": 1}}`).refused(400, "invalid", "body")
	}
	g.stored("things", "d00")
}

func TestAnEmptyBodyOfUnknownLengthIsNone(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 5)
	g.chunked("GET", "/things", "").want(http.StatusOK)
	g.chunked("DELETE", "/things/d00", "").want(http.StatusOK)
	if a := g.chunked("DELETE", "/things"+query("query", `{"n": 1}`), "").want(http.StatusOK); a.body != `{"deleted":1}` {
		t.Error(a.body)
	}
	if a := g.chunked("DELETE", "/things", `{"query": {"n": 2}}`).want(http.StatusOK); a.body != `{"deleted":1}` {
		t.Error(a.body)
	}
}

// A precondition that is passed over would look as if it held.
func TestPreconditionsThatAreNotCheckedAreRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	for _, row := range []struct{ method, path, body, headers string }{
		{"GET", "/things", "", "If-Match If-None-Match"},
		{"GET", "/things/d00", "", "If-Match"},
		{"POST", "/things", `{"document": {"_id": "new"}}`, "If-Match If-None-Match"},
		{"PATCH", "/things/d00", `{"document": {"a": 1}}`, "If-None-Match"},
		{"PATCH", "/things", `{"document": {"a": 1}, "query": {}}`, "If-Match If-None-Match"},
		{"DELETE", "/things/d00", "", "If-None-Match"},
		{"DELETE", "/things?query={}", "", "If-Match If-None-Match"},
		{"POST", "/things/aggregate", `{"pipeline": []}`, "If-Match If-None-Match"},
	} {
		for header := range strings.FieldsSeq(row.headers) {
			g.do(row.method, row.path, row.body, header, "*").refused(400, "invalid", header)
		}
	}
	if got := g.do("GET", "/things", "").docs(); len(got) != 1 || got[0]["a"] != nil {
		t.Errorf("now %v", got)
	}
}

func TestHeadAnswersAsGetDoes(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 3)
	server := g.listen()
	ask := func(method, path, accept string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/service/storage/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", apiKey)
		r.Header.Set("Accept", accept)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	for _, path := range []string{"/things?limit=2&count=true", "/things/d00"} {
		get, head := ask("GET", path, "*/*"), ask("HEAD", path, "*/*")
		for _, name := range []string{"Content-Type", "Content-Length", "ETag", "Link", "X-Total-Count"} {
			if get.StatusCode != head.StatusCode || get.Header.Get(name) != head.Header.Get(name) {
				t.Errorf("%s: %d %q by GET, %d %q by HEAD", name, get.StatusCode, get.Header.Get(name), head.StatusCode, head.Header.Get(name))
			}
		}
	}
	if res := ask("HEAD", "/things", ndjson); res.StatusCode != 200 || res.Header.Get("Content-Type") != ndjson || res.ContentLength > 0 {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	g.do("HEAD", "/things/none", "").want(http.StatusNotFound)
	g.do("HEAD", "/_USERS", "").want(http.StatusForbidden)
	g.do("HEAD", "/_USERS/x", "").want(http.StatusForbidden)
	if a := g.do("HEAD", "/things", ""); a.body != "" {
		t.Errorf("a body of %d bytes", len(a.body))
	}
}
