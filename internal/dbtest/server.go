package dbtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Server is an embedded server in a process of its own, which a test may kill.
type Server struct {
	dir, addr string
	held      *os.File // the lock of dir that the process inherits, nil for none

	mu    sync.Mutex
	cmd   *exec.Cmd
	stdin io.Closer // closes when this process dies, and ends the server then
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
func (s *Server) URI() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "mongodb://" + s.addr + "/"
}

// Start starts the server, at the address it had before.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("dbtest: the server runs already")
	}
	binary, err := build()
	if err != nil {
		return err
	}
	cmd := exec.Command(binary, "-dir", s.dir, "-addr", s.addr)
	cmd.Stderr = os.Stderr
	if s.held != nil {
		cmd.ExtraFiles = []*os.File{s.held}
	}
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
	s.cmd, s.stdin = cmd, stdin
	addr := strings.Trim(strings.TrimPrefix(strings.TrimSpace(line), "mongodb://"), "/")
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("dbtest: the embedded server printed %q: %w", line, err)
	}
	s.addr = addr
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

// shared returns the server of all tests of this process, which ends with it.
var shared = sync.OnceValues(func() (*Server, error) {
	if _, err := module(); err != nil {
		return nil, err
	}
	dir, held, err := folder()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, addr: "127.0.0.1:0", held: held}
	return s, s.Start()
})

// fatal ends the test; it skips it where the library is tested as somebody's
// dependency, without the embedded server's module beside it.
func fatal(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, errAbsent) {
		tb.Skip(err)
	}
	tb.Fatal(err)
}
