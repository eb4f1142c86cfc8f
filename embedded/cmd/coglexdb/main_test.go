package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// program is the path of the program, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "coglexdb-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "coglexdb")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// process is a running program.
type process struct {
	*exec.Cmd
	uri    string
	stdin  io.Closer
	stdout *bufio.Reader
	stderr *bytes.Buffer
}

// run starts the program over dir and waits until it is ready.
func run(t *testing.T, dir string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(path, "-dir", dir), stderr: new(bytes.Buffer)}
	p.Stderr = p.stderr
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err, p.stderr)
	}
	p.uri = strings.TrimSuffix(line, "\n")
	return p
}

func (p *process) things(t *testing.T) *mongo.Collection {
	t.Helper()
	opts := options.Client().ApplyURI(p.uri).SetServerSelectionTimeout(100 * time.Millisecond)
	client, err := mongo.Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(t.Context()) }) // without a farewell: the server may be gone
	return client.Database("test").Collection("things")
}

func TestEndsCleanly(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*process) error{
		"on SIGTERM":            func(p *process) error { return p.Process.Signal(syscall.SIGTERM) },
		"on SIGINT":             func(p *process) error { return p.Process.Signal(os.Interrupt) },
		"when its input closes": func(p *process) error { return p.stdin.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := run(t, dir)
			if _, err := p.things(t).InsertOne(t.Context(), bson.M{"_id": 1}); err != nil {
				t.Fatal(err)
			}
			if err := end(p); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(p.stdout); err != nil || len(rest) > 0 {
				t.Errorf("more on standard output: %q, %v", rest, err)
			}
			if err := p.Wait(); err != nil || p.stderr.Len() > 0 {
				t.Errorf("%v, %s", err, p.stderr)
			}
			if logs, _ := filepath.Glob(filepath.Join(dir, "*-wal")); len(logs) > 0 {
				t.Errorf("a log is left: %q", logs)
			}
		})
	}
}

func TestMistakesEndItWithOneLine(t *testing.T) {
	t.Parallel()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run(t, dir)
	for name, row := range map[string]struct {
		args []string
		want string
	}{
		"no folder":          {nil, "usage"},
		"too many arguments": {[]string{"-dir", t.TempDir(), "x"}, "usage"},
		"folder in use":      {[]string{"-dir", dir}, "another server uses the folder"},
		"no such address":    {[]string{"-dir", t.TempDir(), "-addr", "192.0.2.1:1"}, "192.0.2.1"},
	} {
		cmd := exec.Command(path, row.args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if cmd.ProcessState.ExitCode() != 1 || len(out) > 0 {
			t.Errorf("%s: %v, %q", name, err, out)
		}
		if got := stderr.String(); !strings.Contains(got, row.want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A process is killed while it creates collections and writes, at any moment. What it acknowledged must be there each
// time, and what it was about must work.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := map[string]int{}
	for round := range 10 {
		writeUntilKilled(t, run(t, dir), round, acknowledged)
	}

	things := run(t, dir).things(t)
	for name, want := range acknowledged {
		c := things.Database().Collection(name)
		n, err := c.CountDocuments(t.Context(), bson.M{})
		if err != nil || int(n) < want || int(n) > want+1 { // one may have been written without an answer
			t.Errorf("%s: %d documents, %v, want %d", name, n, err, want)
		}
		_, _ = c.InsertOne(t.Context(), bson.M{"_id": 0}) // it may be there
		if _, err := c.InsertOne(t.Context(), bson.M{"_id": 0}); !mongo.IsDuplicateKeyError(err) {
			t.Errorf("%s does not work, or takes an _id twice: %v", name, err)
		}
	}
}

// writeUntilKilled has four clients write to p, each to one new collection after another, and kills it under way.
// It counts the documents acknowledged in each collection that was begun.
func writeUntilKilled(t *testing.T, p *process, round int, acknowledged map[string]int) {
	t.Helper()
	db := p.things(t).Database()
	var mu sync.Mutex
	total := 0
	count := func(name string, n int) int {
		mu.Lock()
		defer mu.Unlock()
		acknowledged[name] += n
		total += n
		return total
	}
	enough := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprint("c", round, "-", w, "-", i/2)
				count(name, 0)
				if _, err := db.Collection(name).InsertOne(t.Context(), bson.M{"_id": i % 2}); err != nil {
					return // killed
				}
				if count(name, 1) == 20 {
					close(enough)
				}
			}
		})
	}
	<-enough
	<-time.After(rand.N(20 * time.Millisecond)) // not always just after an answer
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	writers.Wait()
	p.Wait()
}
