package archive

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrNoSpace tells that a place for bytes is full, or that a quota or a limit
// of the operating system ends what may be written to it. A Store wraps it
// around what it was told.
var ErrNoSpace = errors.New("archive: no space left for bytes")

// Store is a place for bytes. It knows nothing of names, types and owners:
// those are records in the database. Its keys are made by the archive: 32
// lower-case hexadecimal digits, 128 random bits. A Store refuses any other
// key with an error, except that Delete also takes the keys List tells of.
//
// A Store is safe for concurrent use. Package archivetest holds the tests
// every Store has to pass, and a Store in memory.
type Store interface {
	// Ready makes what the store needs (a folder, a bucket, indexes) and tells
	// whether the store can be used. It may be called any number of times:
	// the archive does so at Start and when it is asked whether it is ready.
	Ready(ctx context.Context) error

	// Create keeps what r yields until io.EOF under key, whole or not at all,
	// and returns once it is durable. Where the store is full the error is
	// ErrNoSpace, where the key exists fs.ErrExist and what was there stays;
	// of several at once with one key, one wins. An error of r is returned,
	// wrapped, and an error of r or an end of ctx leaves nothing that Open
	// finds. r is read by the calling goroutine only or not after Create has
	// returned, and is not closed.
	Create(ctx context.Context, key string, r io.Reader) error

	// Open returns the bytes of key, from the first one on, or fs.ErrNotExist.
	// ctx bounds the reading too. The reader is for one goroutine and has to
	// be closed. A Delete while it is open either lets it read to the end or
	// makes it fail; it never yields other bytes.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)

	// Delete removes key, and what is left of a Create that was cut short.
	// That there is none is no error.
	Delete(ctx context.Context, key string) error

	// List yields all there is, in no particular order, and also what is left
	// of a Create that was cut short or still runs. What is created or deleted
	// meanwhile may be left out or be there. It ends after the first error.
	List(ctx context.Context) iter.Seq2[Entry, error]
}

// Entry is one thing that a Store holds.
type Entry struct {
	// Key is what Delete takes. That of a partial entry is "partial-" and
	// what the store needs to find it again; Create and Open refuse it.
	Key string

	// Size in bytes; of a partial entry as far as the store knows it.
	Size int64

	// Modified is when the last byte was written, as well as the store knows.
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
