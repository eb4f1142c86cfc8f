package storage

import (
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// stamp returns a document as it is stored, and its id: the id comes first, and is
// made where there is none; the fields of storage come last.
//
// The version begins at the time in microseconds. A document that is deleted and
// made anew thus never has a version that the old one had: for that, the old one
// would have to be written a million times a second all its life long. It fits the
// 53 bits that JavaScript counts exactly until the year 2255.
func (s *Service) stamp(doc bson.Raw, now time.Time) (bson.Raw, any, error) {
	start, dst := bsoncore.AppendDocumentStart(make([]byte, 0, len(doc)+96))
	dst, id, err := s.appendID(dst, doc)
	if err != nil {
		return nil, nil, err
	}
	if dst, err = appendOwn(dst, doc); err != nil {
		return nil, nil, err
	}
	dst = bsoncore.AppendDateTimeElement(dst, fieldInserted, now.UnixMilli())
	dst = bsoncore.AppendInt64Element(dst, fieldVersion, now.UnixMicro())
	dst, err = bsoncore.AppendDocumentEnd(dst, start)
	return dst, id, err
}

// appendID appends the id of a document, or a new one, and returns it too.
func (s *Service) appendID(dst []byte, doc bson.Raw) ([]byte, any, error) {
	if id, err := doc.LookupErr(fieldID); err == nil {
		return appendElement(dst, fieldID, id), goID(id), nil
	}
	id := s.opts.NewID()
	if id == "" || len(id) > MaxIDBytes {
		return nil, nil, fmt.Errorf("storage: Options.NewID made an id of %d bytes", len(id))
	}
	return bsoncore.AppendStringElement(dst, fieldID, id), id, nil
}

// appendOwn appends the elements of a document but for those that storage writes.
func appendOwn(dst []byte, doc bson.Raw) ([]byte, error) {
	elements, err := doc.Elements()
	if err != nil {
		return nil, fmt.Errorf("storage: a document is malformed: %w", err)
	}
	for _, element := range elements {
		switch element.Key() {
		case fieldID, fieldInserted, fieldVersion:
		default:
			dst = append(dst, element...)
		}
	}
	return dst, nil
}

// appendElement appends a value whose bytes are known.
func appendElement(dst []byte, key string, value bson.RawValue) []byte {
	return append(bsoncore.AppendHeader(dst, value.Type, key), value.Value...)
}

// toRaw returns anything that has a BSON form as its bytes.
func toRaw(doc any) (bson.Raw, error) {
	if raw, ok := doc.(bson.Raw); ok {
		return raw, raw.Validate()
	}
	return bson.Marshal(doc)
}

// toRawPipeline returns a pipeline, which is a slice of anything that has a BSON
// form, as the bytes of its stages.
func toRawPipeline(pipeline any) ([]bson.Raw, error) {
	if stages, ok := pipeline.([]bson.Raw); ok {
		return stages, nil
	}
	kind, data, err := bson.MarshalValue(pipeline)
	if err != nil {
		return nil, err
	}
	if kind != bson.TypeArray {
		return nil, fmt.Errorf("storage: a pipeline is a slice of stages, not %T", pipeline)
	}
	var stages []bson.Raw
	return stages, bson.RawValue{Type: kind, Value: data}.Unmarshal(&stages)
}
