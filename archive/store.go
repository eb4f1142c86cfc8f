package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"
)

// ErrNoSpace tells that a place for bytes is full, or that a quota or a limit
// of the operating system ends what may be written to it. A Store wraps it
// around what it was told.
var ErrNoSpace = errors.New("archive: no space left for bytes")

// PartialPrefix is how the keys begin under which a Store lists what is left of
// a Create that was cut short. What follows is the key that Create was given.
const PartialPrefix = "partial-"

// ValidKey reports whether key is one that the archive makes: 32 lower-case
// hexadecimal digits. It is for those who write a Store.
func ValidKey(key string) bool {
	for _, c := range []byte(key) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(key) == 32
}

// Store is a place for bytes. It knows nothing of names, types and owners:
// those are records in the database. Its keys are made by the archive: 128
// random bits as 32 lower-case hexadecimal digits. Any other key is refused
// with fs.ErrInvalid, except that Delete also takes the keys of partial entries.
//
// A Store is safe for concurrent use. Package archivetest holds the tests that
// every Store has to pass, and a Store in memory.
type Store interface {
	// Ready makes what the store needs (a folder, a bucket, indexes) and tells
	// whether the store can be used. It may be called any number of times:
	// the archive does so at Start and when it is asked whether it is ready.
	Ready(ctx context.Context) error

	// Create keeps what r yields until io.EOF under key, whole or not at all,
	// and returns once it is durable. Where the store is full the error is
	// ErrNoSpace; where the key exists, or another Create of it runs, it is
	// fs.ErrExist, and what is there stays. An error of r is returned, wrapped.
	// After an error, the end of ctx included, nothing is left, except where the
	// store cannot be reached any more: that, List tells of. r is not closed,
	// and not read after Create has returned.
	Create(ctx context.Context, key string, r io.Reader) error

	// Open returns the bytes of key, from the first one on, or fs.ErrNotExist.
	// ctx bounds the reading too. The reader is for one goroutine and has to be
	// closed. If key is deleted meanwhile, the reader either goes on to the end
	// or fails; it never yields other bytes.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)

	// Delete removes what List tells of under key. That there is none is no
	// error. To delete the partial entry of a Create that still runs makes that
	// Create fail, or comes too late and does nothing.
	Delete(ctx context.Context, key string) error

	// List yields all there is, in no particular order, and also what is left
	// of a Create that was cut short or still runs. What is created or deleted
	// meanwhile may be left out. It ends after an error. The loop may delete.
	List(ctx context.Context) iter.Seq2[Entry, error]
}

// Entry is one thing that a Store holds.
type Entry struct {
	// Key is what Delete takes. That of a partial entry is PartialPrefix and
	// the key that its Create was given.
	Key string

	// Size in bytes; of a partial entry as far as the store knows it.
	Size int64

	// Modified is when it was written last, as far as the store knows.
	Modified time.Time

	// Partial tells that this is what is left of a Create that was cut short,
	// or what a Create that still runs has written so far.
	Partial bool
}

// Linker is a Store that hands out addresses of its own, so that a client can
// fetch the bytes without going through the archive.
type Linker interface {
	Store

	// Link returns the address at which a GET yields the bytes of key. It does
	// not look whether they exist.
	Link(ctx context.Context, key string, l LinkRequest) (url string, err error)
}

// LinkRequest is what an address of a Linker is for.
type LinkRequest struct {
	// Expires is how long the address may be used, from now on.
	Expires time.Duration

	// Disposition is the Content-Disposition of the answer; empty leaves it
	// to the store.
	Disposition string

	// Type is the Content-Type of the answer; empty leaves it to the store.
	Type string
}

// invalidKey is the error of a key that no archive made.
func invalidKey(key string) error {
	return fmt.Errorf("archive: a key for bytes: %q: %w", key, fs.ErrInvalid)
}
