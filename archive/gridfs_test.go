package archive_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/gridfs"
	"go.mongodb.org/mongo-driver/mongo/integration/mtest"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

func TestGridFS(t *testing.T) {
	t.Parallel()
	archivetest.TestStore(t, func(t *testing.T) archive.Store {
		t.Helper()
		return archive.GridFS(dbtest.Database(t), "")
	})
}

// newGridFS returns a Store in the bucket "fs", with some bytes in it.
func newGridFS(t *testing.T, size int) (store archive.Store, db *mongo.Database, key string, b []byte) {
	t.Helper()
	db = dbtest.Database(t)
	store = archive.GridFS(db, "fs")
	if err := store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, b = archivetest.Key(), make([]byte, size)
	rand.Read(b)
	if err := store.Create(t.Context(), key, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return store, db, key, b
}

func TestGridFSIsReadByOthers(t *testing.T) {
	t.Parallel()
	_, db, key, want := newGridFS(t, 600<<10)
	bucket, err := gridfs.NewBucket(db, options.GridFSBucket().SetName("fs"))
	if err != nil {
		t.Fatal(err)
	}
	for how, download := range map[string]func(io.Writer) (int64, error){
		"id":   func(w io.Writer) (int64, error) { return bucket.DownloadToStream(key, w) },
		"name": func(w io.Writer) (int64, error) { return bucket.DownloadToStreamByName(key, w) },
	} {
		var got bytes.Buffer
		if _, err := download(&got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("by %s the driver reads %d bytes, %v, want the %d that were kept", how, got.Len(), err, len(want))
		}
	}
}

// entries returns what a Store lists.
func entries(t *testing.T, store archive.Store) (all []archive.Entry) {
	t.Helper()
	for e, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// count counts the documents of a bucket.
func count(t *testing.T, db *mongo.Database) (files, chunks int64) {
	t.Helper()
	files, err1 := db.Collection("fs.files").CountDocuments(t.Context(), bson.D{})
	chunks, err2 := db.Collection("fs.chunks").CountDocuments(t.Context(), bson.D{})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return files, chunks
}

func TestGridFSDeletesEveryChunk(t *testing.T) {
	t.Parallel()
	// More than are announced at once.
	store, db, key, _ := newGridFS(t, 17<<20)
	if files, chunks := count(t, db); files != 1 || chunks != 69 {
		t.Errorf("%d files and %d chunks, want 1 and 69", files, chunks)
	}
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if files, chunks := count(t, db); files+chunks != 0 {
		t.Errorf("left: %d files and %d chunks", files, chunks)
	}
}

func TestGridFSListsWhatACrashLeft(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]bson.D{
		"of a Delete": {{Key: "metadata.upload", Value: primitive.NewObjectID()}},
		"of a Create": {{Key: "metadata.upload", Value: primitive.NewObjectID()}, {Key: "metadata.reserved", Value: 64}, {Key: "length", Value: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, db, key, _ := newGridFS(t, 1<<20)
			byID := bson.D{{Key: "_id", Value: key}}
			if _, err := db.Collection("fs.files").UpdateOne(t.Context(), byID, bson.D{{Key: "$set", Value: state}}); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Open(t.Context(), key); err == nil {
				t.Error("what is not whole can be opened")
			}
			left := entries(t, store)
			if len(left) != 1 || left[0].Key != archive.PartialPrefix+key || !left[0].Partial {
				t.Fatalf("listed: %+v", left)
			}
			if err := store.Delete(t.Context(), left[0].Key); err != nil {
				t.Fatal(err)
			}
			if files, chunks := count(t, db); files+chunks != 0 {
				t.Errorf("left: %d files and %d chunks", files, chunks)
			}
		})
	}
}

func TestGridFSDeletedUnderAnUpload(t *testing.T) {
	t.Parallel()
	store, db, _, _ := newGridFS(t, 0)
	key := archivetest.Key()
	// It is deleted when its bytes are written and its end is not.
	once := false
	r := io.MultiReader(bytes.NewReader(make([]byte, 3<<20)), readerFunc(func([]byte) (int, error) {
		if once {
			return 0, io.EOF
		}
		once = true
		return 0, store.Delete(t.Context(), archive.PartialPrefix+key)
	}))
	if err := store.Create(t.Context(), key, r); err == nil {
		t.Error("an upload goes well though what it wrote was deleted")
	}
	if files, chunks := count(t, db); files != 1 || chunks != 0 {
		t.Errorf("left: %d files and %d chunks, want the empty one of before", files, chunks)
	}
}

// readerFunc is a reader that is a function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestGridFSTellsOfDamage(t *testing.T) {
	t.Parallel()
	store, db, key, want := newGridFS(t, 600<<10)
	chunk := bson.D{{Key: "_id", Value: key + "-1"}}
	chunks := db.Collection("fs.chunks")
	read := func() {
		t.Helper()
		r, err := store.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := io.ReadAll(r)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(got, want[:255<<10]) {
			t.Errorf("%d bytes, %v, want those before the damage and io.ErrUnexpectedEOF", len(got), err)
		}
	}
	short := bson.D{{Key: "$set", Value: bson.D{{Key: "data", Value: []byte("short")}}}}
	if _, err := chunks.UpdateOne(t.Context(), chunk, short); err != nil {
		t.Fatal(err)
	}
	read()
	if _, err := chunks.DeleteOne(t.Context(), chunk); err != nil {
		t.Fatal(err)
	}
	read()
}

func TestGridFSOnAFullDatabase(t *testing.T) {
	t.Parallel()
	mt := mtest.New(t, mtest.NewOptions().ClientType(mtest.Mock))
	for name, failure := range map[string]mtest.CommandError{
		"MongoDB":               {Code: 14031, Name: "OutOfDiskSpace", Message: "no"},
		"the embedded database": {Code: 1, Name: "InternalError", Message: "database or disk is full (13)"},
	} {
		mt.Run(name, func(mt *mtest.T) {
			mt.AddMockResponses(
				mtest.CreateSuccessResponse(),                     // the file
				mtest.CreateCommandErrorResponse(failure),         // its chunks
				mtest.CreateSuccessResponse(bson.E{Key: "value"}), // nothing to remove
			)
			store := archive.GridFS(mt.DB, "fs")
			err := store.Create(mt.Context(), archivetest.Key(), bytes.NewReader([]byte("x")))
			if !errors.Is(err, archive.ErrNoSpace) {
				mt.Errorf("Create: %v, want archive.ErrNoSpace", err)
			}
			if _, ok := errors.AsType[mongo.CommandError](err); !ok {
				mt.Errorf("Create: %v, want what the driver said in it", err)
			}
		})
	}
}
