package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

func TestADatabaseThatGoesBetweenBytesAndRecord(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	client := dbtest.Connect(t, server.URI()+"?serverSelectionTimeoutMS=200")
	db := client.Database("test")
	var killing atomic.Bool
	store := archivetest.Faulty(archive.Disk(t.TempDir()), archivetest.Faults{Created: func(ctx context.Context, _ string) error {
		if killing.Load() {
			server.Kill()
			for client.Ping(ctx, nil) == nil { // until the driver knows it too
			}
		}
		return nil
	}})
	g := newGatewayOn(t, db, store, nil)
	first := g.put("first.txt", "hello")
	killing.Store(true)
	told := signalstest.Record[archive.Uploaded](t, g.app.Signals())
	a := g.upload("/", file("a.txt", strings.Repeat("x", 1<<20)))
	a.refused(503, "database_unavailable", "")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if keys := g.keys(); len(keys) != 1 {
		t.Errorf("the store has %v", keys)
	}
	g.do("GET", "/"+first.ID, "").refused(503, "database_unavailable", "")
	if err := g.files.Ready(t.Context()); err == nil {
		t.Error("ready without a database")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	g.until("the database is back", func() bool { return client.Ping(t.Context(), nil) == nil })
	g.do("GET", "/"+first.ID, "").want(200)
	if n := len(g.do("GET", "/", "").files()); n != 1 || len(told.Events()) != 0 {
		t.Errorf("%d files, %d events", n, len(told.Events()))
	}
}

func TestAFullDiskKeepsNothing(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]archive.Store{"disk": archive.Disk(t.TempDir()), "memory": archivetest.Memory()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayOn(t, dbtest.Database(t), archivetest.Faulty(store, archivetest.Faults{Space: 100_000}), nil)
			g.upload("/", file("a", strings.Repeat("x", 200_000)), metadata(`{}`)).refused(507, "no_space", "")
			g.empty()
			g.upload("/", file("a", strings.Repeat("x", 1000))).want(201)
		})
	}
}

// A client that leaves midway, by HTTP over a real connection.
func TestAClientThatLeavesLeavesNothing(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	g := newGateway(t, nil)
	signals.Intercept(g.app.Signals(), func(context.Context, *archive.Uploading) error { asked <- struct{}{}; return nil })
	address := g.serve()
	body, contentType := form(file("a.bin", strings.Repeat("x", 1<<20)))
	for _, chunked := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		reader, writer := io.Pipe()
		r, err := http.NewRequestWithContext(ctx, "POST", address, reader)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", apiKey)
		r.Header.Set("Content-Type", contentType)
		if !chunked {
			r.ContentLength = int64(len(body))
		}
		done := make(chan error)
		go func() {
			res, err := http.DefaultClient.Do(r)
			if err == nil {
				res.Body.Close()
			}
			done <- err
		}()
		_, _ = io.WriteString(writer, body[:len(body)/2])
		<-asked
		cancel()
		_ = writer.CloseWithError(context.Canceled)
		if err := <-done; err == nil {
			t.Error("it was answered")
		}
	}
	g.until("nothing is left", func() bool { return len(g.keys()) == 0 })
	g.empty()
}

// until waits for a condition.
func (g *gateway) until(what string, ok func() bool) {
	g.Helper()
	for !ok() {
		if g.Context().Err() != nil {
			g.Fatalf("never: %s", what)
		}
	}
}

func TestABodyThatBreaksOffIs499(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	body, contentType := form(file("a.bin", strings.Repeat("x", 1<<20)))
	for _, at := range []int{10, 200, len(body) / 2, len(body) - 5} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", prefix+"/", io.MultiReader(strings.NewReader(body[:at]), broken{}))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", apiKey)
		r.Header.Set("Content-Type", contentType)
		g.send(r).refused(499, "client_closed", "")
	}
	g.empty()
}

