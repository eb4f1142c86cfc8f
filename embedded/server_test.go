package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.uber.org/goleak"

	"github.com/imadelakhaldev/coglex/embedded"
)

// TestMain fails when a goroutine is left after the last server has stopped.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// start runs a server over dir until the test ends.
func start(tb testing.TB, dir string) *embedded.Server {
	tb.Helper()
	s, err := embedded.StartWith(tb.Context(), dir, &embedded.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// connect returns a client with a pool of the driver's default size, 100.
func connect(tb testing.TB, s *embedded.Server, opts ...*options.ClientOptions) *mongo.Client {
	tb.Helper()
	opts = append(opts, options.Client().ApplyURI(s.URI()))
	client, err := mongo.Connect(tb.Context(), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	// The test's context has ended by then, so that a client whose server has stopped does not wait for it to come back.
	tb.Cleanup(func() {
		if err := client.Disconnect(tb.Context()); err != nil {
			tb.Error(err)
		}
	})
	return client
}

// collection returns a collection of a server of the test's own.
func collection(tb testing.TB) *mongo.Collection {
	tb.Helper()
	return connect(tb, start(tb, tb.TempDir())).Database("test").Collection("things")
}

func insert(tb testing.TB, c *mongo.Collection, docs ...any) {
	tb.Helper()
	if _, err := c.InsertMany(tb.Context(), docs); err != nil {
		tb.Fatal(err)
	}
}

func count(tb testing.TB, c *mongo.Collection, filter any) int64 {
	tb.Helper()
	n, err := c.CountDocuments(tb.Context(), filter)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestStartedServerAnswers(t *testing.T) {
	t.Parallel()
	if err := connect(t, start(t, t.TempDir())).Ping(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestStartContextBoundsTheStartOnly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := embedded.Start(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	cancel()
	if err := connect(t, s).Ping(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	if _, err := embedded.Start(ctx, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("start under an ended context: %v", err)
	}
}

func TestFolderIsMadeForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	start(t, dir)
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("mode %v", got)
	}
}

func TestFolderNamesThatFerretDBMisreads(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a?b", "a#b", "a%20b", "a*b", "a[b]"} {
		dir := name
		if name != "" {
			dir = filepath.Join(t.TempDir(), name)
		}
		if s, err := embedded.Start(t.Context(), dir); err == nil {
			t.Errorf("%q was taken", name)
			s.Stop(context.Background())
		}
	}
}

func TestFolderWithALongName(t *testing.T) {
	t.Parallel()
	start(t, filepath.Join(t.TempDir(), strings.Repeat("long", 50))) // longer than the path of a socket may be
}

func TestFolderServesOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	if _, err := embedded.Start(t.Context(), dir); !errors.Is(err, embedded.ErrInUse) {
		t.Fatalf("second start: %v, want ErrInUse", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	addr := s.URI()[len("mongodb://") : len(s.URI())-1]
	dir := t.TempDir()
	if _, err := embedded.StartWith(t.Context(), dir, &embedded.Options{Addr: addr}); err == nil {
		t.Fatal("started on an address that is taken")
	}
	start(t, dir) // the failure freed the folder
}

func TestRestartKeepsDocumentsAndIndexes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	things := connect(t, s).Database("test").Collection("things")
	unique(t, things, "e")
	insert(t, things, bson.M{"_id": "a", "e": 1})
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	things = connect(t, start(t, dir)).Database("test").Collection("things")
	if n := count(t, things, bson.M{"_id": "a"}); n != 1 {
		t.Errorf("%d documents after a restart", n)
	}
	if _, err := things.InsertOne(t.Context(), bson.M{"e": 1}); !mongo.IsDuplicateKeyError(err) {
		t.Errorf("a duplicate after a restart: %v", err)
	}
}

func TestEverythingStaysInTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	insert(t, connect(t, s).Database("test").Collection("things"), bson.M{})
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, d.Name())
		}
		return err
	})
	if err != nil || len(names) != 2 || names[0] != "coglexdb.lock" || names[1] != "test.sqlite" {
		t.Errorf("files after the end: %q, %v", names, err)
	}
}

func TestSeveralServersAtOnce(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			things := collection(t)
			if _, err := things.InsertOne(t.Context(), bson.M{"_id": i}); err != nil {
				t.Error(err)
			}
			if n, err := things.CountDocuments(t.Context(), bson.M{}); n != 1 || err != nil {
				t.Errorf("server %d has %d documents, %v", i, n, err)
			}
		})
	}
	wg.Wait()
}

func TestStopMayBeCalledAgain(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := s.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestStopAnswersWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	impatient := options.Client().SetServerSelectionTimeout(100 * time.Millisecond)
	things := connect(t, s, impatient).Database("test").Collection("things")
	insert(t, things, bson.M{"_id": "first"})

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var acknowledged sync.Map
	var writers, started sync.WaitGroup
	started.Add(20)
	for w := range 20 {
		writers.Go(func() {
			for i := 0; ; i++ {
				id := w*1_000_000 + i
				if _, err := things.InsertOne(ctx, bson.M{"_id": id}); err != nil {
					return // the server is gone
				}
				acknowledged.Store(id, true)
				if i == 0 {
					started.Done()
				}
			}
		})
	}
	started.Wait()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	writers.Wait()

	things = connect(t, start(t, dir)).Database("test").Collection("things")
	acknowledged.Range(func(id, _ any) bool {
		if n := count(t, things, bson.M{"_id": id}); n != 1 {
			t.Errorf("document %v was acknowledged and is lost", id)
		}
		return true
	})
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLogsTellNothingOfCommands(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	handler := slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})
	s, err := embedded.StartWith(t.Context(), t.TempDir(), &embedded.Options{Logger: slog.New(handler)})
	if err != nil {
		t.Fatal(err)
	}
	things := connect(t, s).Database("test").Collection("things")
	insert(t, things, bson.M{"_id": "hush-hush"})
	if _, err := things.InsertOne(t.Context(), bson.M{"_id": "hush-hush"}); err == nil {
		t.Error("a duplicate went in")
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(logs.Bytes(), []byte("hush")) {
		t.Errorf("the log: %s", &logs)
	}
}
