package archivetest

import (
	"bytes"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/archive"
)

func testList(t *testing.T, store archive.Store) {
	empty(t, store)
	before := time.Now()
	want := map[string]int{}
	for i := range 30 {
		want[keep(t, store, sample(i*i))] = i * i
	}
	got := list(t, store)
	for key, size := range want {
		e, ok := got[key]
		if !ok {
			t.Errorf("%s is not listed", key)
			continue
		}
		if e.Size != int64(size) || e.Partial {
			t.Errorf("listed: %+v, want %d bytes, whole", e, size)
		}
		// Stores have clocks of their own, some with seconds.
		if off := e.Modified.Sub(before); off < -time.Minute || off > 10*time.Minute {
			t.Errorf("modified %v, which is %v off", e.Modified, off)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
}

func testListBreak(t *testing.T, store archive.Store) {
	for range 5 {
		keep(t, store, sample(3))
	}
	seen := 0
	for _, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("%d entries before the break, want 2", seen)
	}
}

func testListDelete(t *testing.T, store archive.Store) {
	for range 20 {
		keep(t, store, sample(3))
	}
	for e, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if err := store.Delete(t.Context(), e.Key); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	empty(t, store)
}

// pause is a Create that waits after some bytes until go is closed.
type pause struct {
	key           string
	bytes         []byte
	reached, goOn chan struct{}
	done          <-chan error
}

func paused(t *testing.T, store archive.Store, size int) pause {
	t.Helper()
	p := pause{key: Key(), bytes: sample(size), reached: make(chan struct{}), goOn: make(chan struct{})}
	p.done = start(t.Context(), store, p.key, upTo(p.bytes, func() error {
		close(p.reached)
		<-p.goOn
		return nil
	}))
	select {
	case <-p.reached:
	case err := <-p.done:
		t.Fatalf("Create ended before its reader did: %v", err)
	}
	return p
}

func testUnfinished(t *testing.T, store archive.Store) {
	for _, size := range []int{0, 100, 11 << 20} {
		p := paused(t, store, size)
		absent(t, store, p.key)
		if _, whole := list(t, store)[p.key]; whole {
			t.Errorf("%d bytes without an end are listed as whole", size)
		}
		// That is another key: it removes what is whole, and nothing is.
		if err := store.Delete(t.Context(), p.key); err != nil {
			t.Errorf("Delete: %v", err)
		}
		close(p.goOn)
		if err := <-p.done; err != nil {
			t.Fatalf("Create: %v", err)
		}
		holds(t, store, p.key, p.bytes)
		for key := range list(t, store) {
			if key == archive.PartialPrefix+p.key {
				t.Error("what is whole is listed as partial too")
			}
		}
	}
}

func testDeletePartial(t *testing.T, store archive.Store) {
	for _, size := range []int{0, 100, 11 << 20} {
		p := paused(t, store, size)
		partial := archive.PartialPrefix + p.key
		_, listed := list(t, store)[partial]
		if err := store.Delete(t.Context(), partial); err != nil {
			t.Errorf("Delete: %v", err)
		}
		if _, still := list(t, store)[partial]; still && listed {
			t.Error("what was deleted is still listed")
		}
		close(p.goOn)
		if err := <-p.done; err != nil {
			absent(t, store, p.key)
			continue
		}
		holds(t, store, p.key, p.bytes)
		if err := store.Delete(t.Context(), p.key); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	empty(t, store)

	// Too late: it is whole.
	b := sample(600 << 10)
	key := Key()
	if err := store.Create(t.Context(), key, bytes.NewReader(b)); err != nil {
		t.Fatalf("Create: %v", err)
	}
	if err := store.Delete(t.Context(), archive.PartialPrefix+key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Delete: %v", err)
	}
	holds(t, store, key, b)
}
