package archivetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"testing/iotest"

	"github.com/imadelakhaldev/coglex/archive"
)

func testReady(t *testing.T, store archive.Store) {
	b := sample(100)
	key := keep(t, store, b)
	if err := store.Ready(t.Context()); err != nil {
		t.Fatalf("Ready once more: %v", err)
	}
	holds(t, store, key, b)
}

func testSizes(t *testing.T, store archive.Store) {
	const gridFS, s3 = 255 << 10, 5 << 20 // what a chunk and a part hold
	sizes := []int{
		0, 1, 2, 4095, 4096, 4097, gridFS - 1, gridFS, gridFS + 1, 4*gridFS - 1, 4 * gridFS, 4*gridFS + 1,
		1<<20 - 1, 1 << 20, 1<<20 + 1, s3 - 1, s3, s3 + 1,
	}
	for _, size := range sizes {
		b := sample(size)
		key := keep(t, store, b)
		holds(t, store, key, b)
		if got := list(t, store)[key].Size; got != int64(size) {
			t.Errorf("%d bytes are listed as %d", size, got)
		}
		if err := store.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	empty(t, store)
}

func testBig(t *testing.T, store archive.Store) {
	b := sample(20<<20 + 7)
	holds(t, store, keep(t, store, b), b)
}

func testSmallSteps(t *testing.T, store archive.Store) {
	b := sample(3000)
	for name, r := range map[string]io.Reader{
		"one byte at a time":     iotest.OneByteReader(bytes.NewReader(b)),
		"the end with the bytes": iotest.DataErrReader(bytes.NewReader(b)),
		"half of what is wanted": iotest.HalfReader(bytes.NewReader(b)),
	} {
		key := Key()
		if err := store.Create(t.Context(), key, r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		holds(t, store, key, b)
	}
}

func testExists(t *testing.T, store archive.Store) {
	for _, size := range []int{0, 100, 6 << 20} {
		was := sample(size)
		key := keep(t, store, was)
		for _, other := range []int{0, 10, 7 << 20} {
			err := store.Create(t.Context(), key, bytes.NewReader(sample(other)))
			if !errors.Is(err, fs.ErrExist) {
				t.Errorf("%d bytes over %d: %v, want fs.ErrExist", other, size, err)
			}
		}
		holds(t, store, key, was)
	}
	if n := len(list(t, store)); n != 3 {
		t.Errorf("%d entries for 3 keys", n)
	}
}

func testRace(t *testing.T, store archive.Store) {
	const rivals = 8
	key := Key()
	samples := make([][]byte, rivals)
	results := make([]<-chan error, rivals)
	gate := make(chan struct{})
	for i := range rivals {
		samples[i] = sample(300<<10 + i)
		results[i] = start(t.Context(), store, key, hooked{bytes.NewReader(samples[i]), func() error { <-gate; return nil }})
	}
	close(gate)
	winner := -1
	for i, done := range results {
		switch err := <-done; {
		case err == nil && winner >= 0:
			t.Error("two have created one key")
		case err == nil:
			winner = i
		case !errors.Is(err, fs.ErrExist):
			t.Errorf("a rival: %v, want fs.ErrExist", err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody has created the key")
	}
	holds(t, store, key, samples[winner])
	if entries := list(t, store); len(entries) != 1 {
		t.Errorf("listed: %v, want one", entries)
	}
}

func testEight(t *testing.T, store archive.Store) {
	kept := map[string][]byte{}
	results := map[string]<-chan error{}
	for i := range 8 {
		key := Key()
		kept[key] = sample(1<<20 + i)
		results[key] = start(t.Context(), store, key, bytes.NewReader(kept[key]))
	}
	for key, done := range results {
		if err := <-done; err != nil {
			t.Errorf("Create: %v", err)
			continue
		}
		holds(t, store, key, kept[key])
	}
}

func testReaderFails(t *testing.T, store archive.Store) {
	for failure, sizes := range map[error][]int{
		io.ErrUnexpectedEOF:               {0, 1, 300 << 10, 1 << 20, 6 << 20},
		fmt.Errorf("cut off: %w", io.EOF): {0, 1, 300 << 10},
		errors.New("hung up"):             {0, 6 << 20},
		archive.ErrNoSpace:                {300 << 10},
	} {
		for _, size := range sizes {
			key := Key()
			err := store.Create(t.Context(), key, upTo(sample(size), func() error { return failure }))
			if !errors.Is(err, failure) {
				t.Errorf("after %d bytes: %v, want %q", size, err, failure)
			}
			absent(t, store, key)
		}
	}
	empty(t, store)
}

func testContextEnds(t *testing.T, store archive.Store) {
	for _, size := range []int{0, 300 << 10, 6 << 20} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		key := Key()
		// The reader goes on: it is the Store that has to stop.
		r := io.MultiReader(bytes.NewReader(sample(size)), hooked{io.LimitReader(endless{}, 64<<20), func() error { cancel(); return nil }})
		if err := store.Create(ctx, key, r); !errors.Is(err, context.Canceled) {
			t.Errorf("after %d bytes: %v, want context.Canceled", size, err)
		}
		absent(t, store, key)
	}
	empty(t, store)
}

func testContextEnded(t *testing.T, store archive.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	key := Key()
	if err := store.Create(ctx, key, bytes.NewReader(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("Create: %v, want context.Canceled", err)
	}
	absent(t, store, key)
	empty(t, store)
	for _, err := range store.List(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("List: %v, want context.Canceled", err)
		}
	}
}
