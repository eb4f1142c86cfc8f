package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// secret opens the gateways of the tests.
const secret = "a-key-for-trying-things-0123456789"

// root is the top of the repository.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// builds holds the program of each package that a test asked for.
var builds sync.Map // package path → func() (string, error)

// build builds a program of the workspace once and returns its path.
func build(tb testing.TB, pkg string) string {
	tb.Helper()
	top := root(tb)
	once, _ := builds.LoadOrStore(pkg, sync.OnceValues(func() (string, error) {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		binary := filepath.Join(cache, "coglex", "e2e-"+filepath.Base(pkg))
		cmd := exec.Command("go", "build", "-o", binary, pkg)
		cmd.Dir = top
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
		return binary, nil
	}))
	binary, err := once.(func() (string, error))()
	if err != nil {
		tb.Fatal(err)
	}
	return binary
}

// gateway is a running quickstart.
type gateway struct {
	URL string

	cmd    *exec.Cmd
	banner string
	stderr *lockedBuffer
	done   chan struct{}
	err    error // of the process, once done is closed
}

// start runs the quickstart in dir with these variables and waits until it listens.
func start(tb testing.TB, dir string, env ...string) *gateway {
	tb.Helper()
	g := &gateway{
		cmd: exec.Command(build(tb, "./examples/quickstart")), stderr: new(lockedBuffer), done: make(chan struct{}),
	}
	g.cmd.Dir = dir
	g.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "SERVER_PORT=0"}, env...)
	g.cmd.Stderr = g.stderr
	stdout, err := g.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(g.kill)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		g.banner += lines.Text() + "\n"
		if _, url, ok := strings.Cut(lines.Text(), "Coglex serves on "); ok {
			g.URL = url
		}
		if strings.Contains(lines.Text(), "curl -H") {
			break // the last line of the banner that matters
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, stdout)
		g.err = g.cmd.Wait()
		close(g.done)
	}()
	if g.URL == "" {
		<-g.done
		tb.Fatalf("the quickstart did not start: %v\n%s%s", g.err, g.banner, g.stderr)
	}
	return g
}

// kill ends the gateway as a crash would.
func (g *gateway) kill() {
	_ = g.cmd.Process.Kill()
	if g.URL != "" {
		<-g.done
	}
}

// stop asks the gateway to end and returns how it did.
func (g *gateway) stop(tb testing.TB, sig syscall.Signal) error {
	tb.Helper()
	if err := g.cmd.Process.Signal(sig); err != nil {
		tb.Fatal(err)
	}
	select {
	case <-g.done:
	case <-time.After(20 * time.Second):
		tb.Fatal("the gateway did not end within 20 s")
	}
	return g.err
}

// answer is what a gateway answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// field returns a top-level field of the answer's JSON object.
func (a answer) field(tb testing.TB, name string) string {
	tb.Helper()
	var object map[string]any
	if err := json.Unmarshal(a.body, &object); err != nil {
		tb.Fatalf("not a JSON object: %v: %s", err, a.body)
	}
	return fmt.Sprint(object[name])
}

// call sends one request; headers are "Name: value".
func (g *gateway) call(tb testing.TB, method, path, body string, headers ...string) answer {
	tb.Helper()
	a, err := g.try(http.DefaultClient, method, path, body, headers...)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// try is call for requests that may fail.
func (g *gateway) try(client *http.Client, method, path, body string, headers ...string) (answer, error) {
	req, err := http.NewRequest(method, g.URL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: b}, err
}

// lockedBuffer is a buffer that a process writes while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
