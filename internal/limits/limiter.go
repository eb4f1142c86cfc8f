package limits

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/middleware"
)

// maxRounds bounds how often Take looks again after another caller was faster.
// A round is lost only to one that got somewhere, and after a few of them there
// is either a place or a refusal.
const maxRounds = 16

// errContended says that a key changed faster than it could be read.
var errContended = errors.New("limits: a key that changes without end")

// Limiter keeps the counts. It is safe for concurrent use.
type Limiter struct {
	coll *mongo.Collection
	now  func() time.Time
}

var _ middleware.Limiter = (*Limiter)(nil)

// New returns a limiter that keeps its counts in a collection of its own. A nil
// now is time.Now.
func New(coll *mongo.Collection, now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{coll: coll, now: now}
}

// Take takes a place under key or returns a *middleware.LimitError, whose wait is
// always positive. A refused try changes nothing. A policy that makes no sense is
// an error; those of the database are wrapped.
func (l *Limiter) Take(ctx context.Context, key string, p middleware.Policy) error {
	if err := check(p); err != nil {
		return err
	}
	id, now := hash(key), l.time()
	for range maxRounds {
		s, err := l.read(ctx, id)
		if err != nil {
			return err
		}
		if wait := s.wait(now, p); wait > 0 {
			return &middleware.LimitError{RetryAfter: wait}
		}
		if taken, err := l.write(ctx, id, s, now, p); taken || err != nil {
			return err
		}
	}
	return errContended
}

// Release gives back a place under key, where there is one: the next try finds it
// free. A delay still counts from the place that was given back. A place of a
// window that is over may be given back to the present one, in which then one
// more attempt is made, but over both no more than places were given.
func (l *Limiter) Release(ctx context.Context, key string, p middleware.Policy) error {
	if err := check(p); err != nil {
		return err
	}
	filter := bson.D{
		{Key: "_id", Value: hash(key)},
		{Key: "expires", Value: bson.D{{Key: "$gt", Value: l.time()}}},
		{Key: "count", Value: bson.D{{Key: "$gt", Value: 0}}},
	}
	_, err := l.coll.UpdateOne(ctx, filter, bson.D{{Key: "$inc", Value: bson.D{{Key: "count", Value: -1}}}})
	return wrap("releasing a place", err)
}

// Clear forgets the keys, each by itself: an error leaves those after it.
func (l *Limiter) Clear(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if _, err := l.coll.DeleteOne(ctx, byID(hash(key))); err != nil {
			return wrap("clearing a key", err)
		}
	}
	return nil
}

// time returns the present time as the database keeps it.
func (l *Limiter) time() time.Time { return l.now().UTC().Truncate(time.Millisecond) }

// hash returns the _id of a key.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func byID(id string) bson.D { return bson.D{{Key: "_id", Value: id}} }

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("limits: %s: %w", doing, err)
}
