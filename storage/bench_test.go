package storage_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/storage"
)

// The benchmarks compare a mounted gateway, its key check and all, with the
// handlers that one would write by hand with echo, the driver and the driver's own
// Extended JSON: without a key, checks, limits, versions, ETags or problems.
//
// Each is run on the test server and on a stub that answers at once, by which the
// difference is seen that a database otherwise hides.

// byHand returns the handlers written by hand.
func byHand(db *mongo.Database) http.Handler {
	e := echo.New()
	e.GET("/:collection", func(c echo.Context) error {
		ctx := c.Request().Context()
		o := options.Find().SetLimit(1001).SetSort(bson.D{{Key: "_id", Value: 1}})
		cursor, err := db.Collection(c.Param("collection")).Find(ctx, bson.D{}, o)
		if err != nil {
			return err
		}
		var docs []bson.M
		if err := cursor.All(ctx, &docs); err != nil {
			return err
		}
		out := []byte{'['}
		for i, doc := range docs {
			if i > 0 {
				out = append(out, ',')
			}
			text, err := bson.MarshalExtJSON(doc, false, false)
			if err != nil {
				return err
			}
			out = append(out, text...)
		}
		return c.JSONBlob(http.StatusOK, append(out, ']'))
	})
	e.GET("/:collection/:id", func(c echo.Context) error {
		var doc bson.M
		if err := db.Collection(c.Param("collection")).FindOne(c.Request().Context(), bson.M{"_id": c.Param("id")}).Decode(&doc); err != nil {
			return echo.ErrNotFound
		}
		out, err := bson.MarshalExtJSON(doc, false, false)
		if err != nil {
			return err
		}
		return c.JSONBlob(http.StatusOK, out)
	})
	e.POST("/:collection", func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		var in struct{ Document bson.M }
		if err := bson.UnmarshalExtJSON(body, false, &in); err != nil {
			return echo.ErrBadRequest
		}
		in.Document["_id"] = primitive.NewObjectID().Hex()
		in.Document["_inserted"] = time.Now()
		res, err := db.Collection(c.Param("collection")).InsertOne(c.Request().Context(), in.Document)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusCreated, map[string]any{"ids": []any{res.InsertedID}})
	})
	return e
}

// ours returns a mounted gateway.
func ours(b *testing.B, db *mongo.Database) http.Handler {
	b.Helper()
	docs, err := storage.New(db, nil)
	if err != nil {
		b.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{NoAccessLog: true})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	if err := app.MountWith(e, docs, coglex.MountOptions{Prefix: "/"}); err != nil {
		b.Fatal(err)
	}
	return e
}

// sample is a document of some 300 bytes.
func sample(id string) bson.D {
	return bson.D{
		{Key: "_id", Value: id},
		{Key: "title", Value: "On the keeping of documents"},
		{Key: "author", Value: bson.D{{Key: "name", Value: "Ada"}, {Key: "age", Value: 36}}},
		{Key: "tags", Value: bson.A{"one", "two", "three"}},
		{Key: "score", Value: 4.5},
		{Key: "likes", Value: 12},
		{Key: "published", Value: true},
		{Key: "at", Value: primitive.DateTime(1704067200000)},
		{Key: "ref", Value: primitive.ObjectID{1, 2, 3}},
		{Key: "_inserted", Value: primitive.DateTime(1704067200000)},
		{Key: "_version", Value: int64(1704067200000000)},
	}
}

// sampleBody is the body that inserts one.
func sampleBody(b *testing.B) string {
	b.Helper()
	text, err := bson.MarshalExtJSON(bson.D{{Key: "document", Value: sample("")[1:9]}}, false, false)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// bench runs a request against both on both databases.
func bench(b *testing.B, method, path, body string, status int) {
	b.Helper()
	databases := []struct {
		name string
		open func(*testing.B) *mongo.Database
	}{{"server", seeded}, {"stub", stub}}
	for _, database := range databases {
		db := database.open(b)
		for _, side := range []struct {
			name    string
			handler http.Handler
		}{{"coglex", ours(b, db)}, {"byhand", byHand(db)}} {
			b.Run(database.name+"/"+side.name, func(b *testing.B) { benchHandler(b, side.handler, method, path, body, status) })
		}
	}
}

func benchHandler(b *testing.B, h http.Handler, method, path, body string, status int) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Api-Key", apiKey)
		w := &discard{header: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status != status {
			b.Fatalf("status %d", w.status)
		}
	}
}

// discard is a client that does not look.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// seeded returns a database of the test server with a thousand documents.
func seeded(b *testing.B) *mongo.Database {
	b.Helper()
	db := dbtest.Database(b)
	docs := make([]any, 1000)
	for i := range docs {
		docs[i] = sample(fmt.Sprintf("d%03d", i))
	}
	if _, err := db.Collection("things").InsertMany(b.Context(), docs); err != nil {
		b.Fatal(err)
	}
	return db
}

