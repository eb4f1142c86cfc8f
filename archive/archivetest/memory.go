package archivetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync"
	"time"

	"github.com/imadelakhaldev/coglex/archive"
)

// Memory returns a Store that keeps everything in memory, for tests of
// gateways. What an open reader reads is not touched by a Delete.
func Memory() archive.Store { return &memory{kept: map[string]object{}} }

type memory struct {
	mu   sync.RWMutex
	kept map[string]object // only ever replaced as a whole
}

type object struct {
	bytes    []byte
	modified time.Time
}

func (m *memory) Ready(context.Context) error { return nil }

func (m *memory) Create(ctx context.Context, key string, r io.Reader) error {
	if !archive.ValidKey(key) {
		return invalid(key)
	}
	b, err := io.ReadAll(untilDone{ctx, r})
	if err != nil {
		return fmt.Errorf("archivetest: reading what to keep: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.kept[key]; ok {
		return fmt.Errorf("archivetest: %s: %w", key, fs.ErrExist)
	}
	m.kept[key] = object{bytes: b, modified: time.Now()}
	return nil
}

func (m *memory) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	if !archive.ValidKey(key) {
		return nil, invalid(key)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.kept[key]
	if !ok {
		return nil, fmt.Errorf("archivetest: %s: %w", key, fs.ErrNotExist)
	}
	return &memoryReader{Reader: bytes.NewReader(o.bytes)}, nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	if partial := len(archive.PartialPrefix); len(key) > partial && key[:partial] == archive.PartialPrefix && archive.ValidKey(key[partial:]) {
		return nil // it never has any
	}
	if !archive.ValidKey(key) {
		return invalid(key)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, key)
	return nil
}

func (m *memory) List(ctx context.Context) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for _, e := range m.entries() {
			if err := ctx.Err(); err != nil {
				yield(archive.Entry{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memory) entries() []archive.Entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	entries := make([]archive.Entry, 0, len(m.kept))
	for key, o := range m.kept {
		entries = append(entries, archive.Entry{Key: key, Size: int64(len(o.bytes)), Modified: o.modified})
	}
	return entries
}

// memoryReader fails after Close, as an *os.File does.
type memoryReader struct {
	*bytes.Reader
	closed bool
}

func (r *memoryReader) Read(b []byte) (int, error) {
	if r.closed {
		return 0, fs.ErrClosed
	}
	return r.Reader.Read(b)
}

func (r *memoryReader) Close() error {
	if r.closed {
		return fs.ErrClosed
	}
	r.closed = true
	return nil
}

// untilDone reads from r until ctx ends.
type untilDone struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call
	r   io.Reader
}

func (u untilDone) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if u.ctx.Err() != nil {
		err = u.ctx.Err()
	}
	return n, err
}

func invalid(key string) error {
	return fmt.Errorf("archivetest: a key for bytes: %q: %w", key, fs.ErrInvalid)
}
