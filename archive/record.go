package archive

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// The fields of a record. The first seven are shown; the name space and the key of
// the bytes never are.
const (
	fieldID       = "_id"
	fieldName     = "_filename"
	fieldSize     = "_filesize"
	fieldType     = "_filetype"
	fieldHash     = "_sha256"
	fieldInserted = "_inserted"
	fieldMetadata = "metadata"
	fieldSpace    = "_collection"
	fieldKey      = "_key"
)

// shown returns the fields that a client may see, filter on and sort by.
func shown() []string {
	return []string{fieldID, fieldName, fieldSize, fieldType, fieldHash, fieldInserted, fieldMetadata}
}

// record is a file as the database keeps it.
type record struct {
	ID       string    `bson:"_id"`
	Name     string    `bson:"_filename"`
	Size     int64     `bson:"_filesize"`
	Type     string    `bson:"_filetype"`
	SHA256   string    `bson:"_sha256"`
	Inserted time.Time `bson:"_inserted"`
	Metadata bson.Raw  `bson:"metadata"`
	Space    string    `bson:"_collection"`
	Key      string    `bson:"_key"`

	stamp bson.Raw // what the metadata is given before the record is made
}

// file returns the record without what is nobody's business.
func (r record) file() File {
	f := File{
		ID: r.ID, Collection: r.Space, Name: r.Name, Size: r.Size, Type: r.Type, SHA256: r.SHA256,
		Inserted: r.Inserted.UTC(), Metadata: r.Metadata,
	}
	if f.Metadata == nil {
		f.Metadata = emptyDocument()
	}
	return f
}

// emptyDocument returns {} in BSON.
func emptyDocument() bson.Raw { return bson.Raw{5, 0, 0, 0, 0} }

// insert writes a record. It outlives a client that hangs up, since the bytes are
// there already and half a step is worse than a whole one.
func (s *Service) insert(ctx context.Context, r record) error {
	ctx, cancel := detached(ctx, s.opts.QueryTimeout+grace)
	defer cancel()
	_, err := s.records().InsertOne(ctx, r)
	return wrap("recording the file", err)
}

// find returns the record of a file, or ErrNotFound. Only records that have a key
// are ours: others were made by other programs, and have no bytes here.
func (s *Service) find(ctx context.Context, filter bson.D) (record, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var r record
	err := s.records().FindOne(ctx, filter, options.FindOne().SetMaxTime(s.opts.QueryTimeout)).Decode(&r)
	if errors.Is(err, mongo.ErrNoDocuments) || err == nil && !ValidKey(r.Key) {
		return record{}, ErrNotFound
	}
	return r, wrap("finding the file", err)
}

// byID returns the filter of one file, wherever it is.
func byID(id string) bson.D { return bson.D{{Key: fieldID, Value: id}} }

// in returns the filter of one file in a name space.
func in(space, id string) bson.D {
	return bson.D{{Key: fieldID, Value: id}, {Key: fieldSpace, Value: space}}
}

// lookUp returns the record of a file that HTTP names.
func (s *Service) lookUp(ctx context.Context, space, id string) (record, error) {
	if !isID(id) {
		return record{}, ErrNotFound
	}
	return s.find(ctx, in(space, id))
}

// remove deletes a record, and tells whether it was there.
func (s *Service) remove(ctx context.Context, r record) (bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	res, err := s.records().DeleteOne(ctx, byID(r.ID))
	if err != nil {
		return false, wrap("deleting the record", err)
	}
	return res.DeletedCount > 0, nil
}

// isID reports whether a text is an id of ours: 24 lower-case hex digits.
func isID(text string) bool { return isHex(text, 24) }

func isHex(text string, length int) bool {
	if len(text) != length {
		return false
	}
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
