package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/archive/internal/steps"
)

// gridCleanup is how long a Create that failed tries to remove what it wrote.
const gridCleanup = 10 * time.Second

// errGridLost is the error of a Create whose partial entry was deleted.
var errGridLost = errors.New("what was written so far has been deleted")

func (g *grid) Create(ctx context.Context, key string, r io.Reader) error {
	if !ValidKey(key) {
		return invalidKey(key)
	}
	u := gridUpload{grid: g, key: key, token: primitive.NewObjectID()}
	filter := u.filter()
	err := u.begin(ctx)
	if mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("archive: bytes in GridFS: %s: %w", key, fs.ErrExist)
	}
	if err == nil {
		filter = bson.D{{Key: "_id", Value: key}} // from now on it is ours, whole or not
		err = u.fill(ctx, r)
	}
	if err == nil {
		err = u.finish(ctx)
	}
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gridCleanup)
	defer cancel()
	if errors.Is(err, errGridLost) {
		// Whoever deleted the file did not see the chunks that came later.
		return gridError(errors.Join(err, g.removeChunks(ctx, key, u.written)))
	}
	return gridError(errors.Join(err, g.remove(ctx, filter)))
}

// gridUpload is one Create.
type gridUpload struct {
	*grid
	key      string
	token    primitive.ObjectID
	written  int64 // chunks
	reserved int64 // chunks
	length   int64 // bytes
}

// filter finds the file as long as this upload may finish it.
func (u *gridUpload) filter() bson.D {
	return bson.D{{Key: "_id", Value: u.key}, {Key: "metadata.upload", Value: u.token}}
}

// begin takes the key.
func (u *gridUpload) begin(ctx context.Context) error {
	u.reserved = gridReserve
	_, err := u.files.InsertOne(ctx, gridFile{
		Key: u.key, Chunk: gridChunk, Uploaded: u.now(), Filename: u.key,
		Metadata: gridMetadata{Upload: u.token, Reserved: u.reserved},
	})
	return err
}

// fill writes what r yields, some chunks at a time.
func (u *gridUpload) fill(ctx context.Context, r io.Reader) error {
	buffer := make([]byte, gridBatch*gridChunk)
	for {
		n, end, err := steps.Read(ctx, r, buffer)
		if err != nil {
			return err
		}
		if err := u.write(ctx, buffer[:n]); err != nil || end {
			return err
		}
	}
}

// gridPiece is a document of the chunks.
type gridPiece struct {
	ID     string `bson:"_id"`
	File   string `bson:"files_id"`
	Number int32  `bson:"n"`
	Data   []byte `bson:"data"`
}

func (u *gridUpload) write(ctx context.Context, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if u.written+gridBatch > u.reserved {
		u.reserved += gridReserve
		if err := u.update(ctx, set(bson.D{{Key: "metadata.reserved", Value: u.reserved}, {Key: "uploadDate", Value: u.now()}})); err != nil {
			return err
		}
	}
	u.length += int64(len(b))
	pieces := make([]any, 0, gridBatch)
	for len(b) > 0 {
		n := min(len(b), gridChunk)
		number := int32(u.written) //nolint:gosec // two thousand million chunks are 510 TiB
		pieces = append(pieces, gridPiece{ID: chunkID(u.key, u.written), File: u.key, Number: number, Data: b[:n]})
		b = b[n:]
		u.written++
	}
	_, err := u.chunks.InsertMany(ctx, pieces)
	return err
}

// finish makes the file whole.
func (u *gridUpload) finish(ctx context.Context) error {
	return u.update(ctx, append(
		set(bson.D{{Key: "length", Value: u.length}, {Key: "uploadDate", Value: u.now()}}),
		bson.E{Key: "$unset", Value: bson.D{{Key: "metadata", Value: ""}}},
	))
}

// update updates the file unless somebody has deleted it.
func (u *gridUpload) update(ctx context.Context, update bson.D) error {
	result, err := u.files.UpdateOne(ctx, u.filter(), update)
	if err == nil && result.MatchedCount == 0 {
		err = errGridLost
	}
	return err
}

func set(fields bson.D) bson.D { return bson.D{{Key: "$set", Value: fields}} }

func uniqueIndex() *options.IndexOptions { return options.Index().SetUnique(true) }
