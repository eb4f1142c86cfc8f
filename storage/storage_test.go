package storage_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/storage"
)

// apiKey opens the gateway of every test.
const apiKey = "an API key that is long enough to be one"

// gateway is an App that carries storage on a database of its own.
type gateway struct {
	*testing.T

	db   *mongo.Database
	docs *storage.Service
	app  *coglex.App
	echo *echo.Echo
}

func newGateway(t *testing.T, opts *storage.Options) *gateway {
	t.Helper()
	return newGatewayOn(t, dbtest.Database(t), opts)
}

func newGatewayOn(t *testing.T, db *mongo.Database, opts *storage.Options) *gateway {
	t.Helper()
	docs, err := storage.New(db, opts)
	if err != nil {
		t.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{T: t, db: db, docs: docs, app: app, echo: echo.New()}
	if err := app.Mount(g.echo, docs); err != nil {
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
	r := httptest.NewRequestWithContext(g.Context(), method, "/service/storage/v1"+path, reader)
	r.Header.Set("X-API-Key", apiKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return g.serve(r)
}

// serve sends a request as it is.
func (g *gateway) serve(r *http.Request) answer {
	g.Helper()
	rec := httptest.NewRecorder()
	g.app.Handler(g.echo).ServeHTTP(rec, r)
	return answer{T: g.T, request: r.Method + " " + r.URL.String(), status: rec.Code, header: rec.Header(), body: strings.TrimSpace(rec.Body.String())}
}

// want fails the test unless the answer has this status; it returns the answer.
func (a answer) want(status int) answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("%s: status %d, want %d; body %s", a.request, a.status, status, a.body)
	}
	return a
}

// refused fails the test unless the answer is a problem with this status and
// code whose body holds the text.
func (a answer) refused(status int, code, text string) {
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
}

// ids returns the ids of an insert, as JSON.
func (a answer) ids() []string {
	a.Helper()
	var body struct{ IDs []json.RawMessage }
	if err := json.Unmarshal([]byte(a.want(http.StatusCreated).body), &body); err != nil {
		a.Fatal(err)
	}
	ids := make([]string, len(body.IDs))
	for i, id := range body.IDs {
		ids[i] = strings.Trim(string(id), `"`)
	}
	return ids
}

// stored returns a document as it is in the database.
func (g *gateway) stored(collection string, id any) bson.M {
	g.Helper()
	var doc bson.M
	if err := g.db.Collection(collection).FindOne(g.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&doc); err != nil {
		g.Fatalf("%s %v: %v", collection, id, err)
	}
	return doc
}
