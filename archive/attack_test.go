package archive_test

import (
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/archive"
)

// hostile are names that mean harm somewhere.
func hostile() []string {
	return []string{
		"../../../etc/passwd", `..\..\win.ini`, "%2e%2e%2f%2e%2e%2fetc/passwd", "/etc/passwd", `C:\boot.ini`, `\\host\share\x`, "a\x00.txt",
		"CON", "nul.txt", "LPT1.", "a\u202Etxt.exe", "a\u200B.txt", strings.Repeat("n", 300) + ".txt", "..", "", ".", "a.txt:evil", "~root", "$(id)", "`id`",
		"a\"; filename=\"b.html", "a'; filename*=UTF-8''b.html", "<script>.txt", "-rf", "--help", "a%0d%0aSet-Cookie: x=1", "\u2028",
	}
}

func TestNoNameEscapes(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, name := range hostile() {
		p := file("x", "content of "+name)
		p.header = map[string][]string{"Content-Disposition": {mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": name})}}
		f := g.upload("/", p).file()
		if f.Name != archive.CleanName(name) {
			t.Errorf("%q is called %q", name, f.Name)
		}
		a := g.do("GET", "/"+f.ID, "").want(200)
		if a.body != "content of "+name {
			t.Errorf("%q: %q", name, a.body)
		}
		disposition := a.header.Get("Content-Disposition")
		at := strings.LastIndex(disposition, "; filename*=")
		kind, params, err := mime.ParseMediaType(disposition[:at])
		if err != nil || kind != "attachment" || len(params) != 1 || len(a.header["Content-Disposition"]) != 1 {
			t.Errorf("%q: %q: %v", name, disposition, err)
		}
		if _, params, err = mime.ParseMediaType("attachment" + disposition[at:]); err != nil || params["filename"] != f.Name {
			t.Errorf("%q: %q: %v", name, disposition, err)
		}
		if a.header.Get("Set-Cookie") != "" {
			t.Error("a header was injected")
		}
	}
	for _, key := range g.keys() {
		if !archive.ValidKey(key) {
			t.Errorf("the store has %q", key)
		}
	}
}

func TestIDsAreStrict(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("a.txt", "hello")
	key := g.keys()[0]
	for _, id := range []string{
		"..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e%5c", "%00", f.ID + "%00", strings.ToUpper(f.ID) + "A", f.ID[:23], f.ID + "0", key,
		"%7B%22$ne%22:null%7D", strings.Repeat("a", 5000), "ffffffffffffffffffffffff", f.ID + "%2fmetadata", "%20" + f.ID, "metadata",
	} {
		for _, r := range []struct{ method, path string }{
			{"GET", "/" + id},
			{"HEAD", "/" + id},
			{"DELETE", "/" + id},
			{"GET", "/" + id + "/metadata"},
			{"GET", "/download/things/" + id},
			{"DELETE", "/delete/things/" + id},
		} {
			if a := g.do(r.method, r.path, ""); a.status != 404 {
				t.Errorf("%s %s: %d", r.method, r.path, a.status)
			}
		}
	}
	g.do("GET", "/"+f.ID, "").want(200)
}

func TestAFileIsInOneCollection(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	none := g.put("a.txt", "none")
	a := g.upload("/upload/things", file("a.txt", "things"))
	things := a.file()
	if at := a.header.Get("Location"); at != prefix+"/download/things/"+things.ID {
		t.Error(at)
	}
	for path, status := range map[string]int{
		"/" + things.ID: 404, "/download/others/" + things.ID: 404, "/download/Things/" + things.ID: 404, "/download/things/" + none.ID: 404,
		"/" + things.ID + "/metadata": 404, "/" + things.ID + "/metadata?collection=others": 404,
		"/" + things.ID + "/metadata?collection=things": 200, "/download/things/" + things.ID: 200, "/" + none.ID: 200,
	} {
		if a := g.do("GET", path, ""); a.status != status {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	g.do("DELETE", "/"+things.ID, "").want(404)
	g.do("DELETE", "/delete/others/"+things.ID, "").want(404)
	if n := len(g.do("GET", "/", "").files()); n != 1 {
		t.Errorf("%d files without a collection", n)
	}
	if n := len(g.do("GET", "/?collection=things", "").files()); n != 1 {
		t.Errorf("%d files in things", n)
	}
	g.do("DELETE", "/delete/things/"+things.ID, "").want(200)
	for _, name := range []string{"a$b", "a.b", "9a", "-a", "a%20b", "%2e%2e", strings.Repeat("a", 65), "a%2Fb", "a%00b", "%C3%A9"} {
		if a := g.upload("/upload/"+name, file("a", "b")); a.status != 400 {
			t.Errorf("%s: %d", name, a.status)
		}
		g.do("GET", "/?collection="+name, "").want(400)
	}
	for _, name := range []string{"_USERS", "_", "system.users", "%5FARCHIVE"} {
		g.upload("/upload/"+name, file("a", "b")).refused(403, "collection_reserved", "")
		g.do("GET", "/download/"+name+"/"+none.ID, "").refused(403, "collection_reserved", "")
	}
	g.do("DELETE", "/"+none.ID, "").want(200)
	g.empty()
}

func TestHiddenFieldsCannotBeAskedAbout(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.upload("/", file("a.txt", "hello"), metadata(`{"n": 1}`)).file()
	for _, field := range []string{"_key", "_collection", "_key.x", "_filepath", "password", "", "$where", "_secret"} {
		for _, query := range []string{
			`{"%s": {"$gt": ""}}`, `{"$or": [{"%s": "x"}]}`, `{"$nor": [{"$and": [{"%s": {"$regex": "^a"}}]}]}`, `{"%s": null}`,
		} {
			a := g.do("GET", "/?query="+url.QueryEscape(fmt.Sprintf(query, field)), "")
			if a.status != 400 {
				t.Errorf("%s %s: %d %s", query, field, a.status, a.body)
			}
		}
		if a := g.do("GET", "/?sort="+url.QueryEscape(fmt.Sprintf(`{"%s": 1}`, field)), ""); a.status != 400 {
			t.Errorf("sort by %s: %d", field, a.status)
		}
	}
	for _, query := range []string{
		`{"$expr": {"$gt": ["$_key", ""]}}`, `{"$where": "1"}`, `{"metadata": {"$where": "1"}}`, `{"_id": {"$function": {}}}`, `{"$jsonSchema": {}}`, `{"$text": {"$search": "a"}}`,
		`{"$comment": "x"}`, `[1]`, `{"a"`, `{"_id": {"$gt": ""}, "_id": 1}`,
	} {
		g.do("GET", "/?query="+url.QueryEscape(query), "").want(400)
	}
	for _, query := range []string{
		"unknown=1", "limit=0", "limit=1001", "limit=x", "skip=-1", "limit=1&limit=2", "query=", "keys=[]", "count=yes", "collection=", "fields=_key",
	} {
		g.do("GET", "/?"+query, "").refused(400, "invalid", "")
	}
	for _, a := range []answer{g.do("GET", "/", ""), g.upload("/", file("b", "c"))} {
		if strings.Contains(a.body, "_key") || strings.Contains(a.body, "_collection") || strings.Contains(a.body, g.keys()[0]) {
			t.Error(a.body)
		}
	}
}

func TestFormsThatAreNone(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{MaxBytes: 1000})
	whole, contentType := form(file("a.txt", "hello"))
	_, boundary, _ := strings.Cut(contentType, "boundary=")
	long := part{name: "file", filename: "a", content: "x", header: map[string][]string{"X-Long": {strings.Repeat("y", 20<<10)}}}
	tall := part{name: "file", filename: "a", content: "x", header: map[string][]string{}}
	for i := range 5000 {
		tall.header[fmt.Sprintf("X-%d", i)] = []string{"y"}
	}
	type row struct {
		body, contentType string
		status            int
		code              string
	}
	of := func(status int, code string, ps ...part) row {
		body, contentType := form(ps...)
		return row{body, contentType, status, code}
	}
	tenThousand, tenThousandType := form(file("a", "b"))
	tenThousand = strings.Repeat(strings.TrimSuffix(tenThousand, "--\r\n")+"\r\n", 10_000)
	for name, row := range map[string]row{ //nolint:paralleltest // what they leave behind is looked for below
		"JSON":                    {`{}`, "application/json", 415, "unsupported_media_type"},
		"no content type":         {whole, "", 415, "unsupported_media_type"},
		"multipart/mixed":         {whole, "multipart/mixed; boundary=" + boundary, 415, "unsupported_media_type"},
		"no boundary":             {whole, "multipart/form-data", 400, "invalid"},
		"an empty boundary":       {whole, `multipart/form-data; boundary=""`, 400, "invalid"},
		"a long boundary":         {whole, "multipart/form-data; boundary=" + strings.Repeat("b", 71), 400, "invalid"},
		"another boundary":        {whole, "multipart/form-data; boundary=other", 400, "invalid"},
		"a body of nothing":       {"\r\n", contentType, 400, "invalid"},
		"cut before the end":      {whole[:len(whole)-10], contentType, 400, "invalid"},
		"cut in the headers":      {whole[:80], contentType, 400, "invalid"},
		"a preamble of 1 MB":      {strings.Repeat("x\r\n", 20<<10) + whole, contentType, 400, "invalid"},
		"no parts":                {"--" + boundary + "--\r\n", contentType, 400, "file_required"},
		"no file":                 of(400, "file_required", metadata(`{}`)),
		"a file field left empty": of(400, "file_required", part{name: "file", header: map[string][]string{"Content-Disposition": {`form-data; name="file"; filename=""`}}}),
		"two files":               of(400, "invalid", file("a", "b"), file("c", "d")),
		"two metadata":            of(400, "invalid", metadata(`{}`), file("a", "b"), metadata(`{}`)),
		"an unknown part":         of(400, "invalid", file("a", "b"), part{name: "other", content: "x"}),
		"an unknown part first":   of(400, "invalid", part{name: "other", content: strings.Repeat("x", 900)}, file("a", "b")),
		"ten thousand parts":      {tenThousand, tenThousandType, 413, "file_too_large"},
		"a thousand parts":        {strings.Repeat(strings.TrimSuffix(whole, "--\r\n")+"\r\n", 400), contentType, 400, "invalid"},
		"a long header":           of(400, "invalid", long),
		"thousands of headers":    of(400, "invalid", tall),
		"a transfer encoding":     of(400, "invalid", part{name: "file", filename: "a", content: "aGk=", header: map[string][]string{"Content-Transfer-Encoding": {"base64"}}}),
		"metadata no JSON":        of(400, "invalid", file("a", "b"), metadata(`nope`)),
		"metadata an array":       of(400, "invalid", file("a", "b"), metadata(`[]`)),
		"metadata twice the name": of(400, "invalid", metadata(`{"a": 1, "\u0061": 2}`), file("a", "b")),
		"metadata an operator":    of(400, "operator_not_allowed", metadata(`{"$set": {"a": 1}}`), file("a", "b")),
		"metadata a deep one":     of(400, "operator_not_allowed", file("a", "b"), metadata(`{"a": [{"b": {"$ne": 1}}]}`)),
		"metadata with a dot":     of(400, "invalid_query", file("a", "b"), metadata(`{"a.b": 1}`)),
		"metadata with a NUL":     of(400, "invalid", file("a", "b"), metadata(`{"a\u0000": 1}`)),
		"metadata of code":        of(400, "invalid", file("a", "b"), metadata(`{"a": {"$code": "x"}}`)),
		"metadata too deep":       of(400, "invalid", file("a", "b"), metadata(strings.Repeat(`{"a":`, 200)+"1"+strings.Repeat("}", 200))),
		"metadata too large":      of(413, "metadata_too_large", file("a", "b"), metadata(`{"a": "`+strings.Repeat("x", 64<<10)+`"}`)),
	} {
		t.Run(name, func(t *testing.T) {
			g.on(t).do("POST", "/", row.body, "Content-Type", row.contentType).refused(row.status, row.code, "")
		})
	}
	g.empty()
	// What is left of a refused body is not read.
	if a := g.upload("/", metadata(`nope`), file("a", "b")); a.header.Get("Connection") != "close" {
		t.Error(a.header)
	}
	g.do("POST", "/", whole, "Content-Type", contentType, "Content-Encoding", "gzip").refused(415, "unsupported_media_type", "")
	g.do("POST", "/?name=x", whole, "Content-Type", contentType).refused(400, "invalid", "name")
}

func TestTheLimitIsTheLimit(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{MaxBytes: 5000})
	for size, status := range map[int]int{0: 201, 1: 201, 3071: 201, 3072: 201, 3073: 201, 4999: 201, 5000: 201, 5001: 413, 6000: 413, 100_000: 413, 1 << 20: 413} {
		a := g.upload("/", file("a.bin", strings.Repeat("x", size))).want(status)
		if status == 413 {
			a.refused(413, "file_too_large", "")
			continue
		}
		f := a.file()
		if got := g.do("GET", "/"+f.ID, "").want(200); f.Size != int64(size) || len(got.body) != size {
			t.Errorf("%d bytes became %d and %d", size, f.Size, len(got.body))
		}
		g.do("DELETE", "/"+f.ID, "").want(200)
	}
	g.empty()
	// A small file at once: the limit is checked before there is a store.
	g = newGateway(t, &archive.Options{MaxBytes: 10})
	g.upload("/", file("a", "0123456789")).want(201)
	g.upload("/", file("a", "0123456789a")).refused(413, "file_too_large", "")
}

func TestTheTypesAreTheTypes(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Types: []string{"image/*", "application/pdf"}})
	g.upload("/", file("a.png", png)).want(201)
	g.upload("/", file("a.txt", "%PDF-1.4\n")).want(201)
	for _, content := range []string{"hello", "<html>", "", "\x00\x01", "MZ\x90\x00"} {
		g.upload("/", file("a.png", content)).refused(415, "type_refused", "")
	}
	if n := len(g.keys()); n != 2 {
		t.Errorf("the store has %d files", n)
	}
}

func TestEveryRouteAsksForTheKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Secret: secret})
	for _, route := range g.files.Routes() {
		path := strings.NewReplacer(":id", "0123456789abcdef01234567", ":collection", "things").Replace(route.Path)
		rec := httptest.NewRecorder()
		g.echo.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), route.Method, prefix+path, nil))
		want := http.StatusUnauthorized
		if strings.HasPrefix(route.Path, "/links/") || strings.HasPrefix(route.Path, "/tickets/") {
			want = http.StatusForbidden // they ask for a signature
		}
		if rec.Code != want {
			t.Errorf("%s %s: %d", route.Method, route.Path, rec.Code)
		}
	}
}

// A record that another program has changed leads nowhere.
func TestPoisonedRecordsLeadNowhere(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	f := g.put("a.txt", "hello")
	for _, key := range []string{"../../../../etc/passwd", "/etc/passwd", "", "..", strings.Repeat("A", 32)} {
		if _, err := g.db.Collection("_ARCHIVE").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: f.ID}}, bson.D{{Key: "$set", Value: bson.D{{Key: "_key", Value: key}}}}); err != nil {
			t.Fatal(err)
		}
		g.do("GET", "/"+f.ID, "").want(404)
		g.do("DELETE", "/"+f.ID, "").want(404)
	}
}
