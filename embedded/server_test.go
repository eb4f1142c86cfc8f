package embedded_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/embedded"
)

// start runs a server over dir until the test ends.
func start(t testing.TB, dir string) *embedded.Server {
	t.Helper()
	s, err := embedded.StartWith(t.Context(), dir, &embedded.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// connect returns a client with a pool of the driver's default size, 100.
func connect(t testing.TB, s *embedded.Server) *mongo.Client {
	t.Helper()
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(s.URI()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client
}

// collection returns a collection of a server of the test's own.
func collection(t testing.TB) *mongo.Collection {
	t.Helper()
	return connect(t, start(t, t.TempDir())).Database("test").Collection("things")
}

func TestConcurrentUpdatesAllCount(t *testing.T) {
	t.Parallel()
	things := collection(t)
	if _, err := things.InsertOne(t.Context(), bson.M{"_id": "counter", "n": 0}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 400 {
		wg.Go(func() {
			if _, err := things.UpdateByID(t.Context(), "counter", bson.M{"$inc": bson.M{"n": 1}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var got struct{ N int }
	if err := things.FindOne(t.Context(), bson.M{"_id": "counter"}).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.N != 400 {
		t.Errorf("400 increments made %d", got.N)
	}
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
