package e2e_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// database is an embedded database in a process of its own.
type database struct {
	URI string

	dir   string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startDatabase starts a database for the test; it can be killed and restarted.
func startDatabase(tb testing.TB) *database {
	tb.Helper()
	d := &database{dir: tb.TempDir()}
	d.start(tb, "127.0.0.1:0")
	tb.Cleanup(d.kill)
	return d
}

func (d *database) start(tb testing.TB, addr string) {
	tb.Helper()
	d.cmd = exec.Command(build(tb, "./embedded/cmd/coglexdb"), "-dir", d.dir, "-addr", addr)
	d.cmd.Stderr = os.Stderr
	stdin, err := d.cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	d.URI, d.stdin = strings.TrimSpace(line), stdin
}

// restart starts it again where it was.
func (d *database) restart(tb testing.TB) {
	tb.Helper()
	d.start(tb, strings.Trim(strings.TrimPrefix(d.URI, "mongodb://"), "/"))
}

// kill ends it as a crash would.
func (d *database) kill() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}
