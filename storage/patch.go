package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/signals"
)

// PatchResult says what a change of documents came to.
type PatchResult struct {
	// Matched is how many documents matched the filter.
	Matched int64 `json:"matched"`
	// Modified is how many of them were changed: all, for each is given a new
	// _version.
	Modified int64 `json:"modified"`
}

// PatchOne changes the first document that matches a filter and returns what it is
// now, or ErrNotFound. The update, which is anything that has a BSON form, has
// update operators, or is a plain document, which means $set. It must not name
// _patched and _version, which are set besides.
//
// For a change that depends on what was read, put the _version that was read into
// the filter: ErrNotFound then means that somebody else was faster.
func (s *Service) PatchOne(ctx context.Context, collection string, filter, update any) (bson.Raw, error) {
	f, check, err := patchOf(filter, update)
	if err != nil {
		return nil, err
	}
	return s.patchOne(ctx, target{collection: collection, filters: []bson.Raw{f}}, check)
}

// PatchMany is PatchOne for all documents that match a filter. It is no error if
// none does. A filter must be given: bson.D{} means all documents.
//
// Where the database fails midway, what it changed stays changed: the result says,
// beside the error, how much that is, as far as the database tells.
func (s *Service) PatchMany(ctx context.Context, collection string, filter, update any) (PatchResult, error) {
	f, check, err := patchOf(filter, update)
	if err != nil {
		return PatchResult{}, err
	}
	return s.patchMany(ctx, collection, f, nil, check)
}

// errNoFilter is for writes of many documents, which must not mean all by mistake.
var errNoFilter = errors.New("storage: the filter is nil; an empty document means all")

// checked is an update, and what interceptors make of it has to pass; nil passes
// everything.
type checked struct {
	update  bson.Raw
	recheck func(bson.Raw) (bson.Raw, error)
}

// patchOf returns what the Go methods are asked for.
func patchOf(filter, update any) (f bson.Raw, c checked, err error) {
	if filter == nil {
		return nil, c, errNoFilter
	}
	if f, err = toRaw(filter); err != nil {
		return nil, c, fmt.Errorf("storage: filter: %w", err)
	}
	if c.update, err = toRaw(update); err != nil {
		return nil, c, fmt.Errorf("storage: update: %w", err)
	}
	c.update = operators(c.update)
	return f, c, nil
}

// operators returns an update that has operators: a plain document means $set.
func operators(update bson.Raw) bson.Raw {
	if first, err := update.IndexErr(0); err == nil && strings.HasPrefix(first.Key(), "$") {
		return update
	}
	return oneField("$set", update)
}

// patchOne asks, changes and tells.
func (s *Service) patchOne(ctx context.Context, t target, check checked) (bson.Raw, error) {
	filter := both(eitherID(t.filters), t.scope)
	update, err := s.ask(ctx, t.collection, filter, check, true)
	if err != nil {
		return nil, err
	}
	var doc bson.Raw
	err = s.hit(ctx, t, func(filter bson.Raw) (err error) {
		doc, err = s.raise(ctx, t.collection, filter, update)
		return err
	})
	if err != nil {
		return nil, err
	}
	signals.Announce(ctx, s.bus(), Patched{
		Collection: t.collection, Filter: filter, Update: update, ID: goID(doc.Lookup(fieldID)), Matched: 1, Modified: 1,
	})
	return doc, nil
}

// patchMany asks, changes and tells.
func (s *Service) patchMany(ctx context.Context, collection string, filter, scope bson.Raw, check checked) (PatchResult, error) {
	filter = both(filter, scope)
	update, err := s.ask(ctx, collection, filter, check, false)
	if err != nil {
		return PatchResult{}, err
	}
	stamped, err := stampUpdate(update, s.opts.Now(), raised)
	if err != nil {
		return PatchResult{}, err
	}
	result, err := s.updateMany(ctx, collection, filter, stamped)
	if result.Matched > 0 {
		signals.Announce(ctx, s.bus(), Patched{
			Collection: collection, Filter: filter, Update: update, Matched: result.Matched, Modified: result.Modified,
		})
	}
	if isRefused(err) {
		err = s.blameVersion(ctx, collection, filter, err)
	}
	return result, err
}

// ask asks the interceptors and returns the update as they leave it.
func (s *Service) ask(ctx context.Context, collection string, filter bson.Raw, check checked, one bool) (bson.Raw, error) {
	intent := &Patching{Collection: collection, Filter: filter, Update: check.update, One: one}
	if err := signals.Ask(ctx, s.bus(), intent); err != nil {
		return nil, err
	}
	if check.recheck == nil {
		return operators(intent.Update), nil
	}
	return check.recheck(intent.Update)
}

// update changes one document and returns it as it is then. The database lacks a
// way to return the version alone: the embedded one refuses a projection here.
func (s *Service) update(ctx context.Context, collection string, filter, update bson.Raw) (bson.Raw, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	o := options.FindOneAndUpdate().SetReturnDocument(options.After).SetMaxTime(s.opts.QueryTimeout)
	doc, err := s.db.Collection(collection).FindOneAndUpdate(ctx, orAll(filter), update, o).Raw()
	return doc, found("patching", err)
}

// stampUpdate returns an update that sets the time, and raises the version or makes
// it begin, besides.
func stampUpdate(update bson.Raw, now time.Time, v versioning) (bson.Raw, error) {
	elements, err := update.Elements()
	if err != nil {
		return nil, fmt.Errorf("storage: the update is malformed: %w", err)
	}
	set := bsoncore.AppendDateTimeElement(nil, fieldPatched, now.UnixMilli())
	var inc []byte
	if v == begun {
		set = bsoncore.AppendInt64Element(set, fieldVersion, now.UnixMicro())
	} else {
		inc = bsoncore.AppendInt64Element(nil, fieldVersion, 1)
	}
	start, dst := bsoncore.AppendDocumentStart(make([]byte, 0, len(update)+96))
	for _, e := range elements {
		value := e.Value()
		switch key := e.Key(); {
		case key == "$set" && value.Type == bson.TypeEmbeddedDocument:
			set = append(inner(value), set...)
		case key == "$inc" && value.Type == bson.TypeEmbeddedDocument:
			inc = append(inner(value), inc...)
		default:
			dst = append(dst, e...)
		}
	}
	dst = bsoncore.AppendDocumentElement(dst, "$set", bsoncore.BuildDocument(nil, set))
	if len(inc) > 0 { // not every database takes an operator without fields
		dst = bsoncore.AppendDocumentElement(dst, "$inc", bsoncore.BuildDocument(nil, inc))
	}
	return bsoncore.AppendDocumentEnd(dst, start)
}

// inner returns a copy of the elements of a document.
func inner(doc bson.RawValue) []byte {
	return append(make([]byte, 0, len(doc.Value)+32), doc.Value[4:len(doc.Value)-1]...)
}
