package payment

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

const (
	// DefaultLimit is how many events a list has where the request does not say.
	DefaultLimit = 100
	// MaxLimit is how many events a list may have.
	MaxLimit = 1000
)

// Page is a part of a list. The zero value is the first DefaultLimit.
type Page struct {
	// Skip is how many are left out.
	Skip int64
	// Limit is how many there are at most. 0 means DefaultLimit.
	Limit int64
}

// Events returns events of the inbox, the newest first, without their payloads.
func (s *Service) Events(ctx context.Context, f EventFilter, p Page) ([]Record, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if p.Skip < 0 || p.Limit < 0 {
		return nil, &errFilter{"skip", "and limit must not be negative"}
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	cursor, err := s.events.Find(ctx, f.bson(), options.Find().SetProjection(bson.D{{Key: fieldPayload, Value: 0}}).
		SetSort(newestFirst()).SetSkip(p.Skip).SetLimit(cmp.Or(p.Limit, DefaultLimit)))
	if err != nil {
		return nil, fmt.Errorf("payment: listing events: %w", err)
	}
	records := []Record{}
	if err := cursor.All(ctx, &records); err != nil {
		return nil, fmt.Errorf("payment: listing events: %w", err)
	}
	return records, nil
}

// newestFirst is the order of lists.
func newestFirst() bson.D { return bson.D{{Key: fieldCreated, Value: -1}, {Key: fieldID, Value: -1}} }

// CountEvents returns how many events match.
func (s *Service) CountEvents(ctx context.Context, f EventFilter) (int64, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	n, err := s.events.CountDocuments(ctx, f.bson())
	if err != nil {
		return 0, fmt.Errorf("payment: counting events: %w", err)
	}
	return n, nil
}

// Event returns an event of the inbox with its payload, or ErrNotFound.
func (s *Service) Event(ctx context.Context, id string) (Record, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var doc stored
	err := s.events.FindOne(ctx, bson.D{{Key: fieldID, Value: id}}).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return Record{}, ErrNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("payment: reading the event: %w", err)
	}
	return doc.record(), nil
}
