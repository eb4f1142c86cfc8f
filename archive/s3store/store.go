// Package s3store keeps the bytes of an archive in a bucket of S3, or of
// another service that talks its protocol. It is a package of its own so that
// only those link a client for it who want one.
//
//	client, err := minio.New("s3.eu-central-1.amazonaws.com", &minio.Options{
//		Creds: credentials.NewIAM(""), Secure: true, Region: "eu-central-1",
//	})
//	store, err := s3store.New(client, "my-bucket", &s3store.Options{Prefix: "files/"})
//	files, err := archive.New(db, store, nil)
package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/imadelakhaldev/coglex/archive"
)

// Bounds of Options.PartSize, in bytes, as S3 has them.
const (
	MinPartSize     = 5 << 20
	DefaultPartSize = 16 << 20
	MaxPartSize     = 5 << 30

	maxParts = 10_000
)

// Options are what may be chosen about a Store. The zero value, and nil, are fine.
type Options struct {
	// Prefix is put before the keys, such as "files/". What does not begin
	// with it is left alone, so that a bucket can hold other things too.
	// Defaults to none.
	Prefix string

	// PartSize is how many bytes are sent at once, and held in memory for each
	// Create of something that is larger. There are 10 000 parts at most: the
	// default has room for 156 GiB. From MinPartSize to MaxPartSize.
	// Defaults to DefaultPartSize.
	PartSize int64

	// Region is where Ready makes the bucket if there is none.
	// Defaults to that of the client, and then to us-east-1.
	Region string
}

// Store is an archive.Store in a bucket, and an archive.Linker. It is safe for
// concurrent use.
//
// A small file is one request, a large one an upload in parts, which S3 shows
// to nobody until it is complete. That a key is never overwritten is left to
// the service (If-None-Match: *); one that does not know this header is asked
// before, which is no guard against two at once. In a bucket with versions,
// what is deleted stays as an old version until the rules of the bucket end it.
type Store struct {
	core     minio.Core
	bucket   string
	prefix   string
	region   string
	partSize int64
}

var _ archive.Linker = (*Store)(nil)

// New returns a Store in a bucket. It does not talk to the service yet: Ready
// does, and makes the bucket where it is missing and may be made. All mistakes
// in the arguments are returned together.
func New(client *minio.Client, bucket string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.PartSize == 0 {
		o.PartSize = DefaultPartSize
	}
	var errs []error
	if client == nil {
		errs = append(errs, errors.New("s3store: client is missing"))
	}
	if err := s3utils.CheckValidBucketNameStrict(bucket); err != nil {
		errs = append(errs, fmt.Errorf("s3store: bucket: %w", err))
	}
	if o.PartSize < MinPartSize || o.PartSize > MaxPartSize {
		errs = append(errs, fmt.Errorf("s3store: Options.PartSize is %d, not from %d to %d", o.PartSize, MinPartSize, MaxPartSize))
	}
	if strings.HasPrefix(o.Prefix, "/") || (o.Prefix != "" && s3utils.CheckValidObjectName(o.Prefix) != nil) {
		errs = append(errs, fmt.Errorf("s3store: Options.Prefix %q begins with a slash or cannot be part of a name", o.Prefix))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Store{core: minio.Core{Client: client}, bucket: bucket, prefix: o.Prefix, region: o.Region, partSize: o.PartSize}, nil
}

// name is what the bytes of a key are called in the bucket.
func (s *Store) name(key string) string { return s.prefix + key }

// Ready makes the bucket unless it is there, and tells whether it can be reached.
func (s *Store) Ready(ctx context.Context) error {
	ok, err := s.core.BucketExists(ctx, s.bucket)
	if err != nil || ok {
		return wrap(err)
	}
	err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: s.region})
	if code(err) == "BucketAlreadyOwnedByYou" {
		return nil // another gateway was faster
	}
	return wrap(err)
}