func BenchmarkFindOne(b *testing.B) { bench(b, http.MethodGet, "/things/d500", "", http.StatusOK) }

func BenchmarkInsert(b *testing.B) {
	bench(b, http.MethodPost, "/others", sampleBody(b), http.StatusCreated)
}

func BenchmarkList1000(b *testing.B) {
	bench(b, http.MethodGet, "/things?limit=1000", "", http.StatusOK)
}

// BenchmarkExport exports 100 000 documents and reports how much memory that took
// at its peak.
func BenchmarkExport(b *testing.B) {
	const count = 100_000
	db := dbtest.Database(b)
	for i := 0; i < count; i += 1000 {
		docs := make([]any, 1000)
		for j := range docs {
			docs[j] = sample(fmt.Sprint(i + j))
		}
		if _, err := db.Collection("things").InsertMany(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
	h := ours(b, db)
	for b.Loop() {
		runtime.GC()
		peak := watchHeap()
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/things", nil)
		r.Header.Set("X-Api-Key", apiKey)
		r.Header.Set("Accept", ndjson)
		w := &discard{header: http.Header{}}
		h.ServeHTTP(w, r)
		b.ReportMetric(float64(peak())/(1<<20), "peak-MiB")
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

// watchHeap returns a function that says by how much the heap grew at most.
func watchHeap() func() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	base := stats.HeapInuse + stats.StackInuse
	var peak atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				var stats runtime.MemStats
				runtime.ReadMemStats(&stats)
				if now := stats.HeapInuse + stats.StackInuse; now > base {
					peak.Store(max(peak.Load(), now-base))
				}
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return peak.Load() }
}

// stub returns a database that answers each find with the same thousand documents,
// or one, and each insert with success, at once.
func stub(b *testing.B) *mongo.Database {
	b.Helper()
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	one, many := bson.A{sample("d500")}, bson.A{}
	for i := range 1000 {
		many = append(many, sample(fmt.Sprintf("d%03d", i)))
	}
	answers := map[string]bson.Raw{"one": findReply(b, one), "many": findReply(b, many), "insert": marshal(b, bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}})}
	hello := marshal(b, bson.D{
		{Key: "ok", Value: 1},
		{Key: "isWritablePrimary", Value: true},
		{Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48_000_000},
		{Key: "maxWriteBatchSize", Value: 100_000},
		{Key: "minWireVersion", Value: 0},
		{Key: "maxWireVersion", Value: 21},
	})
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(b.Context())
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { <-ctx.Done(); _ = c.Close() })
			wg.Go(func() {
				for answerStub(c, hello, answers) == nil {
				}
			})
		}
	})
	client := dbtest.Connect(b, "mongodb://"+l.Addr().String()+"/?directConnection=true&heartbeatFrequencyMS=3600000")
	b.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(b.Context())); cancel(); _ = l.Close(); wg.Wait() })
	return client.Client.Database("stub")
}

func marshal(b *testing.B, doc any) bson.Raw {
	b.Helper()
	raw, err := bson.Marshal(doc)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

func findReply(b *testing.B, docs bson.A) bson.Raw {
	b.Helper()
	cursor := bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "stub.things"}, {Key: "firstBatch", Value: docs}}
	return marshal(b, bson.D{{Key: "cursor", Value: cursor}, {Key: "ok", Value: 1}})
}

// answerStub answers one message.
func answerStub(c net.Conn, hello bson.Raw, answers map[string]bson.Raw) error {
	header := make([]byte, 16)
	if _, err := io.ReadFull(c, header); err != nil {
		return err
	}
	body := make([]byte, binary.LittleEndian.Uint32(header)-16)
	if _, err := io.ReadFull(c, body); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(header[12:]) == 2004 { // OP_QUERY, by which a connection begins
		reply := append(binary.LittleEndian.AppendUint32(nil, 8), make([]byte, 12)...) // AwaitCapable
		reply = append(binary.LittleEndian.AppendUint32(reply, 1), hello...)
		return send(c, header, 1, reply)
	}
	command := bsoncore.Document(body[5:])
	name := "hello"
	if first, err := command.IndexErr(0); err == nil {
		name = first.Key()
	}
	if limit, ok := command.Lookup("limit").AsInt64OK(); name == "find" && ok && limit == 1 {
		name = "one"
	} else if name == "find" {
		name = "many"
	}
	reply, ok := answers[name]
	if !ok {
		reply = hello
	}
	return send(c, header, 2013, append(make([]byte, 5), reply...))
}

func send(c net.Conn, request []byte, opcode uint32, body []byte) error {
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, 16+len(body)), uint32(16+len(body)))
	out = binary.LittleEndian.AppendUint32(out, 0)
	out = append(out, request[4:8]...)
	out = binary.LittleEndian.AppendUint32(out, opcode)
	_, err := c.Write(append(out, body...))
	return err
}
