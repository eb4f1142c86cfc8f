package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/minio/minio-go/v7"
)

// reader reads an object by one request from each place that was sought. It
// has no goroutine, and asks for nothing before the first Read.
type reader struct {
	ctx   context.Context //nolint:containedctx // an open reader lives as long as a request
	store *Store
	name  string
	size  int64
	tag   string // of the object that was opened; another one is never read
	at    int64  // where the next Read begins

	body   io.ReadCloser // from at on, or nil
	closed bool
}

func (r *reader) Read(b []byte) (int, error) {
	switch {
	case r.closed:
		return 0, fs.ErrClosed
	case len(b) == 0:
		return 0, nil
	case r.at >= r.size:
		return 0, io.EOF
	}
	if r.body == nil {
		if err := r.request(); err != nil {
			return 0, wrap(err)
		}
	}
	n, err := r.body.Read(b)
	r.at += int64(n)
	if errors.Is(err, io.EOF) {
		err = nil
		if r.at < r.size {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		err = wrap(err)
	}
	return n, err
}

// request asks for the object from r.at on.
func (r *reader) request() error {
	var o minio.GetObjectOptions
	err := o.SetMatchETag(r.tag)
	if err == nil && r.at > 0 {
		err = o.SetRange(r.at, 0) // to the end
	}
	if err != nil {
		return err
	}
	r.body, _, _, err = r.store.core.GetObject(r.ctx, r.store.bucket, r.name, o)
	return err
}

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	if r.closed {
		return 0, fs.ErrClosed
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	default:
		return 0, fmt.Errorf("s3store: seeking: whence %d: %w", whence, fs.ErrInvalid)
	}
	if offset < 0 {
		return 0, fmt.Errorf("s3store: seeking to before the beginning: %w", fs.ErrInvalid)
	}
	if offset != r.at {
		r.hangUp()
	}
	r.at = offset
	return offset, nil
}

func (r *reader) hangUp() {
	if r.body != nil {
		_ = r.body.Close()
		r.body = nil
	}
}

func (r *reader) Close() error {
	if r.closed {
		return fs.ErrClosed
	}
	r.closed = true
	r.hangUp()
	return nil
}
