package dbtest

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// EnvURI names the variable with the server to test against.
const EnvURI = "COGLEX_TEST_MONGODB_URI"

// Database returns an empty database that is dropped when the test ends.
func Database(tb testing.TB) *mongo.Database {
	tb.Helper()
	return Connect(tb, URI(tb)).Database(Name())
}

// URI returns the address of the server that all tests of this process share.
func URI(tb testing.TB) string {
	tb.Helper()
	if uri := os.Getenv(EnvURI); uri != "" {
		return uri
	}
	server, err := shared()
	if err != nil {
		fatal(tb, err)
	}
	return server.URI()
}

// IsEmbedded reports whether tests run on the embedded server, which lacks some
// features.
func IsEmbedded() bool { return os.Getenv(EnvURI) == "" }

// Name returns a fresh name for a database.
func Name() string { return "test_" + strings.ToLower(rand.Text())[:16] }

// Connect returns a client that is disconnected when the test ends, after its
// databases were dropped. It gives up on a server that is away after two seconds,
// unless the URI says otherwise (?serverSelectionTimeoutMS=200).
func Connect(tb testing.TB, uri string) *Client {
	tb.Helper()
	opts := options.Client().SetServerSelectionTimeout(2 * time.Second).ApplyURI(uri)
	client, err := mongo.Connect(context.Background(), opts)
	if err != nil {
		tb.Fatalf("dbtest: connecting: %v", err)
	}
	c := &Client{Client: client}
	tb.Cleanup(c.close)
	return c
}

// Client is a driver's client that drops what it used.
type Client struct {
	*mongo.Client

	mu    sync.Mutex
	names []string
}

// Database returns a database that is dropped when the test ends.
func (c *Client) Database(name string) *mongo.Database {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, name)
	return c.Client.Database(name)
}

func (c *Client) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.names {
		// A server that the test stopped keeps nothing that matters.
		_ = c.Client.Database(name).Drop(ctx)
	}
	_ = c.Disconnect(ctx)
}
