package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/signals"
)

// PutOptions are the optional settings of [Service.Put].
type PutOptions struct {
	// Collection is the name space of the file. Defaults to "", the default one.
	Collection string
	// Metadata is what is to be known of the file, anything that has a BSON form of
	// a document. Defaults to none.
	Metadata any
	// MaxBytes is how large the file may be, 0 for any size. Defaults to 0.
	MaxBytes int64
}

// Put keeps what r yields until io.EOF under a name for people: see [CleanName]. It
// streams, so a file may be of any size. Interceptors of [Uploading] are asked and
// may refuse. When it returns, the file is durable, and [Uploaded] was published.
//
// The errors are those of r, wrapped; *OptionError, ErrTooLarge, ErrNoSpace; refusals
// as they are; those of the store and the driver. No file is there then; only where
// the database broke off in the middle of the record, nobody can tell, and the file
// is there whole or not at all.
func (s *Service) Put(ctx context.Context, name string, r io.Reader, opts *PutOptions) (File, error) {
	if opts == nil {
		opts = &PutOptions{}
	}
	if opts.Collection != "" && !isSpace(opts.Collection) {
		return File{}, &OptionError{Field: "Collection", Reason: spaceRule}
	}
	if opts.MaxBytes < 0 {
		return File{}, &OptionError{Field: "MaxBytes", Reason: "must not be negative"}
	}
	metadata := emptyDocument()
	if opts.Metadata != nil {
		raw, err := bson.Marshal(opts.Metadata)
		if err != nil {
			return File{}, fmt.Errorf("archive: Metadata: %w", err)
		}
		metadata = raw
	}
	kept, err := s.keep(ctx, upload{space: opts.Collection, name: name, limit: opts.MaxBytes, declared: -1, metadata: metadata}, r)
	if err != nil {
		return File{}, err
	}
	kept.Metadata = metadata
	return s.enter(ctx, kept)
}

// upload is a file that is about to be kept.
type upload struct {
	space, name string
	limit       int64 // 0 is none
	types       [][]string
	declared    int64
	metadata    bson.Raw // nil where it is not known yet
}

// keep keeps the bytes of a file, and returns the record that is to be made of it.
// Until then the file does not exist: who gives up calls drop.
func (s *Service) keep(ctx context.Context, u upload, r io.Reader) (record, error) {
	rec := record{ID: s.opts.NewID(), Name: CleanName(u.name), Space: u.space, Key: newKey()}
	if !isID(rec.ID) {
		return record{}, errors.New("archive: Options.NewID made what is no id")
	}
	head := make([]byte, headBytes)
	n, err := fill(r, head)
	if err != nil && !errors.Is(err, io.EOF) {
		return record{}, wrap("reading the file", err)
	}
	head = head[:n:n]
	if u.limit > 0 && int64(n) > u.limit {
		return record{}, ErrTooLarge
	}
	source := io.Reader(bytes.NewReader(head))
	if err == nil {
		source = io.MultiReader(source, r)
	}
	rec.Type = kindOf(head, rec.Name)
	for _, types := range u.types {
		if !allowed(types, rec.Type) {
			return record{}, &TypeError{Type: rec.Type}
		}
	}
	asked := &Uploading{
		Collection: u.space, Name: rec.Name, Type: rec.Type, Head: head, Declared: u.declared, Metadata: u.metadata,
	}
	if err := signals.Ask(ctx, s.bus(), asked); err != nil {
		return record{}, err
	}
	if rec.stamp, err = marshalStamp(asked.Stamp); err != nil {
		return record{}, err
	}
	measured := &meter{r: source, limit: u.limit, hash: sha256.New()}
	if err := s.store.Create(ctx, rec.Key, measured); err != nil {
		return record{}, wrap("keeping the bytes", err)
	}
	rec.Inserted = s.now() // of the bytes, until there is a record
	rec.Size, rec.SHA256 = measured.size, hex.EncodeToString(measured.hash.Sum(nil))
	return rec, nil
}

// enter makes the record of kept bytes, by which the file begins to exist. Where
// that fails the bytes are deleted again; where nobody can tell whether it failed
// they stay, for the record may be there, and else the sweep finds them.
func (s *Service) enter(ctx context.Context, rec record) (File, error) {
	rec.Inserted = s.now()
	rec.Metadata = stamped(rec.Metadata, rec.stamp)
	if err := s.insert(ctx, rec); err != nil {
		if unwritten(err) {
			s.drop(ctx, rec.Key)
		}
		return File{}, err
	}
	signals.Announce(ctx, s.bus(), Uploaded{File: rec.file()})
	return rec.file(), nil
}

// drop deletes bytes without a record. What it cannot delete is left to the sweep.
func (s *Service) drop(ctx context.Context, key string) {
	ctx, cancel := detached(ctx, cleanupTime)
	defer cancel()
	if err := s.store.Delete(ctx, key); err != nil {
		s.logger().LogAttrs(ctx, slog.LevelWarn, "archive: bytes are left to the sweep", slog.Any("error", err))
	}
}

// newKey returns 128 random bits.
func newKey() string {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails, by its documentation
	return hex.EncodeToString(key[:])
}

// meter hashes and counts what is read, and ends with ErrTooLarge beyond a limit.
type meter struct {
	r     io.Reader
	limit int64 // 0 is none
	size  int64
	hash  hash.Hash
}

// Read reads on.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.size += int64(n)
	if m.limit > 0 && m.size > m.limit {
		return 0, ErrTooLarge
	}
	m.hash.Write(p[:n])
	return n, err
}

// fill reads until p is full or r has an error, and returns that as it is: unlike
// [io.ReadFull] it does not make a short end of what is one, or the other way round.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}
