package dbtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// errAbsent says that the embedded server's module is not part of this checkout.
var errAbsent = errors.New("dbtest: the embedded server is not in this checkout")

// buildTimeout bounds a cold build of the embedded server.
const buildTimeout = 10 * time.Minute

// Server is an embedded server in a process of its own, which a test may kill.
type Server struct {
	dir, addr string

	mu    sync.Mutex
	cmd   *exec.Cmd
	stdin io.Closer
}

// NewServer starts a server that belongs to the test alone, and ends it and
// removes its files afterwards.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{dir: tb.TempDir(), addr: "127.0.0.1:0"}
	if err := s.Start(); err != nil {
		fatal(tb, err)
	}
	tb.Cleanup(s.Kill)
	return s
}

// URI returns the address, the same after a restart.
func (s *Server) URI() string { return "mongodb://" + s.addr + "/" }

// Start starts the server, at the address it had before.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	binary, err := build()
	if err != nil {
		return err
	}
	cmd := exec.Command(binary, "-dir", s.dir, "-addr", s.addr) //nolint:gosec,noctx // our own binary; it ends with its standard input
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("dbtest: the embedded server did not start: %w", errors.Join(err, cmd.Wait()))
	}
	s.addr = strings.Trim(strings.TrimPrefix(strings.TrimSpace(line), "mongodb://"), "/")
	if _, _, err := net.SplitHostPort(s.addr); err != nil {
		return fmt.Errorf("dbtest: the embedded server printed %q: %w", line, err)
	}
	s.cmd, s.stdin = cmd, stdin
	return nil
}

// Kill ends the server as a crash would, and returns when it is gone.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// shared returns the server of all tests of this process. It ends, and removes
// its files, when the process does, for its standard input closes then.
var shared = sync.OnceValues(func() (*Server, error) {
	dir, err := os.MkdirTemp("", "coglex-test-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, addr: "127.0.0.1:0"}
	return s, s.Start()
})

// build builds the embedded server to one stable path, so that only the first
// test of a machine waits for it.
var build = sync.OnceValues(func() (string, error) {
	module, err := module()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(cache, "coglex", "coglexdb-test")
	if err := os.MkdirAll(filepath.Dir(binary), 0o700); err != nil {
		return "", err
	}
	unlock, err := lock(binary + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/coglexdb") //nolint:gosec // fixed words
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("dbtest: building the embedded server: %w\n%s", err, out)
	}
	return binary, nil
})

// module returns the folder of the embedded server's module.
func module() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", errAbsent
	}
	dir := filepath.Join(filepath.Dir(file), "..", "..", "embedded")
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); errors.Is(err, fs.ErrNotExist) {
		return "", errAbsent
	}
	return dir, nil
}

// fatal ends the test; it skips it where the library is tested as somebody's
// dependency, without the embedded server's module beside it.
func fatal(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, errAbsent) {
		tb.Skip(err)
	}
	tb.Fatal(err)
}