// Open returns the bytes of key. Each Seek to another place and the Read after
// it are a request.
func (s *Store) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if !archive.ValidKey(key) {
		return nil, invalid(key)
	}
	info, err := s.core.StatObject(ctx, s.bucket, s.name(key), minio.StatObjectOptions{})
	if err != nil {
		return nil, wrap(err)
	}
	return &reader{ctx: ctx, store: s, name: s.name(key), size: info.Size, tag: info.ETag}, nil
}

// Delete removes the bytes of a key, or aborts the uploads of a partial one.
func (s *Store) Delete(ctx context.Context, key string) error {
	whole, partial := strings.CutPrefix(key, archive.PartialPrefix)
	if !archive.ValidKey(whole) {
		return invalid(key)
	}
	if !partial {
		return wrap(s.core.RemoveObject(ctx, s.bucket, s.name(whole), minio.RemoveObjectOptions{}))
	}
	err := s.core.RemoveIncompleteUpload(ctx, s.bucket, s.name(whole))
	if code(err) == minio.NoSuchUpload {
		return nil // it has come to its end meanwhile
	}
	return wrap(err)
}

// List yields the objects under the prefix, and then the uploads in parts that
// are not complete. Their Size is what the service tells, which may be 0, and
// their Modified is when they began.
func (s *Store) List(ctx context.Context) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // ends the goroutine of the client's listing
		defer cancel()
		for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
			entry := archive.Entry{Key: strings.TrimPrefix(o.Key, s.prefix), Size: o.Size, Modified: o.LastModified}
			if more := pass(yield, entry, entry.Key, o.Err); !more {
				return
			}
		}
		last := ""
		for u := range s.core.ListIncompleteUploads(ctx, s.bucket, s.prefix, true) {
			key := strings.TrimPrefix(u.Key, s.prefix)
			if u.Err == nil && key == last {
				continue // another upload of the same
			}
			if code(u.Err) == minio.NoSuchUpload {
				continue // it has come to its end meanwhile
			}
			last = key
			entry := archive.Entry{Key: archive.PartialPrefix + key, Size: u.Size, Modified: u.Initiated, Partial: true}
			if more := pass(yield, entry, key, u.Err); !more {
				return
			}
		}
	}
}

// pass yields an entry of ours, or an error, and reports whether to go on.
func pass(yield func(archive.Entry, error) bool, entry archive.Entry, key string, err error) bool {
	if err != nil {
		yield(archive.Entry{}, wrap(err))
		return false
	}
	return !archive.ValidKey(key) || yield(entry, nil)
}

// Link returns a URL that is signed for a GET (SigV4), for at least a second
// and at most seven days. Unless the client knows its region, the first one
// takes a request to the service.
func (s *Store) Link(ctx context.Context, key string, l archive.LinkRequest) (string, error) {
	if !archive.ValidKey(key) {
		return "", invalid(key)
	}
	query := url.Values{}
	if l.Disposition != "" {
		query.Set("response-content-disposition", l.Disposition)
	}
	if l.Type != "" {
		query.Set("response-content-type", l.Type)
	}
	u, err := s.core.PresignedGetObject(ctx, s.bucket, s.name(key), l.Expires, query)
	if err != nil {
		return "", wrap(err)
	}
	return u.String(), nil
}

// wrap gives an error of the client the meanings that archive.Store promises.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	response, _ := errors.AsType[minio.ErrorResponse](err)
	switch {
	case response.Code == minio.NoSuchKey:
		err = errors.Join(fs.ErrNotExist, err)
	case response.StatusCode == http.StatusInsufficientStorage, strings.HasSuffix(response.Code, "StorageFull"),
		strings.HasSuffix(response.Code, "QuotaExceeded"):
		err = errors.Join(archive.ErrNoSpace, err)
	}
	return fmt.Errorf("s3store: %w", err)
}

// code is the service's code for what went wrong, or none.
func code(err error) string {
	response, _ := errors.AsType[minio.ErrorResponse](err)
	return response.Code
}

func invalid(key string) error {
	return fmt.Errorf("s3store: a key for bytes: %q: %w", key, fs.ErrInvalid)
}
