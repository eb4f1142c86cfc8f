package dbtest

import (
	"bufio"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// envChild makes TestChild do its part.
const envChild = "COGLEX_DBTEST_CHILD"

// TestChild is run in a process of its own by the test below: it tells the
// shared server's folder and address, and waits to be killed.
func TestChild(t *testing.T) {
	t.Parallel()
	if os.Getenv(envChild) == "" {
		return
	}
	server, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString(server.dir + " " + server.addr + "\n")
	select {}
}

func TestTheSharedServerEndsWithItsProcessAndLeavesNothing(t *testing.T) {
	t.Parallel()
	if _, err := module(); err != nil {
		fatal(t, err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), envChild+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir, addr, _ := strings.Cut(strings.TrimSpace(line), " ")

	// While the process lives, others leave its folder alone.
	other, held, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the folder of a living process: %v", err)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr); err != nil {
		t.Fatalf("the server does not answer: %v", err)
	} else if err := conn.Close(); err != nil {
		t.Fatal(err)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone, err := lock(dir + ".lock") // the server's copy of the lock ends with it
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr); err == nil {
		conn.Close()
		t.Error("the server outlives its parent")
	}
	if _, next, err := folder(); err != nil {
		t.Fatal(err)
	} else if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, dir + ".lock"} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", path, err)
		}
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("a folder in use was swept: %v", err)
	}
}

func TestModuleIsFoundFromAnyFolderOfTheCheckout(t *testing.T) {
	here, err := module()
	if err != nil {
		fatal(t, err)
	}
	t.Chdir(filepath.Dir(here))
	above, err := module()
	if err != nil || above != here {
		t.Errorf("module = %s, %v from the root, want %s", above, err, here)
	}
	t.Chdir(t.TempDir())
	if _, err := module(); !errors.Is(err, errAbsent) {
		t.Errorf("error = %v outside of the checkout, want errAbsent", err)
	}
}
