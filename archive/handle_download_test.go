package archive_test

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

// png is the beginning of an image.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"

func TestADownloadIsDescribed(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("Übersicht \"1\".txt", "hello")
	a := g.do("GET", "/"+f.ID, "").want(200)
	for name, want := range map[string]string{
		"Content-Type":                 "text/plain; charset=utf-8",
		"Content-Length":               "5",
		"Content-Disposition":          `attachment; filename="_bersicht _1_.txt"; filename*=UTF-8''%C3%9Cbersicht%20%221%22.txt`,
		"Etag":                         `"` + f.SHA256 + `"`,
		"Last-Modified":                f.Inserted.Format(http.TimeFormat),
		"Accept-Ranges":                "bytes",
		"Cache-Control":                "private, no-cache",
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "default-src 'none'; sandbox",
		"Cross-Origin-Resource-Policy": "same-site",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	head := g.do("HEAD", "/"+f.ID, "").want(200)
	if head.body != "" || head.header.Get("Content-Length") != "5" || head.header.Get("Etag") != a.header.Get("Etag") {
		t.Error(head.header, head.body)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	content := strings.Repeat("0123456789", 100)
	f := g.put("a.bin", content)
	old, tag := f.Inserted.Add(-time.Hour).Format(http.TimeFormat), `"`+f.SHA256+`"`
	for name, row := range map[string]struct {
		method  string
		headers []string
		status  int
		body    string
		sent    string // Content-Range
	}{
		"first bytes":                    {"GET", []string{"Range", "bytes=0-4"}, 206, "01234", "bytes 0-4/1000"},
		"one byte":                       {"GET", []string{"Range", "bytes=999-999"}, 206, "9", "bytes 999-999/1000"},
		"to the end":                     {"GET", []string{"Range", "bytes=995-"}, 206, "56789", "bytes 995-999/1000"},
		"beyond the end":                 {"GET", []string{"Range", "bytes=998-5000"}, 206, "89", "bytes 998-999/1000"},
		"the last bytes":                 {"GET", []string{"Range", "bytes=-3"}, 206, "789", "bytes 997-999/1000"},
		"more than there is from behind": {"GET", []string{"Range", "bytes=-5000"}, 206, content, "bytes 0-999/1000"},
		"a unit in capitals":             {"GET", []string{"Range", "BYTES=0-0"}, 206, "0", "bytes 0-0/1000"},
		"another unit":                   {"GET", []string{"Range", "lines=0-4"}, 200, content, ""},
		"no unit":                        {"GET", []string{"Range", "0-4"}, 200, content, ""},
		"the last bytes of none":         {"GET", []string{"Range", "bytes=-0"}, 200, content, ""},
		"the last bytes of none too":     {"GET", []string{"Range", "bytes=0-1, - 00"}, 200, content, ""},
		"HEAD has no ranges":             {"HEAD", []string{"Range", "bytes=0-4"}, 200, "", ""},
		"a hundred ranges":               {"GET", []string{"Range", "bytes=0-0" + strings.Repeat(",0-0", 99)}, 200, content, ""},
		"ranges larger than the file":    {"GET", []string{"Range", "bytes=0-999,0-999"}, 200, content, ""},
		"If-Range that holds":            {"GET", []string{"Range", "bytes=0-1", "If-Range", tag}, 206, "01", "bytes 0-1/1000"},
		"If-Range that does not hold":    {"GET", []string{"Range", "bytes=0-1", "If-Range", `"other"`}, 200, content, ""},
		"If-Range that is weak":          {"GET", []string{"Range", "bytes=0-1", "If-Range", "W/" + tag}, 200, content, ""},
		"If-Range by date":               {"GET", []string{"Range", "bytes=0-1", "If-Range", f.Inserted.Format(http.TimeFormat)}, 206, "01", "bytes 0-1/1000"},
		"If-None-Match":                  {"GET", []string{"If-None-Match", `"x", ` + tag}, 304, "", ""},
		"If-None-Match that is weak":     {"GET", []string{"If-None-Match", "W/" + tag}, 304, "", ""},
		"If-None-Match of HEAD":          {"HEAD", []string{"If-None-Match", tag}, 304, "", ""},
		"If-None-Match goes first":       {"GET", []string{"If-None-Match", `"x"`, "If-Modified-Since", f.Inserted.Format(http.TimeFormat)}, 200, content, ""},
		"If-Modified-Since":              {"GET", []string{"If-Modified-Since", f.Inserted.Format(http.TimeFormat)}, 304, "", ""},
		"If-Modified-Since earlier":      {"GET", []string{"If-Modified-Since", old}, 200, content, ""},
		"If-Match":                       {"GET", []string{"If-Match", tag}, 200, content, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := g.on(t).do(row.method, "/"+f.ID, "", row.headers...).want(row.status)
			if a.body != row.body || a.header.Get("Content-Range") != row.sent {
				t.Errorf("%d bytes, range %q", len(a.body), a.header.Get("Content-Range"))
			}
		})
	}
	twice := httptest.NewRequestWithContext(t.Context(), "GET", prefix+"/"+f.ID, nil)
	twice.Header = http.Header{"X-Api-Key": {apiKey}, "Range": {"bytes=0-1", "bytes=5-6"}}
	g.send(twice).want(200)
	empty := g.put("none", "")
	for _, r := range []string{"bytes=0-", "bytes=-5", "bytes=0-0", "bytes=-1,-2"} {
		if a := g.do("GET", "/"+empty.ID, "", "Range", r).want(200); a.body != "" || a.header.Get("Content-Range") != "" {
			t.Errorf("%s of nothing: %v", r, a.header)
		}
	}
	for _, bad := range []string{"bytes=1000-", "bytes=5000-6000", "bytes=5-4", "bytes=a-b", "bytes=-", "bytes=--1", "bytes=1-2-3", "bytes=9999999999999999999999-", "bytes=1000-,2000-"} {
		a := g.do("GET", "/"+f.ID, "", "Range", bad)
		a.refused(416, "range_invalid", "")
		if a.header.Get("Content-Range") != "bytes */1000" || a.header.Get("Etag") != "" {
			t.Errorf("%s: %v", bad, a.header)
		}
	}
	g.do("GET", "/"+f.ID, "", "If-Match", `"other"`).refused(412, "precondition_failed", "")
	g.do("GET", "/"+f.ID, "", "If-Unmodified-Since", old).refused(412, "precondition_failed", "")
}

func TestSeveralRangesAreSeveralParts(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("a.bin", strings.Repeat("0123456789", 100))
	a := g.do("GET", "/"+f.ID, "", "Range", "bytes=0-1,10-12,-2").want(206)
	media, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || media != "multipart/byteranges" {
		t.Fatal(a.header, err)
	}
	var got []string
	for r := multipart.NewReader(strings.NewReader(a.body), params["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(p)
		got = append(got, p.Header.Get("Content-Range")+" "+string(text))
	}
	if strings.Join(got, "|") != "bytes 0-1/1000 01|bytes 10-12/1000 012|bytes 998-999/1000 89" {
		t.Error(got)
	}
}

func TestOnlyHarmlessTypesAreShown(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for name, row := range map[string]struct {
		content, kind, served string
		inline                bool
	}{
		"image":                 {png, "image/png", "image/png", true},
		"gif":                   {"GIF89a\x01\x00\x01\x00", "image/gif", "image/gif", true},
		"text":                  {"hello", "text/plain; charset=utf-8", "text/plain; charset=utf-8", true},
		"html":                  {"<html><script>alert(1)</script>", "text/html; charset=utf-8", "application/octet-stream", false},
		"html behind spaces":    {"\n\n  <!DOCTYPE html><p>", "text/html; charset=utf-8", "application/octet-stream", false},
		"svg":                   {`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "image/svg+xml", "application/octet-stream", false},
		"xml":                   {`<?xml version="1.0"?><a/>`, "text/xml; charset=utf-8", "application/octet-stream", false},
		"xhtml":                 {`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>`, "application/xhtml+xml", "application/octet-stream", false},
		"script":                {"#!/usr/bin/env node\nalert(1)", "text/javascript", "application/octet-stream", false},
		"wasm":                  {"\x00asm\x01\x00\x00\x00", "application/wasm", "application/octet-stream", false},
		"flash":                 {"CWS\x09aaaaaaa", "application/x-shockwave-flash", "application/octet-stream", false},
		"office":                {zipped("[Content_Types].xml", "word/document.xml"), docx, docx, false},
		"pdf":                   {"%PDF-1.7\n", "application/pdf", "application/pdf", false},
		"unknown":               {"\x00\x01\x02\x03", "application/octet-stream", "application/octet-stream", false},
		"empty":                 {"", "application/octet-stream", "application/octet-stream", false},
		"page.html":             {"hello", "text/plain; charset=utf-8", "text/plain; charset=utf-8", true},
		"table.csv":             {"hello", "text/csv; charset=utf-8", "text/csv; charset=utf-8", false},
		"page.svg":              {"\x00\x01\x02\x03", "application/octet-stream", "application/octet-stream", false},
		"bytes.csv":             {"\x89PN", "text/csv", "text/csv", false},
		"sound":                 {"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav", "audio/wav", true},
		"polyglot of a gif":     {"GIF89a=1;/*<html><script>alert(1)</script>*/", "image/gif", "image/gif", true},
		"polyglot of a png.svg": {png + "<svg onload=alert(1)>", "image/png", "image/png", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := g.on(t)
			// What the client says of the type counts for nothing.
			p := file(name, row.content)
			p.header = map[string][]string{"Content-Type": {"image/png"}}
			f := g.upload("/", p).file()
			if f.Type != row.kind {
				t.Errorf("it is %s", f.Type)
			}
			a := g.do("GET", "/"+f.ID+"?inline=1", "").want(200)
			kind, _, _ := strings.Cut(a.header.Get("Content-Disposition"), ";")
			if a.header.Get("Content-Type") != row.served || (kind == "inline") != row.inline || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%v", a.header)
			}
			// A browser fetches what it plays once more, for which it needs an origin.
			_, sandbox, ok := strings.Cut(a.header.Get("Content-Security-Policy"), "default-src 'none'")
			_, sandbox, boxed := strings.Cut(sandbox, "; sandbox")
			if !ok || !boxed || (sandbox != "") != strings.HasPrefix(row.kind, "audio/") || sandbox != "" && sandbox != " allow-same-origin" {
				t.Error(a.header.Get("Content-Security-Policy"))
			}
			if kind, _, _ := strings.Cut(g.do("GET", "/"+f.ID, "").header.Get("Content-Disposition"), ";"); kind != "attachment" {
				t.Error(kind)
			}
		})
	}
	g.do("GET", "/"+g.put("a", "b").ID+"?inline=2", "").refused(400, "invalid", "inline")
}

// docx is an office document, which is a zip file for all the XML in its name.
const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// zipped returns a zip file of empty files.
func zipped(names ...string) string {
	var b strings.Builder
	w := zip.NewWriter(&b)
	for _, name := range names {
		_, _ = w.Create(name)
	}
	_ = w.Close()
	return b.String()
}

// Bytes may go between the look at the record and that for them.
func TestADeletionMayBeFaster(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	var id string
	g := newGatewayOn(t, db, archivetest.Faulty(archivetest.Memory(), archivetest.Faults{Opening: func(ctx context.Context, _ string) error {
		_, err := db.Collection("_ARCHIVE").DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
		return errors.Join(fs.ErrNotExist, err)
	}}), nil)
	id = g.put("a.txt", "hello").ID
	g.do("GET", "/"+id, "").refused(404, "not_found", "")
}

func TestBytesThatAreGoneAreOurFault(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("a.txt", "hello")
	for _, key := range g.keys() {
		if err := g.store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	g.do("GET", "/"+f.ID, "").refused(500, "file_missing", "")
	g.do("HEAD", "/"+f.ID, "").want(500)
	if _, err := g.files.Open(t.Context(), f.ID); !errors.Is(err, archive.ErrMissing) {
		t.Error(err)
	}
	g.do("GET", "/"+f.ID+"/metadata", "").want(200)
	g.do("DELETE", "/"+f.ID, "").want(200)
}

func TestDownloadsAskAndTell(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("a.txt", "hello")
	told := signalstest.Record[archive.Downloaded](t, g.app.Signals())
	g.do("GET", "/"+f.ID, "").want(200)
	g.do("GET", "/"+f.ID, "", "Range", "bytes=0-1").want(206)
	g.do("HEAD", "/"+f.ID, "").want(200)
	g.do("GET", "/"+f.ID, "", "If-None-Match", `"`+f.SHA256+`"`).want(304)
	g.do("GET", "/"+f.ID, "", "Range", "bytes=9-").want(416)
	var sent []string
	for _, e := range told.Events() {
		sent = append(sent, e.File.ID+" "+strconv.FormatInt(e.Sent, 10))
	}
	if strings.Join(sent, "|") != f.ID+" 5|"+f.ID+" 2" {
		t.Error(sent)
	}
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *archive.Downloading) error {
		return &service.Problem{Status: 403, Code: "not_yours", Detail: e.File.Name}
	})
	g.do("GET", "/"+f.ID, "").refused(403, "not_yours", "a.txt")
	g.do("HEAD", "/"+f.ID, "").want(403)
	if len(told.Events()) != 2 {
		t.Error("a refused download was told of")
	}
}

// Who may not have a file may not make an address that opens it for everybody.
func TestALinkIsAskedFor(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Secret: secret})
	f := g.put("a.png", png)
	address := g.do("POST", "/"+f.ID+"/link", `{"inline": true}`).link()
	asked := make(chan archive.Downloading, 2)
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *archive.Downloading) error {
		asked <- *e
		if e.Link {
			return nil
		}
		return &service.Problem{Status: 403, Code: "not_yours", Detail: e.File.Name}
	})
	g.do("POST", "/"+f.ID+"/link", `{"inline": true}`).refused(403, "not_yours", "a.png")
	if e := <-asked; e.Link || !e.Inline || e.File.ID != f.ID {
		t.Errorf("%+v", e)
	}
	g.open("GET", address, "").want(200)
	if e := <-asked; !e.Link || !e.Inline {
		t.Errorf("%+v", e)
	}
}

func TestAStoreThatFailsMidwayBreaksTheConnection(t *testing.T) {
	t.Parallel()
	g := newGatewayOn(t, dbtest.Database(t), shortStore{archivetest.Memory()}, nil)
	f := g.put("a.bin", strings.Repeat("x", 1<<20))
	r, err := http.NewRequestWithContext(t.Context(), "GET", g.serve()+"/"+f.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", apiKey)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("%d bytes look whole", n)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestARecordHasATag(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	a, b := g.put("a", "same"), g.put("a", "same")
	path := "/" + a.ID + "/metadata"
	tag := g.do("GET", path, "").want(200).header.Get("Etag")
	if tag == "" || tag == g.do("GET", "/"+b.ID+"/metadata", "").header.Get("Etag") || tag == `"`+a.SHA256+`"` {
		t.Error(tag)
	}
	g.do("GET", path, "", "If-None-Match", tag).want(304)
	g.do("GET", path, "", "If-Match", `"x"`).refused(412, "precondition_failed", "")
}
