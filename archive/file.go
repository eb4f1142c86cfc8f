package archive

import (
	"encoding/json"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// File is what is known of a file. As JSON it is what a client gets, with _inserted
// in RFC 3339 and metadata as relaxed Extended JSON.
type File struct {
	// ID has 24 lower-case hex digits, and is unique in the archive.
	ID string
	// Collection is the name space that the file is in, "" for the default one. It
	// is no part of the JSON.
	Collection string
	// Name is for people: see [CleanName]. It is not unique.
	Name string
	// Size is in bytes.
	Size int64
	// Type is the media type, by the bytes.
	Type string
	// SHA256 is the hash of the bytes, as 64 lower-case hex digits.
	SHA256 string
	// Inserted is when the file was complete, in UTC and milliseconds.
	Inserted time.Time
	// Metadata is what the uploader said of it; never nil in what the archive returns.
	Metadata bson.Raw
}

// fileJSON is a File on the wire.
type fileJSON struct {
	ID       string          `json:"_id"`
	Name     string          `json:"_filename"`
	Size     int64           `json:"_filesize"`
	Type     string          `json:"_filetype"`
	SHA256   string          `json:"_sha256"`
	Inserted time.Time       `json:"_inserted"`
	Metadata json.RawMessage `json:"metadata"`
}

// MarshalJSON returns the record as clients see it.
func (f File) MarshalJSON() ([]byte, error) {
	metadata := json.RawMessage("{}")
	if len(f.Metadata) > 0 {
		text, err := extjson.AppendRelaxed(nil, f.Metadata)
		if err != nil {
			return nil, err
		}
		metadata = text
	}
	return json.Marshal(fileJSON{
		ID: f.ID, Name: f.Name, Size: f.Size, Type: f.Type, SHA256: f.SHA256, Inserted: f.Inserted.UTC(), Metadata: metadata,
	})
}

// UnmarshalJSON reads the record as clients see it.
func (f *File) UnmarshalJSON(text []byte) error {
	var in fileJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*f = File{ID: in.ID, Name: in.Name, Size: in.Size, Type: in.Type, SHA256: in.SHA256, Inserted: in.Inserted}
	if len(in.Metadata) == 0 {
		return nil
	}
	metadata, err := extjson.Parse(in.Metadata, extjson.MaxDepth)
	f.Metadata = metadata
	return err
}
