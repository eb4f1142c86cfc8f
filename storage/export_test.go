package storage_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/event"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/storage"
)

const ndjson = "application/x-ndjson"

// fillMany inserts count documents of about size bytes.
func (g *gateway) fillMany(collection string, count, size int) {
	g.Helper()
	text := strings.Repeat("x", size)
	for count > 0 {
		docs := make([]any, min(count, 500, 10_000_000/size))
		for i := range docs {
			docs[i] = bson.M{"text": text}
		}
		if _, err := g.docs.Insert(g.Context(), collection, docs...); err != nil {
			g.Fatal(err)
		}
		count -= len(docs)
	}
}

// listen serves the gateway on a real connection.
func (g *gateway) listen() *httptest.Server {
	server := httptest.NewServer(g.app.Handler(g.echo))
	g.Cleanup(server.Close)
	return server
}

// get asks a server for lines.
func get(ctx context.Context, t *testing.T, server *httptest.Server, path string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/service/storage/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Accept", ndjson)
	return server.Client().Do(r)
}

func TestExportGivesAllThatMatches(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 12)
	g.fillMany("many", 1500, 10)
	for _, row := range []struct {
		path  string
		count int
	}{
		{"/many", 1500},
		{"/many?skip=1000", 500},
		{"/many?limit=3", 3},
		{"/things" + query("query", `{"even": true}`), 6},
		{"/nowhere", 0},
	} {
		a := g.do(http.MethodGet, row.path, "", "Accept", ndjson).want(http.StatusOK)
		if a.header.Get("Content-Type") != ndjson || a.header.Get("Link") != "" {
			t.Errorf("%s: Content-Type %s, Link %s", row.path, a.header.Get("Content-Type"), a.header.Get("Link"))
		}
		if n := len(strings.Fields(a.body)); n != row.count {
			t.Errorf("%s: %d lines, want %d", row.path, n, row.count)
		}
	}
	got := g.do(http.MethodGet, "/things"+query("sort", `{"even": 1}`, "limit", "3", "count", "true"), "", "Accept", ndjson)
	if diff := cmp.Diff([]any{"d01", "d03", "d05"}, got.column("_id")); diff != "" || got.header.Get("X-Total-Count") != "12" {
		t.Error(diff, got.header)
	}
	g.do(http.MethodGet, "/things"+query("query", `{"a": {"$where": 1}}`), "", "Accept", ndjson).refused(http.StatusBadRequest, "operator_not_allowed", "")
}

func TestAcceptChoosesTheForm(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for accept, lines := range map[string]bool{
		"":                                       false,
		"*/*":                                    false,
		"application/json":                       false,
		"text/html":                              false,
		ndjson:                                   true,
		"Application/X-NDJSON":                   true,
		ndjson + ", */*":                         true,
		ndjson + ";q=0.5":                        true,
		ndjson + ";q=0":                          false,
		ndjson + ";q=x":                          false,
		"*/*, " + ndjson + ";q=0.5":              false,
		"application/json, " + ndjson:            false,
		"application/json;q=0.5, " + ndjson:      true,
		"application/json, " + ndjson + ";q=0.9": false,
		ndjson + "; charset=utf-8; q=0.8, */*;q=0.1":            true,
		"application/json;q=0, " + ndjson + ";q=0.1, text/html": true,
	} {
		a := g.do(http.MethodGet, "/things", "", "Accept", accept).want(http.StatusOK)
		if got := a.header.Get("Content-Type") == ndjson; got != lines {
			t.Errorf("Accept %q: lines %t, want %t", accept, got, lines)
		}
	}
}

func TestTooManyExportsAre503(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &storage.Options{Exports: 1})
	g.fillMany("many", 1000, 20_000) // more than what the sockets hold
	server := g.listen()
	first, err := get(t.Context(), t, server, "/many")
	if err != nil || first.StatusCode != http.StatusOK {
		t.Fatal(first, err)
	}
	a := g.do(http.MethodGet, "/many", "", "Accept", ndjson)
	a.refused(http.StatusServiceUnavailable, "busy", "")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	g.do(http.MethodGet, "/nowhere", "").want(http.StatusOK) // an array is no export
	if n, err := io.Copy(io.Discard, first.Body); n < 20_000_000 || err != nil {
		t.Errorf("the export has %d bytes, %v", n, err)
	}
	_ = first.Body.Close()
	g.until("the place is free again", func() bool {
		return g.do(http.MethodGet, "/nowhere", "", "Accept", ndjson).status == http.StatusOK
	})
}

