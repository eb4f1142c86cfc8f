package limits

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// EnsureIndexes makes the index that Sweep goes by. It is no TTL index: those go
// by the server's clock, and not every database has them.
func (l *Limiter) EnsureIndexes(ctx context.Context) error {
	_, err := l.coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "expires", Value: 1}}})
	return wrap("making the index", err)
}

// Sweep deletes the keys that count no more, and returns how many there were.
// Several instances may sweep at once.
func (l *Limiter) Sweep(ctx context.Context) (removed int64, err error) {
	res, err := l.coll.DeleteMany(ctx, bson.D{{Key: "expires", Value: bson.D{{Key: "$lte", Value: l.time()}}}})
	if err != nil {
		return 0, wrap("sweeping", err)
	}
	return res.DeletedCount, nil
}
