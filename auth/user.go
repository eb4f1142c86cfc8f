package auth

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/middleware"
)

// The fields of a stored user that are ours. Others that begin with an
// underscore belong to the gateway, and are shown to no client either.
const (
	fieldID       = "_id"
	fieldKey      = "_key"
	fieldIdentity = "_identity"
	fieldPassword = "_password"
	fieldInserted = "_inserted"
	fieldPatched  = "_patched"
	fieldSessions = "_sessions"
	fieldBanned   = "_banned"
)

// User is a person with an account, without password, sessions or any other
// secret. It is a [middleware.Identity]. It must not be changed while others may
// read it.
type User struct {
	// ID is the _id in its text form. That of other types than strings has a
	// prefix: "oid:" before the 24 digits of an ObjectId, "int:" before a number.
	ID string
	// Key is the _key, as the person gave it.
	Key string
	// Document is _id, _key, _inserted, _patched and every field that is not
	// reserved.
	Document bson.Raw

	collection string
	session    Session
	owner      *Service
}

var _ middleware.Identity = (*User)(nil)

// UserID returns ID.
func (u *User) UserID() string { return u.ID }

// Collection returns the collection that the user lives in.
func (u *User) Collection() string { return u.collection }

// SessionID returns the id of the session that the request belongs to, or "" for
// a user that was found in another way.
func (u *User) SessionID() string { return u.session.ID }

// Session returns the session that the request belongs to; the zero Session for a
// user that was found in another way.
func (u *User) Session() Session { return u.session }

// Decode decodes Document into v, as bson.Unmarshal does.
func (u *User) Decode(v any) error { return bson.Unmarshal(u.Document, v) }

// MarshalJSON returns Document as relaxed Extended JSON.
func (u *User) MarshalJSON() ([]byte, error) {
	if u.Document == nil {
		return []byte("null"), nil
	}
	return extjson.AppendRelaxed(make([]byte, 0, 2*len(u.Document)), u.Document)
}

// FromContext returns the signed-in user of a request that passed Authenticated
// or Identified, and whether there is one.
func FromContext(ctx context.Context) (*User, bool) {
	id, _ := middleware.FromContext(ctx)
	u, ok := id.(*User)
	return u, ok && u != nil
}

// record is a user as stored.
type record struct {
	collection string
	raw        bson.Raw
}

func (r record) id() bson.RawValue { return r.raw.Lookup(fieldID) }

// text returns a field that is a string, or "".
func (r record) text(field string) string {
	text, _ := r.raw.Lookup(field).StringValueOK()
	return text
}

// password returns the stored hash, or "" for an account without one.
func (r record) password() string { return r.text(fieldPassword) }

// banned reports whether the account is closed: by whatever another program wrote
// there, but for null and false.
func (r record) banned() bool {
	value := r.raw.Lookup(fieldBanned)
	if value.Type == 0 || value.Type == bson.TypeNull {
		return false
	}
	banned, ok := value.BooleanOK()
	return banned || !ok
}

// notBanned is the filter for users of whom banned is false.
func notBanned() bson.E {
	return bson.E{Key: fieldBanned, Value: bson.D{{Key: "$in", Value: bson.A{nil, false}}}}
}

// user returns what may be shown of the record.
func (s *Service) user(r record, current Session) *User {
	return &User{
		ID: subject(r.id()), Key: r.text(fieldKey), Document: visible(r.raw),
		collection: r.collection, session: current, owner: s,
	}
}

// visible copies the fields of a stored user that are no secret.
func visible(stored bson.Raw) bson.Raw {
	length, rest, ok := bsoncore.ReadLength(stored)
	if !ok || int(length) != len(stored) || length < 5 {
		return nil
	}
	rest = rest[:len(rest)-1]
	at, doc := bsoncore.AppendDocumentStart(make([]byte, 0, len(stored)))
	for len(rest) > 0 {
		var element bsoncore.Element
		if element, rest, ok = bsoncore.ReadElement(rest); !ok {
			return nil
		}
		if isVisible(element.Key()) {
			doc = append(doc, element...)
		}
	}
	doc, _ = bsoncore.AppendDocumentEnd(doc, at)
	return doc
}

func isVisible(field string) bool {
	switch field {
	case fieldID, fieldKey, fieldInserted, fieldPatched:
		return true
	}
	return field == "" || field[0] != '_'
}

// timeOf returns a date as Go has it, the zero time for any other value.
func timeOf(v bson.RawValue) time.Time {
	if v.Type != bson.TypeDateTime {
		return time.Time{}
	}
	return time.UnixMilli(v.DateTime()).UTC()
}
