package archive_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// relay stands before a database and breaks the connection behind an insert, before
// its answer, once it is told to.
type relay struct {
	*testing.T

	to      string
	cutting atomic.Bool
	done    chan struct{} // closed when an insert has been carried out unanswered
	once    sync.Once
}

// startRelay returns a relay and its address.
func startRelay(t *testing.T, to string) (*relay, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{T: t, to: to, done: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { r.carry(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return r, l.Addr().String()
}

// carry serves a connection.
func (r *relay) carry(client net.Conn) {
	server, err := net.Dial("tcp", r.to)
	if err != nil {
		_ = client.Close()
		return
	}
	var cut atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer client.Close()
		defer server.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			if cut.Load() { // the answer to the insert
				r.once.Do(func() { close(r.done) })
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	defer wg.Wait()
	defer server.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if r.cutting.Load() && bytes.Contains(buf[:n], []byte("insert\x00\x09\x00\x00\x00_ARCHIVE\x00")) {
			cut.Store(true)
		}
		if _, err := io.Copy(server, bytes.NewReader(buf[:n])); err != nil {
			return
		}
	}
}

// Where nobody can tell whether there is a record the bytes stay, for it may be
// there, as it is here: then the file is whole, and the ticket that it came by spent.
func TestInDoubtAFileIsWhole(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	address := strings.TrimSuffix(strings.TrimPrefix(server.URI(), "mongodb://"), "/")
	address, _, _ = strings.Cut(address, "/")
	r, through := startRelay(t, address)
	client := dbtest.Connect(t, "mongodb://"+through+"/?directConnection=true&retryWrites=false")
	g := newGatewayOn(t, client.Database("test"), archivetest.Memory(), &archive.Options{Secret: secret})
	g.put("first", "x")
	ticket := g.do("POST", "/tickets", "").link()
	body, contentType := form(file("a.txt", "hello"))
	r.cutting.Store(true)
	g.open("POST", ticket, body, "Content-Type", contentType).refused(503, "database_unavailable", "")
	<-r.done
	r.cutting.Store(false)
	if n := len(g.keys()); n != 2 {
		t.Errorf("the store has %d", n)
	}
	g.until("the database is back", func() bool { return client.Ping(t.Context(), nil) == nil })
	g.open("POST", ticket, body, "Content-Type", contentType).refused(409, "ticket_used", "")
	files := g.do("GET", "/", "").files()
	if len(files) != 2 {
		t.Fatalf("%d records", len(files))
	}
	if a := g.do("GET", "/"+files[1].ID, "").want(200); a.body != "hello" {
		t.Error(a.body)
	}
}
