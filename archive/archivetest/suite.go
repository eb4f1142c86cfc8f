package archivetest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imadelakhaldev/coglex/archive"
)

// TestStore tests that a Store keeps the promises of [archive.Store]. It runs
// sub-tests, several at once, and calls newStore for each: that returns an
// empty Store, on which Ready has not been called, and cleans up with t.
func TestStore(t *testing.T, newStore func(t *testing.T) archive.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, archive.Store){
		"ready twice":                            testReady,
		"sizes":                                  testSizes,
		"a big one":                              testBig,
		"small steps":                            testSmallSteps,
		"seeking and reading":                    testSeek,
		"reading after the end":                  testEnd,
		"a closed reader":                        testClosed,
		"what is missing":                        testMissing,
		"keys that are not ours":                 testKeys,
		"a key that exists":                      testExists,
		"at once with one key":                   testRace,
		"eight at once":                          testEight,
		"a reader that fails":                    testReaderFails,
		"a context that ends":                    testContextEnds,
		"a context that has ended":               testContextEnded,
		"deleting while it is read":              testDeleteOpen,
		"a key used again":                       testAgain,
		"listing":                                testList,
		"listing that is broken off":             testListBreak,
		"deleting while listing":                 testListDelete,
		"deleting what is not finished":          testDeletePartial,
		"what is not finished is not seen whole": testUnfinished,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			if err := store.Ready(t.Context()); err != nil {
				t.Fatalf("Ready: %v", err)
			}
			test(t, store)
		})
	}
}

// Key returns a new key, as the archive makes them.
func Key() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return hex.EncodeToString(b[:])
}

// sample returns n bytes that differ from one another and from call to call.
func sample(n int) []byte {
	var seed [32]byte
	copy(seed[:], Key())
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b) // it never fails
	return b
}

// keep creates a key with these bytes.
func keep(t *testing.T, store archive.Store, b []byte) (key string) {
	t.Helper()
	key = Key()
	if err := store.Create(t.Context(), key, bytes.NewReader(b)); err != nil {
		t.Fatalf("Create of %d bytes: %v", len(b), err)
	}
	return key
}

// open opens a key that has to be there.
func open(t *testing.T, store archive.Store, key string) io.ReadSeekCloser {
	t.Helper()
	r, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// holds checks the bytes of a key.
func holds(t *testing.T, store archive.Store, key string, want []byte) {
	t.Helper()
	r := open(t, store, key)
	got, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("reading: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("read %d bytes that are not the %d that were kept", len(got), len(want))
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// absent checks that a key cannot be opened.
func absent(t *testing.T, store archive.Store, key string) {
	t.Helper()
	r, err := store.Open(t.Context(), key)
	if err == nil {
		_ = r.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of what is not there: %v, want fs.ErrNotExist", err)
	}
}

// list returns all entries by their keys.
func list(t *testing.T, store archive.Store) map[string]archive.Entry {
	t.Helper()
	entries := map[string]archive.Entry{}
	for e, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if _, twice := entries[e.Key]; twice {
			t.Errorf("List yields %s twice", e.Key)
		}
		if e.Partial != strings.HasPrefix(e.Key, archive.PartialPrefix) {
			t.Errorf("the entry %+v: its key does not tell whether it is partial", e)
		}
		entries[e.Key] = e
	}
	return entries
}

// empty checks that nothing is left, not even in part.
func empty(t *testing.T, store archive.Store) {
	t.Helper()
	if entries := list(t, store); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// hooked calls before each time it is read from.
type hooked struct {
	io.Reader
	before func() error
}

func (h hooked) Read(b []byte) (int, error) {
	if err := h.before(); err != nil {
		return 0, err
	}
	return h.Reader.Read(b)
}

// endless yields bytes for ever, 64 KiB at a time.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return min(len(b), 64<<10), nil }

// upTo yields b and calls then instead of telling the end.
func upTo(b []byte, then func() error) io.Reader {
	return io.MultiReader(bytes.NewReader(b), hooked{bytes.NewReader(nil), then})
}

// start runs Create in the background.
func start(ctx context.Context, store archive.Store, key string, r io.Reader) <-chan error {
	done := make(chan error, 1)
	go func() { done <- store.Create(ctx, key, r) }()
	return done
}
