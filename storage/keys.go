package storage

import (
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/service"
)

// parseKeys parses the keys parameter: a projection, or the array of the names of
// the fields that are wanted.
func (s *Service) parseKeys(text string) (bson.Raw, error) {
	if text == "" {
		return nil, nil
	}
	// Inside an object both are a value, whose errors have the right path.
	outer, err := extjson.Parse([]byte(`{"keys":`+text+`}`), mongoquery.MaxFilterDepth+1)
	if err != nil {
		return nil, err
	}
	elements, err := outer.Elements()
	if err != nil || len(elements) != 1 {
		return nil, service.Invalid("keys", "is not well-formed JSON")
	}
	switch value := elements[0].Value(); value.Type {
	case bson.TypeArray:
		return s.rules.Names(value.Array())
	case bson.TypeEmbeddedDocument:
		return value.Document(), s.rules.Projection(value.Document())
	default:
		return nil, service.Invalid("keys", "must be an object, or an array of names")
	}
}

// withVersion returns a projection by which the version of a document comes too,
// for its ETag, and whether a client did not ask for that. An empty projection is
// nil.
func withVersion(keys bson.Raw) (projection bson.Raw, drop bool, err error) {
	elements, err := keys.Elements()
	if err != nil {
		return nil, false, err
	}
	including, named := false, false
	var rest []byte // without the version
	for _, e := range elements {
		if e.Key() == fieldVersion {
			named = true
			including = including || isIncluding(e.Value())
			continue
		}
		rest = append(rest, e...)
		including = including || isIncluding(e.Value()) && (e.Key() != fieldID || len(elements) == 1)
	}
	switch {
	case named && including:
		return keys, false, nil
	case including:
		return bsoncore.BuildDocument(nil, bsoncore.AppendInt32Element(rest, fieldVersion, 1)), true, nil
	case len(rest) == 0:
		return nil, named, nil
	}
	return bsoncore.BuildDocument(nil, rest), named, nil
}

// isIncluding reports whether a field of a projection leaves out the fields that
// are not named: true, a number other than zero, or $elemMatch.
func isIncluding(v bson.RawValue) bool {
	switch v.Type {
	case bson.TypeBoolean:
		return v.Boolean()
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble:
		n, ok := v.AsInt64OK()
		return ok && n != 0
	case bson.TypeEmbeddedDocument:
		_, err := v.Document().LookupErr("$elemMatch")
		return err == nil
	default:
		return false
	}
}
