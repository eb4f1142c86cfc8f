package archive_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

func TestTheGoMethods(t *testing.T) {
	t.Parallel()
	clock := newClock()
	g := newGateway(t, &archive.Options{Now: clock.now, MaxBytes: 10})
	told := signalstest.RecordAll(t, g.app.Signals())
	content := strings.Repeat("more than HTTP may send ", 1000)
	f, err := g.files.Put(t.Context(), "/tmp/a.txt", strings.NewReader(content), &archive.PutOptions{Collection: "things", Metadata: bson.D{{Key: "n", Value: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	want := archive.File{
		ID: f.ID, Collection: "things", Name: "a.txt", Size: int64(len(content)), Type: "text/plain; charset=utf-8", SHA256: sum(content),
		Inserted: clock.now().UTC(), Metadata: f.Metadata,
	}
	if diff := cmp.Diff(want, f); diff != "" || f.Metadata.Lookup("n").AsInt64() != 1 {
		t.Error(diff, f.Metadata)
	}
	if got, err := g.files.Stat(t.Context(), f.ID); err != nil || !cmp.Equal(got, f) {
		t.Error(got, err)
	}
	d, err := g.files.Open(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(d); err != nil || string(got) != content || !cmp.Equal(d.File, f) {
		t.Error(len(got), err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := g.files.Delete(t.Context(), f.ID); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"Delete": g.files.Delete(t.Context(), f.ID), "Delete of no id": g.files.Delete(t.Context(), "x"),
		"Stat": second(g.files.Stat(t.Context(), f.ID)), "Open": second(g.files.Open(t.Context(), "../x")),
	} {
		if !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	told.ExpectExactly(archive.Uploaded{File: f}, archive.Deleted{File: f})
	g.empty()
}

func second[T any](_ T, err error) error { return err }

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	fault := errors.New("a fault of the reader")
	for name, row := range map[string]struct {
		r    io.Reader
		opts *archive.PutOptions
		ok   func(error) bool
	}{
		"a bad collection": {strings.NewReader("x"), &archive.PutOptions{Collection: "a.b"}, isOption},
		"a negative limit": {strings.NewReader("x"), &archive.PutOptions{MaxBytes: -1}, isOption},
		"bad metadata":     {strings.NewReader("x"), &archive.PutOptions{Metadata: 7}, func(err error) bool { return err != nil }},
		"too much":         {strings.NewReader(strings.Repeat("x", 9001)), &archive.PutOptions{MaxBytes: 9000}, func(err error) bool { return errors.Is(err, archive.ErrTooLarge) }},
		"too much at once": {strings.NewReader("xxx"), &archive.PutOptions{MaxBytes: 2}, func(err error) bool { return errors.Is(err, archive.ErrTooLarge) }},
		"a fault":          {io.MultiReader(strings.NewReader(strings.Repeat("x", 9000)), fails{fault}), nil, func(err error) bool { return errors.Is(err, fault) }},
		"a fault at once":  {fails{fault}, nil, func(err error) bool { return errors.Is(err, fault) }},
		"a short body":     {io.MultiReader(strings.NewReader("x"), fails{io.ErrUnexpectedEOF}), nil, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
	} {
		if _, err := g.files.Put(t.Context(), "a", row.r, row.opts); !row.ok(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	odd := newGatewayOn(t, g.db, g.store, &archive.Options{NewID: func() string { return "../x" }})
	if _, err := odd.files.Put(t.Context(), "a", strings.NewReader("x"), nil); err == nil {
		t.Error("an id that is none is taken")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.files.Put(ended, "a", strings.NewReader("x"), nil); err == nil {
		t.Error("an ended context is taken")
	}
	g.empty()
}

func isOption(err error) bool {
	_, ok := errors.AsType[*archive.OptionError](err)
	return ok
}

// fails is a reader that does.
type fails struct{ err error }

func (f fails) Read([]byte) (int, error) { return 0, f.err }

func TestLists(t *testing.T) {
	t.Parallel()
	clock := newClock()
	g := newGatewayOn(t, dbtest.Database(t), archivetest.Memory(), &archive.Options{Now: clock.now})
	for i, name := range []string{"c", "a", "b", "e", "d"} {
		clock.move(time.Hour)
		g.upload("/", file(name, strings.Repeat("x", i)), metadata(`{"even": `+map[bool]string{true: "true", false: "false"}[i%2 == 0]+`, "n": [1, 2]}`)).want(201)
	}
	g.upload("/upload/things", file("z", "z")).want(201)
	for query, want := range map[string]string{
		``:                              "c a b e d",
		`sort={"_filename":1}`:          "a b c d e",
		`sort={"_filesize":-1}&limit=2`: "d e",
		`query={"_filesize":{"$gt":1}}&sort={"_id":-1}`:                 "d e b",
		`query={"metadata.even":true}`:                                  "c b d",
		`query={"$or":[{"_filename":"a"},{"_filesize":4}]}`:             "a d",
		`query={"_inserted":{"$gte":{"$date":"2026-03-01T16:00:00Z"}}}`: "e d",
		`query={"_filetype":"application/octet-stream"}`:                "c",
		`query={"_sha256":"` + sum("xx") + `"}`:                         "b",
		`query={}&skip=3`:                                               "e d",
		`collection=things`:                                             "z",
		`collection=none`:                                               "",
	} {
		parts := strings.Split(query, "&")
		for i, p := range parts {
			name, value, _ := strings.Cut(p, "=")
			parts[i] = name + "=" + url.QueryEscape(value)
		}
		if query == "" {
			parts = nil
		}
		var names []string
		for _, f := range g.do("GET", "/?"+strings.Join(parts, "&"), "").files() {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if a := g.do("GET", "/?collection=none", ""); a.body != "[]" {
		t.Error(a.body)
	}
	var names []string
	path := "/?limit=2&count=true"
	for pages := 0; path != ""; pages++ {
		a := g.do("GET", path, "")
		for _, f := range a.files() {
			names = append(names, f.Name)
		}
		if n := a.header.Get("X-Total-Count"); n != "5" || pages > 5 {
			t.Fatal(n, pages)
		}
		link, rel, _ := strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		if path = ""; link != "" {
			path = "/" + link
		}
		if link != "" && rel != `; rel="next"` {
			t.Error(rel)
		}
	}
	if got := strings.Join(names, " "); got != "c a b e d" {
		t.Error(got)
	}
	files, err := g.files.List(t.Context(), &archive.ListOptions{Filter: bson.M{"_key": bson.M{"$gt": ""}}, Sort: bson.D{{Key: "_filename", Value: -1}}, Limit: 2, Skip: 1})
	if diff := cmp.Diff([]archive.File{{Name: "d"}, {Name: "c"}}, files, cmpopts.IgnoreFields(archive.File{}, "ID", "Size", "Type", "SHA256", "Inserted", "Metadata")); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := g.files.List(t.Context(), &archive.ListOptions{Limit: -1}); !isOption(err) {
		t.Error(err)
	}
}

func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Secret: secret})
	manual, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range g.files.Routes() {
		if r.Summary == "" || r.Doc == nil || len(r.Doc.Codes) == 0 || r.Handler == nil || seen[r.Name] || seen[r.Method+r.Path] {
			t.Errorf("%s: %+v", r.Name, r)
		}
		seen[r.Name], seen[r.Method+r.Path] = true, true
		if r.Need == service.Public != (r.Scope == "") {
			t.Errorf("%s: scope %q", r.Name, r.Scope)
		}
		if !strings.Contains(string(manual), " "+r.Path) {
			t.Errorf("%s is not in the manual", r.Path)
		}
	}
	if n := len(newGateway(t, nil).files.Routes()); n != 10 || len(g.files.Routes()) != 15 {
		t.Errorf("%d and %d routes", n, len(g.files.Routes()))
	}
}

func TestFilesOnADiskAreSentByTheKernel(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("a.bin", strings.Repeat("x", 5<<20))
	w := &kernel{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(t.Context(), "GET", prefix+"/"+f.ID, nil)
	r.Header.Set("X-API-Key", apiKey)
	g.echo.ServeHTTP(w, r)
	if w.fromFile != 5<<20 || w.Code != 200 {
		t.Errorf("%d bytes came from a file, %d", w.fromFile, w.Code)
	}
}

// kernel is a response that can be sent a file, and notes whether it is.
type kernel struct {
	*httptest.ResponseRecorder
	fromFile int64
}

// ReadFrom notes what comes from a file.
func (k *kernel) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(k.ResponseRecorder, r)
	if limited, ok := r.(*io.LimitedReader); ok {
		if _, ok := limited.R.(*os.File); ok {
			k.fromFile += n
		}
	}
	return n, err
}

// A client that takes nothing does not hold a download for ever.
func TestADownloadHasDeadlines(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("a.bin", strings.Repeat("x", 5<<20))
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(t.Context(), "GET", prefix+"/"+f.ID, nil)
	r.Header.Set("X-API-Key", apiKey)
	g.echo.ServeHTTP(w, r)
	last := len(w.set) - 1
	if last < 2 || !w.set[last].IsZero() {
		t.Fatal(w.set)
	}
	for _, at := range w.set[:last] { // generous, and not endless
		if left := time.Until(at); left < 20*time.Second || left > time.Hour {
			t.Error(w.set)
		}
	}
}

// deadlines is a response that notes its deadlines.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

// SetWriteDeadline notes one.
func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

func TestARedirectLeadsToTheStore(t *testing.T) {
	t.Parallel()
	g := newGatewayOn(t, dbtest.Database(t), linkStore{archivetest.Memory()}, &archive.Options{Redirect: true, Secret: secret})
	f := g.put("ü.txt", "hello")
	told := signalstest.Record[archive.Downloaded](t, g.app.Signals())
	a := g.do("GET", "/"+f.ID+"?inline=1", "").want(307)
	want := "https://store.example.com/" + g.keys()[0] + "?inline; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt&text/plain; charset=utf-8&5m0s"
	if a.header.Get("Location") != want || a.header.Get("Cache-Control") != "no-store" {
		t.Error(a.header)
	}
	g.open("GET", g.do("POST", "/"+f.ID+"/link", "").link(), "").want(307)
	g.do("HEAD", "/"+f.ID, "").want(200)
	told.ExpectExactly(archive.Downloaded{File: f, Redirected: true}, archive.Downloaded{File: f, Link: true, Redirected: true})
	page := g.do("GET", "/"+g.put("a.html", "<html>").ID+"?inline=1", "").want(307).header.Get("Location")
	if !strings.Contains(page, "?attachment;") || !strings.Contains(page, "&application/octet-stream&") {
		t.Error(page)
	}
	if _, err := archive.New(g.db, archivetest.Memory(), &archive.Options{Redirect: true}); err == nil {
		t.Error("a store that is no Linker is taken")
	}
}

// linkStore hands out addresses.
type linkStore struct{ archive.Store }

// Link returns one that says what it is for.
func (linkStore) Link(_ context.Context, key string, l archive.LinkRequest) (string, error) {
	return "https://store.example.com/" + key + "?" + l.Disposition + "&" + l.Type + "&" + l.Expires.String(), nil
}

func TestHandlersWorkAlone(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	e := echo.New()
	e.POST("/pictures", g.files.HandleUpload)
	e.GET("/pictures/:id", g.files.HandleDownload)
	body, contentType := form(file("a", "hello"))
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/pictures", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, r)
	at := rec.Header().Get("Location")
	if rec.Code != 201 || !strings.HasPrefix(at, "/pictures/") {
		t.Fatal(rec.Code, at)
	}
	rec = httptest.NewRecorder()
	e.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", at, nil))
	if rec.Code != 200 || rec.Body.String() != "hello" {
		t.Error(rec.Code, rec.Body)
	}
}
