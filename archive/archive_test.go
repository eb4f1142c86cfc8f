package archive_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

const (
	// apiKey opens the gateway of every test.
	apiKey = "an API key that is long enough to be one"
	// secret signs its links.
	secret = "a secret that is long enough to be one"
	// prefix is where it is mounted.
	prefix = "/service/archive/v1"
)

// gateway is an App that carries an archive on a database of its own.
type gateway struct {
	*testing.T

	db    *mongo.Database
	store archive.Store
	files *archive.Service
	app   *coglex.App
	echo  *echo.Echo
}

func newGateway(t *testing.T, opts *archive.Options) *gateway {
	t.Helper()
	return newGatewayOn(t, dbtest.Database(t), archive.Disk(t.TempDir()), opts)
}

func newGatewayOn(t *testing.T, db *mongo.Database, store archive.Store, opts *archive.Options) *gateway {
	t.Helper()
	files, err := archive.New(db, store, opts)
	if err != nil {
		t.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{T: t, db: db, store: store, files: files, app: app, echo: echo.New()}
	if err := app.Mount(g.echo, files); err != nil {
		t.Fatal(err)
	}
	if err := store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

// on returns the gateway for a subtest.
func (g *gateway) on(t *testing.T) *gateway {
	t.Helper()
	sub := *g
	sub.T = t
	return &sub
}

// serve listens, and returns the address of the archive.
func (g *gateway) serve() string {
	g.Helper()
	server := httptest.NewServer(g.app.Handler(g.echo))
	g.Cleanup(server.Close)
	return server.URL + prefix
}

// answer is what a request was answered.
type answer struct {
	*testing.T

	request string
	status  int
	header  http.Header
	body    string
}

// do sends a request to the gateway, with the API key. headers are name, value pairs.
func (g *gateway) do(method, path, body string, headers ...string) answer {
	g.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(g.Context(), method, prefix+path, reader)
	r.Header.Set("X-API-Key", apiKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return g.send(r)
}

// send sends a request as it is.
func (g *gateway) send(r *http.Request) answer {
	g.Helper()
	rec := httptest.NewRecorder()
	g.app.Handler(g.echo).ServeHTTP(rec, r)
	return answer{T: g.T, request: r.Method + " " + r.URL.String(), status: rec.Code, header: rec.Header(), body: rec.Body.String()}
}

// part is a part of a form: a file where it has a filename, which is written as it is.
type part struct {
	name, filename, content string
	header                  textproto.MIMEHeader
}

// file is a part with a file.
func file(name, content string) part { return part{name: "file", filename: name, content: content} }

// metadata is a part with metadata.
func metadata(text string) part { return part{name: "metadata", content: text} }

// form returns a multipart form and its content type.
func form(parts ...part) (body, contentType string) {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := `form-data; name="` + p.name + `"`
		if p.filename != "" {
			disposition += `; filename="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p.filename) + `"`
			h.Set("Content-Type", "application/octet-stream")
		}
		h.Set("Content-Disposition", disposition)
		for name, values := range p.header {
			h[name] = values
		}
		pw, _ := w.CreatePart(h)
		_, _ = io.WriteString(pw, p.content)
	}
	_ = w.Close()
	return buf.String(), w.FormDataContentType()
}

// upload sends a form.
func (g *gateway) upload(path string, parts ...part) answer {
	g.Helper()
	body, contentType := form(parts...)
	return g.do(http.MethodPost, path, body, "Content-Type", contentType)
}

// put uploads a file into the default name space.
func (g *gateway) put(name, content string) archive.File {
	g.Helper()
	return g.upload("/", file(name, content)).file()
}

// want fails the test unless the answer has this status; it returns the answer.
func (a answer) want(status int) answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("%s: status %d, want %d; body %s", a.request, a.status, status, a.body)
	}
	return a
}

// refused fails the test unless the answer is a problem with this status and code
// whose body holds the text.
func (a answer) refused(status int, code, text string) answer {
	a.Helper()
	var p struct {
		Status int
		Code   string
	}
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(a.body), &p) != nil {
		a.Fatalf("%s: status %d, want a problem; body %s", a.request, a.status, a.body)
	}
	if a.status != status || p.Status != status || p.Code != code || !strings.Contains(a.body, text) {
		a.Errorf("%s: %d %s, want %d %s with %q", a.request, a.status, a.body, status, code, text)
	}
	return a
}

// file returns the record that an upload was answered.
func (a answer) file() archive.File {
	a.Helper()
	var f archive.File
	if err := json.Unmarshal([]byte(a.want(http.StatusCreated).body), &f); err != nil {
		a.Fatal(err)
	}
	return f
}

// files returns the records of a list.
func (a answer) files() []archive.File {
	a.Helper()
	var f []archive.File
	if err := json.Unmarshal([]byte(a.want(http.StatusOK).body), &f); err != nil {
		a.Fatal(err)
	}
	return f
}

// keys returns what the store has, cut uploads included.
func (g *gateway) keys() []string {
	g.Helper()
	var keys []string
	for entry, err := range g.store.List(g.Context()) {
		if err != nil {
			g.Fatal(err)
		}
		keys = append(keys, entry.Key)
	}
	return keys
}

// empty fails the test if there is a record or a byte.
func (g *gateway) empty() {
	g.Helper()
	if keys := g.keys(); len(keys) > 0 {
		g.Errorf("the store has %v", keys)
	}
	if n, err := g.db.Collection("_ARCHIVE").CountDocuments(g.Context(), bson.D{}); n > 0 || err != nil {
		g.Errorf("%d records, %v", n, err)
	}
}
