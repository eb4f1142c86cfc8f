package storage

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/signals"
)

// DeleteOne deletes the first document that matches a filter, or returns
// ErrNotFound.
func (s *Service) DeleteOne(ctx context.Context, collection string, filter any) error {
	f, err := filterOf(filter)
	if err != nil {
		return err
	}
	return s.deleteOne(ctx, target{collection: collection, filters: []bson.Raw{f}})
}

// DeleteMany deletes all documents that match a filter and returns how many there
// were, as far as the database says it also beside an error. A filter must be given:
// bson.D{} means all documents.
func (s *Service) DeleteMany(ctx context.Context, collection string, filter any) (int64, error) {
	f, err := filterOf(filter)
	if err != nil {
		return 0, err
	}
	return s.deleteMany(ctx, collection, f, nil)
}

// filterOf returns a filter that must be given.
func filterOf(filter any) (bson.Raw, error) {
	if filter == nil {
		return nil, errNoFilter
	}
	f, err := toRaw(filter)
	if err != nil {
		return nil, fmt.Errorf("storage: filter: %w", err)
	}
	return f, nil
}

// deleteOne asks, deletes and tells.
func (s *Service) deleteOne(ctx context.Context, t target) error {
	filter := both(eitherID(t.filters), t.scope)
	intent := &Deleting{Collection: t.collection, Filter: filter, One: true}
	if err := signals.Ask(ctx, s.bus(), intent); err != nil {
		return err
	}
	var id any
	err := s.hit(ctx, t, func(filter bson.Raw) (err error) {
		id, err = s.remove(ctx, t.collection, filter)
		return err
	})
	if err != nil {
		return err
	}
	signals.Announce(ctx, s.bus(), Deleted{Collection: t.collection, Filter: filter, ID: id, Count: 1})
	return nil
}

// deleteMany asks, deletes and tells.
func (s *Service) deleteMany(ctx context.Context, collection string, filter, scope bson.Raw) (int64, error) {
	filter = both(filter, scope)
	if err := signals.Ask(ctx, s.bus(), &Deleting{Collection: collection, Filter: filter}); err != nil {
		return 0, err
	}
	n, err := s.removeMany(ctx, collection, filter)
	if n > 0 {
		signals.Announce(ctx, s.bus(), Deleted{Collection: collection, Filter: filter, Count: n})
	}
	return n, err
}

// remove deletes one document and returns its id.
func (s *Service) remove(ctx context.Context, collection string, filter bson.Raw) (any, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	o := options.FindOneAndDelete().SetMaxTime(s.opts.QueryTimeout)
	doc, err := s.db.Collection(collection).FindOneAndDelete(ctx, orAll(filter), o).Raw()
	if err != nil {
		return nil, found("deleting", err)
	}
	return goID(doc.Lookup(fieldID)), nil
}
