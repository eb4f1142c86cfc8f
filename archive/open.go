package archive

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

// Download is a file whose bytes can be read. It is for one goroutine, and has to be
// closed.
type Download struct {
	// File is its record.
	File File
	io.ReadSeekCloser
}

// Open opens a file, of whatever name space, or returns ErrNotFound, or ErrMissing
// where there is a record without its bytes. ctx bounds the reading too. It asks no
// interceptor and tells of nothing: it is the gateway's own door.
func (s *Service) Open(ctx context.Context, id string) (*Download, error) {
	if !isID(id) {
		return nil, ErrNotFound
	}
	rec, err := s.find(ctx, byID(id))
	if err != nil {
		return nil, err
	}
	content, err := s.openBytes(ctx, rec)
	if err != nil {
		return nil, err
	}
	return &Download{File: rec.file(), ReadSeekCloser: content}, nil
}

// Stat returns the record of a file, of whatever name space, or ErrNotFound.
func (s *Service) Stat(ctx context.Context, id string) (File, error) {
	if !isID(id) {
		return File{}, ErrNotFound
	}
	rec, err := s.find(ctx, byID(id))
	if err != nil {
		return File{}, err
	}
	return rec.file(), nil
}

// openBytes opens the bytes of a record, and makes sure that they are as many as
// there were. Where they are not there the file may have been deleted just now.
func (s *Service) openBytes(ctx context.Context, rec record) (io.ReadSeekCloser, error) {
	content, err := s.store.Open(ctx, rec.Key)
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := s.find(ctx, byID(rec.ID)); errors.Is(gone, ErrNotFound) {
			return nil, ErrNotFound
		}
		return nil, errors.Join(ErrMissing, err)
	}
	if err != nil {
		return nil, wrap("opening the bytes", err)
	}
	size, err := content.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = content.Seek(0, io.SeekStart)
	}
	if err == nil && size != rec.Size {
		err = ErrMissing
	}
	if err != nil {
		return nil, errors.Join(wrap("opening the bytes", err), content.Close())
	}
	return content, nil
}
