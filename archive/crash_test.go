package archive_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// The child of the crash test finds here where it works.
const (
	envURI      = "ARCHIVE_CHILD_URI"
	envDatabase = "ARCHIVE_CHILD_DATABASE"
	envFolder   = "ARCHIVE_CHILD_FOLDER"
)

// TestAKillAtAnyInstant kills a process that uploads and deletes, again and again at
// a moment that nobody chose. What it has acknowledged must be there afterwards, to
// the last bit, and after a sweep nothing else.
func TestAKillAtAnyInstant(t *testing.T) {
	t.Parallel()
	db, folder := dbtest.Database(t), t.TempDir()
	whole, doubtful := map[string]string{}, map[string]bool{} // ids, with the hash of what is acknowledged
	gone := map[string]bool{}
	for operations, round := 0, 0; operations < 200; round++ {
		operations += runChild(t, db.Name(), folder, whole, doubtful, gone)
		if round > 200 {
			t.Fatal("the child does nothing")
		}
	}
	files, err := archive.New(db, archive.Disk(folder), nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := files.Sweep(t.Context(), &archive.SweepOptions{Grace: -1})
	if err != nil || report.Missing > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	all, err := files.List(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	for _, err := range archive.Disk(folder).List(t.Context()) {
		if entries++; err != nil {
			t.Fatal(err)
		}
	}
	if entries != len(all) || report.Files != len(all) {
		t.Errorf("%d records, %d files, %+v", len(all), entries, report)
	}
	for _, f := range all {
		// Whole, whether or not the child lived to say so.
		d, err := files.Open(t.Context(), f.ID)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(d)
		_ = d.Close()
		if err != nil || sum(string(content)) != f.SHA256 {
			t.Errorf("%s is not whole: %v", f.ID, err)
		}
		if want, ok := whole[f.ID]; ok && want != f.SHA256 {
			t.Errorf("%s is another", f.ID)
		}
		if gone[f.ID] {
			t.Errorf("%s was deleted, and is there", f.ID)
		}
		delete(whole, f.ID)
	}
	for id := range whole {
		if !doubtful[id] {
			t.Errorf("%s is lost", id)
		}
	}
}

// runChild starts the child, kills it after some of its words, and notes what it
// said. It returns how many operations were acknowledged.
func runChild(t *testing.T, database, folder string, whole map[string]string, doubtful, gone map[string]bool) (operations int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envURI+"="+dbtest.URI(t), envDatabase+"="+database, envFolder+"="+folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	words := 5 + rand.IntN(40)
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == words {
			// In the middle of what comes next.
			timer := time.AfterFunc(time.Duration(rand.IntN(8000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		}
		what, rest, _ := strings.Cut(lines.Text(), " ")
		id, hash, _ := strings.Cut(rest, " ")
		switch what {
		case "put":
			whole[id] = hash
			operations++
		case "deleting": // from now on it may be there or not
			doubtful[id] = true
		case "deleted":
			if _, ok := whole[id]; !ok {
				t.Errorf("%s was never there", id)
			}
			delete(whole, id)
			gone[id] = true
			operations++
		default:
			t.Errorf("the child says %q", lines.Text())
		}
	}
	_ = cmd.Wait() // it was killed
	return operations
}

// beChild uploads and deletes until it is killed.
func beChild(ctx context.Context) error {
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(os.Getenv(envURI)))
	if err != nil {
		return err
	}
	files, err := archive.New(client.Database(os.Getenv(envDatabase)), archive.Disk(os.Getenv(envFolder)), &archive.Options{SweepEvery: -1})
	if err != nil {
		return err
	}
	if err := files.Start(ctx); err != nil {
		return err
	}
	for {
		content := strings.Repeat(fmt.Sprint(rand.Int64()), 1+rand.IntN(20_000))
		f, err := files.Put(ctx, "same.txt", strings.NewReader(content), nil)
		if err != nil {
			return err
		}
		fmt.Println("put", f.ID, sum(content))
		if rand.IntN(3) > 0 {
			continue
		}
		fmt.Println("deleting", f.ID)
		if err := files.Delete(ctx, f.ID); err != nil {
			return err
		}
		fmt.Println("deleted", f.ID)
	}
}
