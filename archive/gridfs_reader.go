package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// gridReader reads a file, one chunk at a time. To seek costs nothing.
type gridReader struct {
	ctx    context.Context //nolint:containedctx // an open reader lives as long as a request
	chunks *mongo.Collection
	file   gridFile
	at     int64 // where the next Read begins

	number int64 // of the chunk held, -1 for none
	chunk  []byte
	closed bool
}

func (r *gridReader) Read(b []byte) (int, error) {
	switch {
	case r.closed:
		return 0, fs.ErrClosed
	case len(b) == 0:
		return 0, nil
	case r.at >= r.file.Length:
		return 0, io.EOF
	}
	size := int64(r.file.Chunk)
	if number := r.at / size; number != r.number {
		if err := r.load(number); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.chunk[r.at%size:])
	r.at += int64(n)
	return n, nil
}

// load fetches a chunk.
func (r *gridReader) load(number int64) error {
	raw, err := r.chunks.FindOne(r.ctx, bson.D{{Key: "_id", Value: chunkID(r.file.Key, number)}}).Raw()
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return gridError(err)
	}
	var data []byte
	if err == nil {
		_, data, _ = raw.Lookup("data").BinaryOK()
	}
	size := int64(r.file.Chunk)
	if int64(len(data)) != min(size, r.file.Length-number*size) {
		return fmt.Errorf("archive: bytes in GridFS: chunk %d of %s is missing or damaged: %w", number, r.file.Key, io.ErrUnexpectedEOF)
	}
	r.number, r.chunk = number, data
	return nil
}

func (r *gridReader) Seek(offset int64, whence int) (int64, error) {
	if r.closed {
		return 0, fs.ErrClosed
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.file.Length
	default:
		return 0, fmt.Errorf("archive: seeking: whence %d: %w", whence, fs.ErrInvalid)
	}
	if offset < 0 {
		return 0, fmt.Errorf("archive: seeking to before the beginning: %w", fs.ErrInvalid)
	}
	r.at = offset
	return offset, nil
}

func (r *gridReader) Close() error {
	if r.closed {
		return fs.ErrClosed
	}
	r.closed, r.chunk = true, nil
	return nil
}
