package archive_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// The benchmarks move 1 GiB over a local connection: through a mounted gateway with
// its key check, access log and all, and through the handler that one would write by
// hand. They report the peak of the extra memory, client included. Run them with
// -benchtime 1x.

const gib = 1 << 30

// pattern yields bytes that are not all the same.
type pattern struct{ block []byte }

func newPattern() *pattern {
	block := make([]byte, 64<<10)
	for i := range block {
		block[i] = byte(i * 7919 >> 3)
	}
	return &pattern{block}
}

// Read fills p.
func (s *pattern) Read(p []byte) (int, error) { return copy(p, s.block), nil }

// mounted returns the address of a gateway, and its archive.
func mounted(b *testing.B) (string, *archive.Service) {
	b.Helper()
	files, err := archive.New(dbtest.Database(b), archive.Disk(b.TempDir()), &archive.Options{MaxBytes: 2 * gib})
	if err != nil {
		b.Fatal(err)
	}
	if err := files.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	if err := app.Mount(e, files); err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(app.Handler(e))
	b.Cleanup(func() { server.Close(); _ = files.Stop(b.Context()) })
	return server.Listener.Addr().String(), files
}

// bare returns the address of a handler.
func bare(b *testing.B, h http.HandlerFunc) string {
	b.Helper()
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// exchange sends a request over a connection of its own, and returns the status and
// how many bytes came back.
func exchange(b *testing.B, address, head string, body io.Reader) (status string, size int64) {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, head); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 256<<10)
	if _, err := io.CopyBuffer(struct{ io.Writer }{conn}, body, buf); err != nil {
		b.Fatal(err)
	}
	r := bufio.NewReaderSize(conn, 256<<10)
	status, err = r.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	size, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, buf)
	if err != nil {
		b.Fatal(err)
	}
	return status, size
}

func BenchmarkUpload1GiB(b *testing.B) {
	head, contentType := form(file("big.bin", "|"))
	before, after, _ := strings.Cut(head, "|")
	folder := b.TempDir()
	upload := func(address, want string, length int, body func() io.Reader) func() {
		request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			prefix, apiKey, contentType, length)
		return func() {
			if status, _ := exchange(b, address, request, body()); !strings.Contains(status, want) {
				b.Fatal(status)
			}
		}
	}
	address, files := mounted(b)
	ours := upload(address, "201", gib+len(before)+len(after), func() io.Reader {
		return io.MultiReader(strings.NewReader(before), io.LimitReader(newPattern(), gib), strings.NewReader(after))
	})
	byHand := bare(b, func(w http.ResponseWriter, r *http.Request) { saveByHand(b, folder, w, r) })
	compare(b, upload(byHand, "200", gib, func() io.Reader { return io.LimitReader(newPattern(), gib) }), func() {
		ours()
		clearAll(b, files)
	})
}

// clearAll deletes all files.
func clearAll(b *testing.B, files *archive.Service) {
	b.Helper()
	all, err := files.List(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range all {
		if err := files.Delete(b.Context(), f.ID); err != nil {
			b.Fatal(err)
		}
	}
}

// saveByHand copies a body to a file with its hash.
func saveByHand(b *testing.B, folder string, w http.ResponseWriter, r *http.Request) {
	b.Helper()
	f, err := os.CreateTemp(folder, "")
	if err != nil {
		b.Error(err)
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, hash), r.Body); err != nil {
		b.Error(err)
	}
	if err := f.Sync(); err != nil {
		b.Error(err)
	}
	fmt.Fprintf(w, "%x", hash.Sum(nil))
}

func BenchmarkDownload1GiB(b *testing.B) {
	path := filepath.Join(b.TempDir(), "big.bin")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(f, io.LimitReader(newPattern(), gib)); err != nil {
		b.Fatal(err)
	}
	_ = f.Close()
	download := func(address, path string) func() {
		request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: %s\r\n\r\n", path, apiKey)
		return func() {
			if status, size := exchange(b, address, request, strings.NewReader("")); !strings.Contains(status, "200") || size < gib {
				b.Fatal(status, size)
			}
		}
	}
	address, files := mounted(b)
	kept, err := files.Put(b.Context(), "big.bin", io.LimitReader(newPattern(), gib), nil)
	if err != nil {
		b.Fatal(err)
	}
	byHand := bare(b, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })
	compare(b, download(byHand, "/"), download(address, prefix+"/"+kept.ID))
}

// rounds is how often each side runs. They take turns, and the best time of each
// counts, for what else the machine does only ever makes them slower.
const rounds = 3

// compare runs both sides and reports how fast they are, how fast ours is beside the
// one by hand, and by how much the memory grew at most in ours.
func compare(b *testing.B, byHand, ours func()) {
	b.Helper()
	best := [2]time.Duration{time.Hour, time.Hour}
	var most uint64
	for range b.N * rounds {
		runtime.GC()
		began := time.Now()
		byHand()
		best[0] = min(best[0], time.Since(began))
		runtime.GC()
		peak := watchMemory()
		began = time.Now()
		ours()
		best[1] = min(best[1], time.Since(began))
		most = max(most, peak())
	}
	b.ReportMetric(gib/best[0].Seconds()/1e6, "byhand-MB/s")
	b.ReportMetric(gib/best[1].Seconds()/1e6, "coglex-MB/s")
	b.ReportMetric(best[0].Seconds()/best[1].Seconds(), "ratio")
	b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
}

// watchMemory returns a function that says by how much heap and stacks grew at most.
func watchMemory() func() uint64 {
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
