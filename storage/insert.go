package storage

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/signals"
)

// Insert inserts documents, each anything that has a BSON form, one after the
// other, and returns their ids in order. A document without an _id is given one, a
// string (see Options.NewID); _inserted and _version are set whatever it says of them.
//
// Where the database refuses one of them, those before it are in, those after it
// are not, and the error is a *[DuplicateError] or an *[InsertError]. A refusal of
// an interceptor is returned as it is.
func (s *Service) Insert(ctx context.Context, collection string, documents ...any) ([]any, error) {
	docs := make([]bson.Raw, len(documents))
	for i, document := range documents {
		doc, err := toRaw(document)
		if err != nil {
			return nil, fmt.Errorf("storage: document %d: %w", i, err)
		}
		docs[i] = doc
	}
	return s.insert(ctx, collection, docs, nil)
}

// insert asks, inserts and tells. What interceptors have made of the documents
// must pass check, if there is one, which may give others in their place.
func (s *Service) insert(ctx context.Context, collection string, docs []bson.Raw, check func([]bson.Raw) ([]bson.Raw, error)) ([]any, error) {
	intent := &Inserting{Collection: collection, Documents: docs}
	if err := signals.Ask(ctx, s.bus(), intent); err != nil {
		return nil, err
	}
	docs = intent.Documents
	if check != nil {
		var err error
		if docs, err = check(docs); err != nil {
			return nil, err
		}
	}
	if len(docs) == 0 {
		return []any{}, nil
	}
	now := s.opts.Now()
	stored, ids := make([]bson.Raw, len(docs)), make([]any, len(docs))
	for i, doc := range docs {
		var err error
		if stored[i], ids[i], err = s.stamp(doc, now); err != nil {
			return nil, err
		}
	}
	n, err := s.write(ctx, collection, stored)
	if n > 0 {
		signals.Announce(ctx, s.bus(), Inserted{Collection: collection, IDs: ids[:n:n], Documents: stored[:n:n]})
	}
	return ids[:n:n], notAll(err, ids, n)
}

// write inserts documents as they are and returns how many went in.
func (s *Service) write(ctx context.Context, collection string, docs []bson.Raw) (int, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	coll := s.db.Collection(collection)
	if len(docs) == 1 {
		if _, err := coll.InsertOne(ctx, docs[0]); err != nil {
			return 0, err
		}
		return 1, nil
	}
	all := make([]any, len(docs))
	for i, doc := range docs {
		all[i] = doc
	}
	if _, err := coll.InsertMany(ctx, all); err != nil {
		return refusedAt(err), err
	}
	return len(docs), nil
}

// refusedAt returns the index of the document that the database refused, and 0
// where it is unknown what went in.
func refusedAt(err error) int {
	if e, ok := errors.AsType[mongo.BulkWriteException](err); ok && len(e.WriteErrors) > 0 {
		return e.WriteErrors[0].Index
	}
	return 0
}

// notAll returns the error of an insert of which n documents went in.
func notAll(err error, ids []any, n int) error {
	switch {
	case err == nil:
		return nil
	case mongo.IsDuplicateKeyError(err):
		return &DuplicateError{IDs: ids[:n:n], Index: n, Err: err}
	case isWriteError(err):
		return &InsertError{IDs: ids[:n:n], Index: n, Err: err}
	}
	return fmt.Errorf("storage: inserting: %w", err)
}

// isWriteError reports whether the database refused a document, rather than all
// of the command.
func isWriteError(err error) bool {
	if e, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		return len(e.WriteErrors) > 0
	}
	e, ok := errors.AsType[mongo.WriteException](err)
	return ok && len(e.WriteErrors) > 0
}
