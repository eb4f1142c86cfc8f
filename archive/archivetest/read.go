package archivetest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/imadelakhaldev/coglex/archive"
)

// testSeek does the same to a reader and to a bytes.Reader, and compares.
func testSeek(t *testing.T, store archive.Store) {
	for _, size := range []int{0, 1, 1000, 255 << 10, 1<<20 + 17} {
		b := sample(size)
		got, want := open(t, store, keep(t, store, b)), bytes.NewReader(b)
		for range 60 {
			same(t, got, want, size)
		}
	}
}

// same takes one random step with both.
func same(t *testing.T, got, want io.ReadSeeker, size int) {
	t.Helper()
	whence, offset := rand.IntN(3), rand.Int64N(int64(2*size+3))-int64(size)
	wantAt, wantErr := want.Seek(offset, whence)
	at, err := got.Seek(offset, whence)
	if (err == nil) != (wantErr == nil) || (err == nil && at != wantAt) {
		t.Fatalf("Seek(%d, %d) of %d bytes: %d, %v, want %d, %v", offset, whence, size, at, err, wantAt, wantErr)
	}
	length := rand.IntN(size + 2)
	if rand.IntN(2) == 0 {
		length = min(length, 100)
	}
	wantBytes, wantErr := io.ReadAll(io.LimitReader(want, int64(length)))
	gotBytes, err := io.ReadAll(io.LimitReader(got, int64(length)))
	if err != nil || wantErr != nil || !bytes.Equal(gotBytes, wantBytes) {
		t.Fatalf("%d bytes after Seek(%d, %d) of %d: %d bytes, %v, want %d", length, offset, whence, size, len(gotBytes), err, len(wantBytes))
	}
}

func testEnd(t *testing.T, store archive.Store) {
	r := open(t, store, keep(t, store, sample(10)))
	for _, offset := range []int64{10, 11, 1 << 40} {
		if at, err := r.Seek(offset, io.SeekStart); at != offset || err != nil {
			t.Errorf("Seek to %d: %d, %v", offset, at, err)
		}
		for range 2 {
			if n, err := r.Read(make([]byte, 5)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("reading at %d of 10: %d, %v, want io.EOF", offset, n, err)
			}
		}
	}
	if size, err := r.Seek(0, io.SeekEnd); size != 10 || err != nil {
		t.Errorf("the size by seeking: %d, %v", size, err)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("there is nothing before the first byte")
	}
}

func testClosed(t *testing.T, store archive.Store) {
	r := open(t, store, keep(t, store, sample(10)))
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if n, err := r.Read(make([]byte, 5)); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reading what is closed: %d, %v", n, err)
	}
}

func testMissing(t *testing.T, store archive.Store) {
	key := Key()
	absent(t, store, key)
	for _, k := range []string{key, archive.PartialPrefix + key} {
		if err := store.Delete(t.Context(), k); err != nil {
			t.Errorf("Delete of what was never there: %v", err)
		}
	}
	key = keep(t, store, sample(10))
	for range 2 {
		if err := store.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete: %v", err)
		}
		absent(t, store, key)
	}
	empty(t, store)
}

func testKeys(t *testing.T, store archive.Store) {
	b := sample(10)
	key := keep(t, store, b)
	for _, bad := range []string{
		"", ".", "..", "/", "x", "../" + key, "../../etc/passwd", "/etc/passwd", `..\` + key, `C:\` + key, "%2e%2e%2f" + key,
		key + "/", key + "/..", key[:31], key + "0", key[:31] + "G", key[:31] + "A", key[:31] + "/", key[:31] + ".", key[:31] + "\x00",
		key + "\x00", " " + key, key[:30] + "é", "partial/" + key, "-" + key[1:], "partial-", "partial-..", "partial-../" + key, "partial-partial-" + key,
		"partial-" + key + "/..", `{"$ne":1}`, "$where",
	} {
		if err := store.Create(t.Context(), bad, bytes.NewReader(nil)); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Create of %q: %v, want fs.ErrInvalid", bad, err)
		}
		if _, err := store.Open(t.Context(), bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Open of %q: %v, want fs.ErrInvalid", bad, err)
		}
		if err := store.Delete(t.Context(), bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Delete of %q: %v, want fs.ErrInvalid", bad, err)
		}
	}
	partial := archive.PartialPrefix + Key()
	if err := store.Create(t.Context(), partial, bytes.NewReader(nil)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Create of a partial one: %v, want fs.ErrInvalid", err)
	}
	if _, err := store.Open(t.Context(), partial); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Open of a partial one: %v, want fs.ErrInvalid", err)
	}
	holds(t, store, key, b)
	if n := len(list(t, store)); n != 1 {
		t.Errorf("%d entries for one key", n)
	}
}

func testDeleteOpen(t *testing.T, store archive.Store) {
	b := sample(2 << 20)
	key := keep(t, store, b)
	r := open(t, store, key)
	first := make([]byte, 1000)
	if _, err := io.ReadFull(r, first); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	absent(t, store, key)
	rest, err := io.ReadAll(r)
	read := append(first, rest...)
	if !bytes.HasPrefix(b, read) {
		t.Error("the reader yielded other bytes")
	}
	if err == nil && len(read) != len(b) {
		t.Errorf("the reader ended after %d of %d bytes as if that were all", len(read), len(b))
	}
}

func testAgain(t *testing.T, store archive.Store) {
	key := Key()
	for _, size := range []int{600 << 10, 10, 0, 6 << 20, 300 << 10} {
		b := sample(size)
		if err := store.Create(t.Context(), key, bytes.NewReader(b)); err != nil {
			t.Fatalf("Create after a Delete: %v", err)
		}
		holds(t, store, key, b)
		if err := store.Delete(t.Context(), key); err != nil {
			t.Fatalf("Delete: %v", err)
		}
	}
	empty(t, store)
}
