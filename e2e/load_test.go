package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// connections is how many clients load the gateway at once.
const connections = 8

// BenchmarkGateway loads a whole gateway process, with its database in another
// process, over keep-alive connections. Beside the time it reports requests per
// second, the 50th and 99th percentile, and the gateway's own CPU time.
func BenchmarkGateway(b *testing.B) {
	db := startDatabase(b)
	g := start(b, b.TempDir(), "SERVER_SECRET="+secret, "MONGODB_URI="+db.URI, "TRUSTED_PROXIES=127.0.0.1")
	atRest := memory(b, g)
	user := `{"_key": "ada@example.com", "_password": "correct horse"}`
	if a := g.call(b, "POST", signup, user, key); a.status != 201 {
		b.Fatalf("sign-up: %d %s", a.status, a.body)
	}
	bearer := "Authorization: Bearer " + g.call(b, "POST", signin, user, key).field(b, "token")
	document := `{"document": {"title": "Dune", "author": "Frank Herbert", "year": 1965, "tags": ["sand", "spice", "worms"], "shelf": {"room": 3, "row": "c"}, "notes": "A duke's family comes to a desert planet."}}`
	g.call(b, "POST", books, `{"document": {"_id": "dune", "title": "Dune", "year": 1965}}`, key)

	b.Run("rest", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(atRest, "MB-at-rest")
	})
	same := func(request string) func(int64) string { return func(int64) string { return request } }
	for _, load := range []struct {
		name    string
		request func(n int64) string
	}{
		{"protected", same(request("GET", "/hello", "", key))},
		{"find-one", same(request("GET", books+"/dune", "", key))},
		{"insert", same(request("POST", books, document, key))},
		{"authenticated", same(request("GET", "/me", "", bearer))},
		{"signin", func(n int64) string { // from ever new addresses, each of which may try so often
			return request("POST", signin, user, key, fmt.Sprintf("X-Forwarded-For: 10.0.%d.%d", n>>8&255, n&255))
		}},
	} {
		b.Run(load.name, func(b *testing.B) { loadGateway(b, g, load.request) })
	}
	b.Run("after-load", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(memory(b, g), "MB-after-load")
	})
}

// BenchmarkHelloDuringSignins tells how long a small request takes while 200
// people sign in at once.
func BenchmarkHelloDuringSignins(b *testing.B) {
	g := start(b, b.TempDir(), "SERVER_SECRET="+secret)
	var took []time.Duration
	for b.Loop() {
		var people sync.WaitGroup
		busy := make(chan struct{})
		for i := range 200 {
			people.Go(func() {
				g.call(b, "POST", signin, fmt.Sprintf(`{"_key": "p%d@example.com", "_password": "correct horse"}`, i), key)
			})
		}
		go func() { people.Wait(); close(busy) }()
		for waiting := true; waiting; {
			began := time.Now()
			g.call(b, "GET", "/hello", "", key)
			took = append(took, time.Since(began))
			select {
			case <-busy:
				waiting = false
			default:
			}
		}
	}
	report(b, took)
}

// loadGateway sends b.N requests over the connections and reports what it saw.
func loadGateway(b *testing.B, g *gateway, request func(n int64) string) {
	b.Helper()
	var next atomic.Int64
	took := make([][]time.Duration, connections)
	var clients sync.WaitGroup
	cpu := cpuTime(b, g)
	b.ResetTimer()
	for i := range connections {
		clients.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				text := request(n)
				began := time.Now()
				if err := exchange(conn, reader, text); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	clients.Wait()
	elapsed := b.Elapsed()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/elapsed.Seconds(), "req/s")
	b.ReportMetric(float64((cpuTime(b, g)-cpu).Microseconds())/1000/float64(b.N), "cpu-ms/req")
	report(b, slices.Concat(took...))
}

// exchange sends one request and reads its answer, which may be a refusal of a
// limit but no failure.
func exchange(conn net.Conn, reader *bufio.Reader, request string) error {
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

// request writes an HTTP/1.1 request.
func request(method, path, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", method, path, len(body))
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n" + body
}

// report reports percentiles.
func report(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	at := func(part float64) float64 {
		return float64(took[int(part*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.50), "p50-ms")
	b.ReportMetric(at(0.95), "p95-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

// cpuTime is the user and system time of the gateway's process so far.
func cpuTime(b *testing.B, g *gateway) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	// proc(5): fields 14 and 15, in clock ticks of 10 ms, after the name in parentheses.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is the resident memory of the gateway's process in MB.
func memory(b *testing.B, g *gateway) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}
