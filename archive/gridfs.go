package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
)

const (
	gridBucket  = "_ARCHIVE_BYTES"
	gridChunk   = 255 << 10 // bytes in each chunk but the last, as the specification has it
	gridBatch   = 4         // chunks written at once
	gridReserve = 64        // chunks that are announced before they are written
)

// GridFS returns a Store in two collections of a MongoDB database, the bucket
// with ".files" and ".chunks" added; an empty bucket is "_ARCHIVE_BYTES", which
// storage over HTTP keeps shut. It is for several gateways that share no disk,
// and for those who want files in the backups of their database. How durable a
// write is says the write concern of db; MongoDB's default is a majority.
//
// The layout is that of MongoDB's GridFS specification, so that other tools can
// read it: a file's _id and filename are its key. While it is written, and while
// it is deleted, a file has the field metadata.upload and the length 0, or the
// one it had; other tools should not touch such files. The _id of a chunk tells
// its file and its number, so that reading, seeking and deleting take look-ups
// by _id only, which are fast on the embedded database too. A Create holds some
// 2 MiB in memory, an open reader one chunk.
func GridFS(db *mongo.Database, bucket string) Store {
	if bucket == "" {
		bucket = gridBucket
	}
	return &grid{
		files: db.Collection(bucket + ".files"), chunks: db.Collection(bucket + ".chunks"),
		now: time.Now, //nolint:forbidigo // only what List tells depends on it
	}
}

type grid struct {
	files, chunks *mongo.Collection
	now           func() time.Time
	indexed       atomic.Bool // Ready has made the indexes
}

// gridFile is a document of the files.
type gridFile struct {
	Key      string       `bson:"_id"`
	Length   int64        `bson:"length"`
	Chunk    int32        `bson:"chunkSize"`
	Uploaded time.Time    `bson:"uploadDate"`
	Filename string       `bson:"filename"`
	Metadata gridMetadata `bson:"metadata"`
}

// gridMetadata is there while a file is not whole.
type gridMetadata struct {
	// Upload is what only the Create that may finish the file knows. A Delete
	// replaces it, so that of the two one comes too late, at any instant.
	Upload primitive.ObjectID `bson:"upload,omitempty"`

	// Reserved is how many chunks there are at most.
	Reserved int64 `bson:"reserved,omitempty"`
}

func (f gridFile) partial() bool { return !f.Metadata.Upload.IsZero() }

// chunks is how many there are at most.
func (f gridFile) chunks() int64 {
	if f.Chunk <= 0 {
		return f.Metadata.Reserved
	}
	size := int64(f.Chunk)
	return max(f.Metadata.Reserved, (f.Length+size-1)/size)
}

// chunkID is the _id of a file's nth chunk.
func chunkID(key string, n int64) string { return key + "-" + strconv.FormatInt(n, 10) }

func (g *grid) Ready(ctx context.Context) error {
	if g.indexed.Load() {
		err := g.files.FindOne(ctx, bson.D{{Key: "_id", Value: "ready"}}).Err()
		return gridError(ignore(err, mongo.ErrNoDocuments))
	}
	_, err := g.files.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "filename", Value: 1}, {Key: "uploadDate", Value: 1}}})
	if err != nil {
		return gridError(err)
	}
	unique := mongo.IndexModel{Keys: bson.D{{Key: "files_id", Value: 1}, {Key: "n", Value: 1}}, Options: uniqueIndex()}
	if _, err = g.chunks.Indexes().CreateOne(ctx, unique); err != nil {
		return gridError(err)
	}
	g.indexed.Store(true)
	return nil
}

func (g *grid) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if !ValidKey(key) {
		return nil, invalidKey(key)
	}
	var f gridFile
	err := g.files.FindOne(ctx, bson.D{{Key: "_id", Value: key}}).Decode(&f)
	if errors.Is(err, mongo.ErrNoDocuments) || (err == nil && f.partial()) {
		return nil, fmt.Errorf("archive: bytes in GridFS: %s: %w", key, fs.ErrNotExist)
	}
	if err != nil {
		return nil, gridError(err)
	}
	return &gridReader{ctx: ctx, chunks: g.chunks, file: f, number: -1}, nil
}

func (g *grid) Delete(ctx context.Context, key string) error {
	whole, partial := strings.CutPrefix(key, PartialPrefix)
	if !ValidKey(whole) {
		return invalidKey(key)
	}
	return gridError(g.remove(ctx, bson.D{
		{Key: "_id", Value: whole},
		{Key: "metadata.upload", Value: bson.D{{Key: "$exists", Value: partial}}},
	}))
}

// remove removes the file that a filter by _id finds, chunks first. What is
// cut short is listed as partial, and can be removed again.
func (g *grid) remove(ctx context.Context, filter bson.D) error {
	ours := primitive.NewObjectID()
	var f gridFile
	err := g.files.FindOneAndUpdate(ctx, filter, set(bson.D{{Key: "metadata.upload", Value: ours}})).Decode(&f)
	if err != nil {
		return ignore(err, mongo.ErrNoDocuments)
	}
	if err := g.removeChunks(ctx, f.Key, f.chunks()); err != nil {
		return err
	}
	_, err = g.files.DeleteOne(ctx, bson.D{{Key: "_id", Value: f.Key}, {Key: "metadata.upload", Value: ours}})
	return err
}

// removeChunks removes the first count chunks of a file.
func (g *grid) removeChunks(ctx context.Context, key string, count int64) error {
	const batch = 1000
	models := make([]mongo.WriteModel, 0, min(batch, count))
	for n := range count {
		models = append(models, mongo.NewDeleteOneModel().SetFilter(bson.D{{Key: "_id", Value: chunkID(key, n)}}))
		if len(models) < batch && n < count-1 {
			continue
		}
		if _, err := g.chunks.BulkWrite(ctx, models); err != nil {
			return err
		}
		models = models[:0]
	}
	return nil
}

func (g *grid) List(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		cursor, err := g.files.Find(ctx, bson.D{})
		if err != nil {
			yield(Entry{}, gridError(err))
			return
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
		for cursor.Next(ctx) {
			var f gridFile
			if err := cursor.Decode(&f); err != nil || !ValidKey(f.Key) {
				continue // some other tool's
			}
			if !yield(f.entry(), nil) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(Entry{}, gridError(err))
		}
	}
}

func (f gridFile) entry() Entry {
	e := Entry{Key: f.Key, Size: f.Length, Modified: f.Uploaded, Partial: f.partial()}
	if e.Partial {
		e.Key = PartialPrefix + f.Key
	}
	return e
}

// gridError wraps what the driver said.
func gridError(err error) error {
	if err == nil {
		return nil
	}
	if server, ok := errors.AsType[mongo.ServerError](err); ok {
		const outOfDiskSpace = 14031 // in MongoDB's error_codes.yml
		// The other one is SQLite's, under the embedded database.
		if server.HasErrorCode(outOfDiskSpace) || server.HasErrorMessage("database or disk is full") {
			err = errors.Join(ErrNoSpace, err)
		}
	}
	return fmt.Errorf("archive: bytes in GridFS: %w", err)
}
