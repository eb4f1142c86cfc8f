package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/internal/steps"
)

const (
	firstStep = 1 << 20          // bytes: what a small file takes in memory
	cleanup   = 30 * time.Second // how long a Create that failed tries to abort its upload
	kind      = "application/octet-stream"
)

// Create sends what r yields. It does not use the client's own upload of
// unknown length, which takes a body that was cut off for a whole one.
func (s *Store) Create(ctx context.Context, key string, r io.Reader) error {
	if !archive.ValidKey(key) {
		return invalid(key)
	}
	b := make([]byte, firstStep)
	n, end, err := steps.Read(ctx, r, b)
	if err == nil && !end {
		b = append(make([]byte, 0, s.partSize), b...)[:s.partSize]
		var more int
		more, end, err = steps.Read(ctx, r, b[n:])
		n += more
	}
	switch {
	case err != nil:
		return wrap(err)
	case end:
		err = s.put(ctx, s.name(key), b[:n])
	default:
		err = s.putParts(ctx, s.name(key), r, b)
	}
	if response, _ := errors.AsType[minio.ErrorResponse](err); response.StatusCode == http.StatusPreconditionFailed ||
		response.Code == "ConditionalRequestConflict" {
		err = errors.Join(fs.ErrExist, err)
	}
	return wrap(err)
}

// put sends a small file.
func (s *Store) put(ctx context.Context, name string, b []byte) error {
	send := func(o minio.PutObjectOptions) error {
		o.ContentType, o.DisableContentSha256 = kind, true
		_, err := s.core.PutObject(ctx, s.bucket, name, bytes.NewReader(b), int64(len(b)), "", sum(b), o)
		return err
	}
	err := send(once())
	if code(err) == minio.NotImplemented {
		if err = s.vacant(ctx, name); err == nil {
			err = send(minio.PutObjectOptions{})
		}
	}
	return err
}

// once asks the service not to overwrite.
func once() (o minio.PutObjectOptions) {
	o.SetMatchETagExcept("*")
	return o
}

// sum is signed with the request, so that the service takes no other bytes.
// The client does without it where there is TLS; without, it wraps the body in
// signed pieces, which some services store as they come.
func sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// vacant returns fs.ErrExist where there is an object already.
func (s *Store) vacant(ctx context.Context, name string) error {
	_, err := s.core.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{})
	switch {
	case err == nil:
		return fs.ErrExist
	case code(err) == minio.NoSuchKey:
		return nil
	}
	return err
}

// putParts sends a large file, of which b is the first part.
func (s *Store) putParts(ctx context.Context, name string, r io.Reader, b []byte) error {
	if err := s.vacant(ctx, name); err != nil {
		return err // rather than after gigabytes
	}
	id, err := s.core.NewMultipartUpload(ctx, s.bucket, name, minio.PutObjectOptions{ContentType: kind})
	if err != nil {
		return err
	}
	if err = s.complete(ctx, name, id, r, b); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	abort := s.core.AbortMultipartUpload(ctx, s.bucket, name, id)
	if code(abort) == minio.NoSuchUpload {
		abort = nil
	}
	return errors.Join(err, abort)
}

// complete sends all parts of an upload and makes it an object.
func (s *Store) complete(ctx context.Context, name, id string, r io.Reader, b []byte) error {
	var parts []minio.CompletePart
	n, end := len(b), false
	for n > 0 {
		if len(parts) == maxParts {
			return fmt.Errorf("there is more than %d parts of %d bytes can hold: Options.PartSize is too small", maxParts, s.partSize)
		}
		part, err := s.core.PutObjectPart(ctx, s.bucket, name, id, len(parts)+1, bytes.NewReader(b[:n]), int64(n),
			minio.PutObjectPartOptions{Sha256Hex: sum(b[:n]), DisableContentSha256: true})
		if err != nil {
			return err
		}
		parts = append(parts, minio.CompletePart{PartNumber: part.PartNumber, ETag: part.ETag})
		if end {
			break
		}
		if n, end, err = steps.Read(ctx, r, b); err != nil {
			return err
		}
	}
	_, err := s.core.CompleteMultipartUpload(ctx, s.bucket, name, id, parts, once())
	if code(err) == minio.NotImplemented {
		_, err = s.core.CompleteMultipartUpload(ctx, s.bucket, name, id, parts, minio.PutObjectOptions{})
	}
	return err
}