// until waits for what other goroutines do.
func (g *gateway) until(what string, done func() bool) {
	g.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(10 * time.Second)
	for !done() {
		select {
		case <-ticker.C:
		case <-deadline:
			g.Fatalf("timed out: %s", what)
		}
	}
}

func TestAnExportWhoseClientLeavesEnds(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &storage.Options{Exports: 1})
	g.fillMany("many", 1000, 20_000)
	server := g.listen()
	ctx, leave := context.WithCancel(t.Context())
	res, err := get(ctx, t, server, "/many")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	leave()
	_ = res.Body.Close()
	g.until("the export is over", func() bool {
		return g.do(http.MethodGet, "/nowhere", "", "Accept", ndjson).status == http.StatusOK
	})
}

func TestAnExportThatFailsMidwayNeverLooksWhole(t *testing.T) {
	t.Parallel()
	db := dbtest.NewServer(t)
	g := newGatewayOn(t, dbtest.Connect(t, db.URI()).Database("test"), nil)
	g.fillMany("many", 1000, 20_000)
	server := g.listen()
	res, err := get(t.Context(), t, server, "/many")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := bufio.NewReader(res.Body)
	if _, err := body.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	db.Kill()
	if n, err := io.Copy(io.Discard, body); !errors.Is(err, io.ErrUnexpectedEOF) && !isReset(err) {
		t.Errorf("%d bytes, then %v; want a broken connection", n, err)
	}
}

func isReset(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && !op.Timeout()
}

func TestAnExportThatFailsAtOnceIsAProblem(t *testing.T) {
	t.Parallel()
	db := dbtest.NewServer(t)
	g := newGatewayOn(t, dbtest.Connect(t, db.URI()).Database("test"), nil)
	g.fill("things", 1)
	db.Kill()
	a := g.do(http.MethodGet, "/things", "", "Accept", ndjson)
	a.refused(http.StatusServiceUnavailable, "database_unavailable", "")
	if a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.header)
	}
}

func TestAnExportLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 3)
	server := g.listen()
	for range 3 {
		res, err := get(t.Context(), t, server, "/things")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(res.Body); strings.Count(string(text), "\n") != 3 || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		_ = res.Body.Close()
	}
}

// patient is a connection that notes the deadlines it is given.
type patient struct {
	*httptest.ResponseRecorder

	deadlines []time.Time
}

func (p *patient) SetWriteDeadline(t time.Time) error {
	p.deadlines = append(p.deadlines, t)
	return nil
}

func TestAnExportRenewsItsDeadline(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fillMany("many", 10, 20_000)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/service/storage/v1/many", nil)
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Accept", ndjson)
	w := &patient{ResponseRecorder: httptest.NewRecorder()}
	g.app.Handler(g.echo).ServeHTTP(w, r)
	if n := strings.Count(w.Body.String(), "\n"); n != 10 {
		t.Fatalf("%d lines of 10", n)
	}
	last := len(w.deadlines) - 1
	if last < 4 || !w.deadlines[last].IsZero() {
		t.Fatalf("deadlines %v, want one for each chunk and none at the end", w.deadlines)
	}
	for _, d := range w.deadlines[:last] {
		if wait := time.Until(d); wait < 10*time.Second || wait > time.Minute {
			t.Errorf("a deadline in %s", wait)
		}
	}
}

// refusing is a connection whose client has gone.
type refusing struct{ *httptest.ResponseRecorder }

func (refusing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAnExportThatCannotBeWrittenBreaksTheConnection(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/service/storage/v1/things", nil)
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Accept", ndjson)
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // net/http itself compares the panic value
			t.Errorf("recovered %v, want http.ErrAbortHandler", v)
		}
	}()
	g.app.Handler(g.echo).ServeHTTP(refusing{httptest.NewRecorder()}, r)
}

func TestAnAbandonedExportClosesItsCursor(t *testing.T) {
	t.Parallel()
	killed := make(chan struct{}, 1)
	monitor := &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if e.CommandName == "killCursors" {
			killed <- struct{}{}
		}
	}}
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(dbtest.URI(t)).SetMonitor(monitor))
	if err != nil {
		t.Fatal(err)
	}
	db := dbtest.Database(t) // for the dropping
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	docs, err := storage.New(client.Database(db.Name()), nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{T: t, docs: docs}
	g.fillMany("many", 1000, 10)
	for doc, err := range docs.Export(t.Context(), "many", nil, nil) {
		if err != nil || doc == nil {
			t.Fatal(doc, err)
		}
		break
	}
	select {
	case <-killed:
	default:
		t.Error("the cursor was left open")
	}
}
