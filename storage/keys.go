package storage

import (
	"strings"

	"github.com/go-json-experiment/json"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// parseKeys parses the keys parameter: a projection, or the array of the names of
// the fields that are wanted.
func (s *Service) parseKeys(q strict.Query) (bson.Raw, error) {
	text := strings.TrimLeft(q.String("keys"), " \t\r\n")
	if !strings.HasPrefix(text, "[") {
		keys, err := q.Document("keys")
		if err != nil || keys == nil {
			return nil, err
		}
		return keys, s.rules.Projection(keys)
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, service.Invalid("keys", "must be an object, or an array of names")
	}
	_, array, err := bson.MarshalValue(names)
	if err != nil {
		return nil, err
	}
	return s.rules.Names(array)
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
