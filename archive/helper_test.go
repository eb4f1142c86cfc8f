package archive_test

import (
	"context"
	"io"

	"github.com/imadelakhaldev/coglex/archive"
)

// shortStore yields half of what it says it has.
type shortStore struct{ archive.Store }

// Open opens what breaks off.
func (s shortStore) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	content, err := s.Store.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	size, err := content.Seek(0, io.SeekEnd)
	return &short{ReadSeekCloser: content, left: size / 2}, err
}

type short struct {
	io.ReadSeekCloser
	left int64
}

// Read ends too early.
func (s *short) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n, err := s.ReadSeekCloser.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	return n, err
}
