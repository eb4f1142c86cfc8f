package archivetest

import (
	"context"
	"fmt"
	"io"

	"github.com/imadelakhaldev/coglex/archive"
)

// Faults are what goes wrong in a Store made by [Faulty]. The zero value is a
// Store in which nothing does.
type Faults struct {
	// Space is how many bytes each Create takes before the place is full and
	// it fails with archive.ErrNoSpace; 0 is any number.
	Space int64

	// Created is called when a Create has kept its bytes and before it
	// returns, which is the instant between bytes and record. An error of it
	// is that of Create; the bytes stay.
	Created func(ctx context.Context, key string) error

	// Opening and Deleting are called before an Open and a Delete, which fail
	// with their errors.
	Opening, Deleting func(ctx context.Context, key string) error
}

// Faulty returns store with faults. It is no archive.Linker, even if store is.
func Faulty(store archive.Store, faults Faults) archive.Store {
	return faulty{Store: store, faults: faults}
}

type faulty struct {
	archive.Store
	faults Faults
}

func (f faulty) Create(ctx context.Context, key string, r io.Reader) error {
	if f.faults.Space > 0 {
		r = &fullAfter{r: r, left: f.faults.Space}
	}
	if err := f.Store.Create(ctx, key, r); err != nil {
		return err
	}
	return ask(ctx, f.faults.Created, key)
}

func (f faulty) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if err := ask(ctx, f.faults.Opening, key); err != nil {
		return nil, err
	}
	return f.Store.Open(ctx, key)
}

func (f faulty) Delete(ctx context.Context, key string) error {
	if err := ask(ctx, f.faults.Deleting, key); err != nil {
		return err
	}
	return f.Store.Delete(ctx, key)
}

func ask(ctx context.Context, hook func(context.Context, string) error, key string) error {
	if hook == nil {
		return nil
	}
	return hook(ctx, key)
}

// fullAfter yields what r does until there is no room left.
type fullAfter struct {
	r    io.Reader
	left int64
}

func (f *fullAfter) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if f.left -= int64(n); f.left < 0 {
		return 0, fmt.Errorf("archivetest: a full place: %w", archive.ErrNoSpace)
	}
	return n, err
}
