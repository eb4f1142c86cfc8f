package storage

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
)

// target is one document as a request names it.
type target struct {
	collection string
	filters    []bson.Raw // by id, one after the other
	scope      bson.Raw   // of the caller; nil is none
	match      *tags      // of If-Match; nil without it
}

// hit calls write with one filter after the other until one of them hits. Where
// none does, the error is ErrPrecondition if the document is there and ErrNotFound
// if it is not: preconditions are for requests that would otherwise succeed (RFC
// 9110, section 13.2.1).
func (s *Service) hit(ctx context.Context, t target, write func(filter bson.Raw) error) error {
	for _, byID := range t.filters {
		filter := both(byID, t.scope)
		precondition, err := s.precondition(ctx, t, filter)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := write(both(filter, precondition)); !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if t.match == nil {
		return ErrNotFound
	}
	return s.missed(ctx, t)
}

// precondition returns what must hold of the document besides, as a filter, so
// that the database checks it in the write itself; nil for nothing, ErrNotFound
// where it cannot hold.
//
// A tag that is a hash belongs to a document without a version. That is read
// here, and matched in the write by what it has for one, if only nothing: our own
// writes change that. What other programs do to it in between goes unseen.
func (s *Service) precondition(ctx context.Context, t target, filter bson.Raw) (bson.Raw, error) {
	if t.match == nil || t.match.any {
		return nil, nil
	}
	if t.match.hashes() {
		doc, err := s.findOne(ctx, t.collection, filter, nil)
		if err != nil {
			return nil, err
		}
		if _, versioned := versionOf(doc); !versioned {
			tag, err := etagOf(doc)
			if err == nil && !t.match.strongly(tag) {
				err = ErrNotFound
			}
			return sameVersion(doc), err
		}
	}
	if versions := t.match.versions(); versions != nil {
		return versions, nil
	}
	return nil, ErrNotFound
}

// missed tells a document that is there, but not as it should be, from one that
// is not.
func (s *Service) missed(ctx context.Context, t target) error {
	for _, byID := range t.filters {
		_, err := s.findOne(ctx, t.collection, both(byID, t.scope), nil)
		if err == nil {
			return ErrPrecondition
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return ErrNotFound
}
