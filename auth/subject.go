package auth

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// The prefixes of an _id in its text form. Our own ids are strings and stay as
// they are; those that other programs gave may be of any type.
const (
	subjectString   = "str:"  // a string that begins with one of these prefixes
	subjectObjectID = "oid:"  // 24 hex digits
	subjectInteger  = "int:"  // decimal; a database does not tell int32 from int64
	subjectOther    = "bson:" // base64url of the type and the bytes
)

// subject returns an _id in its text form, from which parseID reads it again.
func subject(id bson.RawValue) string {
	switch id.Type {
	case bson.TypeString:
		text := id.StringValue()
		if isPrefixed(text) {
			return subjectString + text
		}
		return text
	case bson.TypeObjectID:
		return subjectObjectID + id.ObjectID().Hex()
	case bson.TypeInt32, bson.TypeInt64:
		return subjectInteger + strconv.FormatInt(id.AsInt64(), 10)
	default:
		return subjectOther + base64.RawURLEncoding.EncodeToString(append([]byte{byte(id.Type)}, id.Value...))
	}
}

func isPrefixed(text string) bool {
	for _, prefix := range []string{subjectString, subjectObjectID, subjectInteger, subjectOther} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// errSubject says that a text is no _id.
var errSubject = errors.New("auth: malformed subject")

// parseID returns the _id whose text form is given.
func parseID(text string) (any, error) {
	if hex, ok := strings.CutPrefix(text, subjectObjectID); ok {
		return primitive.ObjectIDFromHex(hex)
	}
	if digits, ok := strings.CutPrefix(text, subjectInteger); ok {
		return strconv.ParseInt(digits, 10, 64)
	}
	if encoded, ok := strings.CutPrefix(text, subjectOther); ok {
		return parseOtherID(encoded)
	}
	return strings.TrimPrefix(text, subjectString), nil
}

func parseOtherID(encoded string) (any, error) {
	data, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(data) == 0 {
		return nil, errSubject
	}
	value, rest, ok := bsoncore.ReadValue(data[1:], bsontype.Type(data[0]))
	if !ok || len(rest) > 0 || value.Validate() != nil {
		return nil, errSubject
	}
	return bson.RawValue{Type: value.Type, Value: value.Data}, nil
}
