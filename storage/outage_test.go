package storage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/event"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/storage"
)

// connections counts those of a client.
type connections struct{ open, out atomic.Int64 }

func (c *connections) monitor() *event.PoolMonitor {
	return &event.PoolMonitor{Event: func(e *event.PoolEvent) {
		switch e.Type {
		case event.ConnectionCreated:
			c.open.Add(1)
		case event.ConnectionClosed:
			c.open.Add(-1)
		case event.GetSucceeded:
			c.out.Add(1)
		case event.ConnectionReturned:
			c.out.Add(-1)
		}
	}}
}

func TestADatabaseThatDiesUnderLoadComesBack(t *testing.T) {
	t.Parallel()
	db := dbtest.NewServer(t)
	var conns connections
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(db.URI()).SetServerSelectionTimeout(time.Second).SetPoolMonitor(conns.monitor()))
	if err != nil {
		t.Fatal(err)
	}
	g := newGatewayOn(t, client.Database("test"), nil)
	g.do("POST", "/things", `{"document": {"_id": "x", "n": 0}}`).want(201)

	const workers = 16
	var wg sync.WaitGroup
	var served, refused atomic.Int64
	stop := make(chan struct{})
	for i := range workers {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				began := time.Now()
				var a answer
				switch (i + n) % 4 {
				case 0:
					a = g.do("GET", "/things/x", "")
				case 1:
					a = g.do("POST", "/things", `{"document": {"n": 1}}`)
				case 2:
					a = g.do("PATCH", "/things/x", `{"document": {"$inc": {"n": 1}}}`)
				case 3:
					a = g.do("PATCH", "/things", `{"document": {"a": 1}, "query": {"_id": "x"}}`)
				}
				switch took := time.Since(began); {
				case a.status == http.StatusOK || a.status == http.StatusCreated:
					served.Add(1)
				case a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "":
					t.Errorf("%s: %d %s", a.request, a.status, a.body)
				case took > 3*time.Second:
					t.Errorf("%s: 503 after %s", a.request, took)
				default:
					refused.Add(1)
				}
			}
		})
	}
	g.until("there is load", func() bool { return served.Load() > workers })
	db.Kill()
	g.until("it is refused", func() bool { return refused.Load() > workers })
	if err := g.docs.Ready(t.Context()); err == nil {
		t.Error("ready without a database")
	}
	if err := db.Start(); err != nil {
		t.Fatal(err)
	}
	back := served.Load()
	g.until("it is served again", func() bool { return served.Load() > back+workers })
	close(stop)
	wg.Wait()
	if n := conns.out.Load(); n != 0 {
		t.Errorf("%d connections were not given back", n)
	}
	if err := client.Disconnect(t.Context()); err != nil {
		t.Error(err)
	}
	if n := conns.open.Load(); n != 0 {
		t.Errorf("%d connections are open still", n)
	}
}

func TestEveryAcknowledgedWriteSurvivesAKill(t *testing.T) {
	t.Parallel()
	db := dbtest.NewServer(t)
	g := newGatewayOn(t, dbtest.Connect(t, db.URI()).Database("test"), nil)
	g.do("POST", "/things", `{"document": {"_id": "first"}}`).want(201)

	var mu sync.Mutex
	acknowledged := map[string]int{"first": 0}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("w%d-%d", w, i)
				if g.do("POST", "/things", fmt.Sprintf(`{"document": {"_id": %q}}`, id)).status != 201 {
					return
				}
				mu.Lock()
				acknowledged[id] = 0
				mu.Unlock()
				if g.do("PATCH", "/things/"+id, `{"document": {"n": 1}}`).status != 200 {
					return
				}
				mu.Lock()
				acknowledged[id] = 1
				mu.Unlock()
			}
		})
	}
	g.until("there are writes", func() bool { return count() > 50 })
	db.Kill()
	wg.Wait()
	if err := db.Start(); err != nil {
		t.Fatal(err)
	}
	g.until("it is back", func() bool { return g.do("GET", "/things/first", "").status == 200 })
	for id, n := range acknowledged {
		var doc struct{ N int }
		a := g.do("GET", "/things/"+id, "")
		if err := json.Unmarshal([]byte(a.body), &doc); a.status != 200 || err != nil || doc.N < n {
			t.Errorf("%s was acknowledged with n = %d, and is %d %s", id, n, a.status, a.body)
		}
	}
}

// staller passes connections on to a server, until it is told to hold all bytes.
type staller struct {
	net.Listener

	held chan struct{} // closed when answers are held
	done chan struct{} // closed at the end
	wg   sync.WaitGroup
}

func newStaller(t *testing.T, addr string) *staller {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &staller{Listener: l, held: make(chan struct{}), done: make(chan struct{})}
	s.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(t.Context(), client, addr) })
		}
	})
	t.Cleanup(func() { close(s.done); _ = l.Close(); s.wg.Wait() })
	return s
}

func (s *staller) serve(ctx context.Context, client net.Conn, addr string) {
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		_ = client.Close()
		return
	}
	s.wg.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
	s.wg.Go(func() { <-s.done; _ = client.Close(); _ = server.Close() })
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		select {
		case <-s.held:
			<-s.done
		default:
		}
		if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
			_ = client.Close()
			return
		}
	}
}

func TestADatabaseThatHangsHoldsNoRequest(t *testing.T) {
	t.Parallel()
	uri, err := url.Parse(dbtest.URI(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := newStaller(t, uri.Host)
	db := dbtest.Database(t) // for the dropping
	client := dbtest.Connect(t, "mongodb://"+proxy.Addr().String()+"/?directConnection=true")
	g := newGatewayOn(t, client.Client.Database(db.Name()), &storage.Options{QueryTimeout: 100 * time.Millisecond})
	g.do("POST", "/things", `{"document": {"_id": "x"}}`).want(201)
	close(proxy.held)
	began := time.Now()
	g.everyRoute("things", func(a answer) {
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: after %s", a.request, took)
		}
		began = time.Now()
		if a.status != http.StatusGatewayTimeout && a.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", a.request, a.status, a.body)
		}
	})
}