// broken is the end of a body whose client is gone.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAVetoKeepsNothing(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	var asked []archive.Uploading
	told := signalstest.RecordAll(t, g.app.Signals())
	cancel := signals.Intercept(g.app.Signals(), func(_ context.Context, e *archive.Uploading) error {
		asked = append(asked, *e)
		return &service.Problem{Status: 422, Code: "virus", Detail: "It is one."}
	})
	g.upload("/upload/things", metadata(`{"a": 1}`), file("../a.txt", strings.Repeat("x", 9000))).refused(422, "virus", "")
	if _, err := g.files.Put(t.Context(), "b", strings.NewReader("c"), nil); err == nil {
		t.Error("Put does not ask")
	}
	if len(asked) != 2 || asked[0].Name != "a.txt" || asked[0].Collection != "things" || len(asked[0].Head) != 3072 || asked[0].Metadata == nil ||
		asked[0].Declared < 9000 || asked[1].Declared != -1 || asked[0].Type != "text/plain; charset=utf-8" {
		t.Errorf("%+v", asked)
	}
	g.empty()
	cancel()
	f := g.put("a.txt", "hello")
	signals.Intercept(g.app.Signals(), func(context.Context, *archive.Deleting) error { return errors.New("no") })
	g.do("DELETE", "/"+f.ID, "").refused(500, "internal", "")
	g.do("GET", "/"+f.ID, "").want(200)
	if n := len(told.Events()); n != 2 { // uploaded and downloaded
		t.Errorf("%v", told.Events())
	}
}

// Many upload and delete one name at once: of each file all or nothing is there.
func TestUploadsAndDeletesOfOneName(t *testing.T) {
	t.Parallel()
	g := newGatewayOn(t, dbtest.Database(t), archivetest.Memory(), nil)
	deleted := signalstest.Record[archive.Deleted](t, g.app.Signals())
	var wg sync.WaitGroup
	var mu sync.Mutex
	left := map[string]string{}
	var gone atomic.Int64
	for i := range 16 {
		wg.Go(func() {
			content := fmt.Sprint("content ", i, strings.Repeat("x", 5000))
			f := g.put("same.txt", content)
			if i%2 == 0 {
				mu.Lock()
				left[f.ID] = content
				mu.Unlock()
				return
			}
			var inner sync.WaitGroup
			for range 3 {
				inner.Go(func() {
					if a := g.do("DELETE", "/"+f.ID, ""); a.status == 200 {
						gone.Add(1)
					} else if a.status != 404 {
						t.Error(a.status, a.body)
					}
				})
				inner.Go(func() {
					if a := g.do("GET", "/"+f.ID, ""); a.status == 200 && a.body != content || a.status != 200 && a.status != 404 {
						t.Error(a.status, a.body)
					}
				})
			}
			inner.Wait()
		})
	}
	wg.Wait()
	if gone.Load() != 8 || len(deleted.Events()) != 8 || len(g.keys()) != 8 {
		t.Errorf("%d deleted, %d told, %d in the store", gone.Load(), len(deleted.Events()), len(g.keys()))
	}
	for id, content := range left {
		if a := g.do("GET", "/"+id, "").want(200); a.body != content {
			t.Errorf("%s is another", id)
		}
	}
}

// A ticket whose file the database did not take can be used again.
func TestATicketSurvivesAnUploadThatFails(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	client := dbtest.Connect(t, server.URI()+"?serverSelectionTimeoutMS=200")
	var killing atomic.Bool
	store := archivetest.Faulty(archivetest.Memory(), archivetest.Faults{Created: func(ctx context.Context, _ string) error {
		if killing.Load() {
			server.Kill()
			for client.Ping(ctx, nil) == nil { // until the driver knows it too
			}
		}
		return nil
	}})
	g := newGatewayOn(t, client.Database("test"), store, &archive.Options{Secret: secret})
	address := g.do("POST", "/tickets", "").link()
	body, contentType := form(file("a", "b"))
	killing.Store(true)
	g.open("POST", address, body, "Content-Type", contentType).refused(503, "database_unavailable", "")
	if keys := g.keys(); len(keys) != 0 {
		t.Errorf("the store has %v", keys)
	}
	killing.Store(false)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	g.until("the database is back", func() bool { return client.Ping(t.Context(), nil) == nil })
	g.open("POST", address, body, "Content-Type", contentType).want(201)
	g.open("POST", address, body, "Content-Type", contentType).refused(409, "ticket_used", "")
}
