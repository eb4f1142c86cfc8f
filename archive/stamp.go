package archive

import (
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// marshalStamp returns what interceptors say of a file, nil for nothing.
func marshalStamp(stamp bson.D) (bson.Raw, error) {
	if len(stamp) == 0 {
		return nil, nil
	}
	raw, err := bson.Marshal(stamp)
	if err != nil {
		return nil, fmt.Errorf("archive: Uploading.Stamp: %w", err)
	}
	return raw, nil
}

// stamped returns metadata with the fields of a stamp, whatever it had of their names.
func stamped(metadata, stamp bson.Raw) bson.Raw {
	if stamp == nil {
		return metadata
	}
	index, dst := bsoncore.AppendDocumentStart(nil)
	said, _ := metadata.Elements() // both were made or checked here
	for _, e := range said {
		if _, err := stamp.LookupErr(e.Key()); err != nil {
			dst = append(dst, e...)
		}
	}
	sure, _ := stamp.Elements()
	for _, e := range sure {
		dst = append(dst, e...)
	}
	dst, _ = bsoncore.AppendDocumentEnd(dst, index) // the index is its beginning
	return dst
}
