package storage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

// firstVersion is the smallest number that is a version: one that began at a time,
// in microseconds (see [Service.stamp]). What is smaller belongs to a document that
// other programs made. It counts our writes, and comes again when the document is
// made anew, so that it alone is no entity tag.
const firstVersion = 1_000_000_000_000

// versioning is what a write does to the version of a document.
type versioning int

const (
	raised versioning = iota
	begun             // by the time, in place of what is no number
)

// etagOf returns the strong entity tag of a whole document: its version, and the
// hash of what a client may see of it where it has none. Both are quoted (RFC 9110,
// section 8.8.3).
func etagOf(doc bson.Raw) (string, error) {
	if v, ok := versionOf(doc); ok {
		return `"` + strconv.FormatInt(v, 10) + `"`, nil
	}
	// What is hidden must not be guessed by its hash either.
	text, err := extjson.AppendRelaxed(nil, doc, hidden()...)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return `"h` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`, nil
}

// versionOf returns the version of a document, false where it has none.
func versionOf(doc bson.Raw) (int64, bool) {
	value, err := doc.LookupErr(fieldVersion)
	if err != nil {
		return 0, false
	}
	v, ok := value.Int64OK()
	return v, ok && v >= firstVersion
}

// sameVersion returns the filter for documents whose field of the version is as
// it is in this one, whatever it holds.
func sameVersion(doc bson.Raw) bson.Raw {
	value, err := doc.LookupErr(fieldVersion)
	if err != nil {
		return oneField(fieldVersion, bsoncore.BuildDocument(nil, bsoncore.AppendBooleanElement(nil, "$exists", false)))
	}
	return oneField(fieldVersion, bsoncore.BuildDocument(nil, appendElement(nil, "$eq", value)))
}

// raise changes one document, and makes its version begin where other programs
// have put something there that cannot be raised.
func (s *Service) raise(ctx context.Context, collection string, filter, update bson.Raw) (bson.Raw, error) {
	stamped, err := stampUpdate(update, s.opts.Now(), raised)
	if err != nil {
		return nil, err
	}
	after, refusal := s.update(ctx, collection, filter, stamped)
	if !isRefused(refusal) {
		return after, refusal
	}
	doc, err := s.findOne(ctx, collection, filter, nil)
	if err != nil || !isUncountable(doc) {
		return nil, refusal
	}
	if stamped, err = stampUpdate(update, s.opts.Now(), begun); err != nil {
		return nil, err
	}
	after, err = s.update(ctx, collection, both(filter, sameVersion(doc)), stamped)
	if errors.Is(err, ErrNotFound) {
		err = ErrVersion // others were faster with something like it
	}
	return after, err
}

// isRefused reports whether a database finds fault with an update.
func isRefused(err error) bool {
	p := databaseProblem(err)
	return p != nil && p.Status == http.StatusBadRequest
}

// isUncountable reports whether a document has something for its version that no
// database can raise.
func isUncountable(doc bson.Raw) bool {
	value, err := doc.LookupErr(fieldVersion)
	return err == nil && !value.IsNumber()
}

// blameVersion returns ErrVersion in place of a refusal where it comes of such a
// document among those that match.
func (s *Service) blameVersion(ctx context.Context, collection string, filter bson.Raw, refusal error) error {
	uncountable, err := bson.Marshal(bson.D{{Key: fieldVersion, Value: bson.D{
		{Key: "$exists", Value: true}, {Key: "$not", Value: bson.D{{Key: "$type", Value: "number"}}},
	}}})
	if err != nil {
		return refusal
	}
	if _, err := s.findOne(ctx, collection, both(filter, uncountable), nil); err != nil {
		return refusal
	}
	return errors.Join(ErrVersion, refusal)
}
