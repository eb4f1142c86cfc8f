package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// FindOptions say which of the documents that match are wanted, and what of them.
// The zero value and nil mean all of all, in no order.
type FindOptions struct {
	// Keys is a projection, anything that has a BSON form. Defaults to nil: whole
	// documents.
	Keys any
	// Sort orders the documents. Defaults to none.
	Sort bson.D
	// Limit is how many documents are wanted at most. Defaults to 0: all.
	Limit int64
	// Skip is how many documents are left out at the beginning. Defaults to 0.
	Skip int64
}

// Find returns the documents that match a filter, which is anything that has a
// BSON form; nil is all documents. It returns an empty slice where nothing
// matches, and holds all of them in memory: see [Service.Export] for many.
func (s *Service) Find(ctx context.Context, collection string, filter any, opts *FindOptions) ([]bson.Raw, error) {
	q, err := selectionOf(filter, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	cursor, err := s.open(ctx, collection, q, s.bounds())
	if err != nil {
		return nil, err
	}
	docs := []bson.Raw{}
	return docs, wrap("finding", cursor.All(ctx, &docs))
}

// Decode returns documents as values of a type, by its bson tags. It returns an
// empty slice for none, and an error that names the first document that does not
// fit.
func Decode[T any](documents []bson.Raw) ([]T, error) {
	out := make([]T, len(documents))
	for i, document := range documents {
		if err := bson.Unmarshal(document, &out[i]); err != nil {
			return nil, fmt.Errorf("storage: document %d: %w", i, err)
		}
	}
	return out, nil
}

// FindOne returns the first document that matches a filter, or ErrNotFound.
// Options.Limit is of no use here.
func (s *Service) FindOne(ctx context.Context, collection string, filter any, opts *FindOptions) (bson.Raw, error) {
	q, err := selectionOf(filter, opts)
	if err != nil {
		return nil, err
	}
	o := options.FindOne().SetSkip(q.skip)
	if q.sort != nil {
		o.SetSort(q.sort)
	}
	return s.findOne(ctx, collection, q.filter, q.keys, o)
}

// Count returns how many documents match a filter; nil is all documents.
func (s *Service) Count(ctx context.Context, collection string, filter any) (int64, error) {
	q, err := selectionOf(filter, nil)
	if err != nil {
		return 0, err
	}
	return s.count(ctx, collection, q.filter)
}

// Export returns the documents that match a filter one by one, in constant
// memory, for as long as it takes: each batch of the database has QueryTimeout. A
// document is good until the next one is asked for. The error comes last, with a
// nil document; leaving the loop ends the export.
func (s *Service) Export(ctx context.Context, collection string, filter any, opts *FindOptions) iter.Seq2[bson.Raw, error] {
	q, err := selectionOf(filter, opts)
	if err != nil {
		return func(yield func(bson.Raw, error) bool) { yield(nil, err) }
	}
	return s.each(ctx, func(ctx context.Context) (*mongo.Cursor, error) {
		return s.open(ctx, collection, q, options.Find().SetBatchSize(batch))
	})
}

// selection is which documents are wanted, in the form that goes to the database.
type selection struct {
	filter, keys, sort bson.Raw // nil is none
	limit, skip        int64    // a limit of 0 is none
}

// selectionOf returns what the Go methods are asked for.
func selectionOf(filter any, opts *FindOptions) (q selection, err error) {
	if opts == nil {
		opts = &FindOptions{}
	}
	q = selection{limit: opts.Limit, skip: opts.Skip}
	if filter != nil {
		if q.filter, err = toRaw(filter); err != nil {
			return q, fmt.Errorf("storage: filter: %w", err)
		}
	}
	if opts.Keys != nil {
		if q.keys, err = toRaw(opts.Keys); err != nil {
			return q, fmt.Errorf("storage: keys: %w", err)
		}
	}
	if len(opts.Sort) > 0 {
		if q.sort, err = toRaw(opts.Sort); err != nil {
			return q, fmt.Errorf("storage: sort: %w", err)
		}
	}
	if opts.Limit < 0 || opts.Skip < 0 {
		return q, errors.New("storage: FindOptions.Limit and Skip cannot be negative")
	}
	return q, nil
}

// bounds returns options with the time that one operation has.
func (s *Service) bounds() *options.FindOptions {
	return options.Find().SetMaxTime(s.opts.QueryTimeout)
}

// open starts a find.
func (s *Service) open(ctx context.Context, collection string, q selection, o *options.FindOptions) (*mongo.Cursor, error) {
	if q.keys != nil {
		o.SetProjection(q.keys)
	}
	if q.sort != nil {
		o.SetSort(q.sort).SetAllowDiskUse(false)
	}
	if q.limit > 0 {
		o.SetLimit(q.limit)
	}
	if q.skip > 0 {
		o.SetSkip(q.skip)
	}
	cursor, err := s.db.Collection(collection).Find(ctx, orAll(q.filter), o)
	return cursor, wrap("finding", err)
}

// findOne returns a document, or ErrNotFound.
func (s *Service) findOne(ctx context.Context, collection string, filter, keys bson.Raw, opts ...*options.FindOneOptions) (bson.Raw, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	o := options.FindOne().SetMaxTime(s.opts.QueryTimeout)
	if keys != nil {
		o.SetProjection(keys)
	}
	doc, err := s.db.Collection(collection).FindOne(ctx, orAll(filter), append(opts, o)...).Raw()
	return doc, found("finding", err)
}

// count counts the documents that match.
func (s *Service) count(ctx context.Context, collection string, filter bson.Raw) (int64, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	n, err := s.db.Collection(collection).CountDocuments(ctx, orAll(filter), options.Count().SetMaxTime(s.opts.QueryTimeout))
	return n, wrap("counting", err)
}

// wrap says what failed, and returns nil for nil.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("storage: %s: %w", what, err)
}

// found is wrap that knows the driver's word for no document.
func found(what string, err error) error {
	if errors.Is(err, mongo.ErrNoDocuments) {
		return ErrNotFound
	}
	return wrap(what, err)
}
