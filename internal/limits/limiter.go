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
		now = time.Now //nolint:forbidigo // the default of the argument
	}
	return &Limiter{coll: coll, now: now}
}

// Take takes a place under key or returns a *middleware.LimitError, whose wait is
// always positive. A refused try takes no place. A policy that makes no sense is
// an error; those of the database are wrapped.
func (l *Limiter) Take(ctx context.Context, key string, p middleware.Policy) error {
	if err := check(p); err != nil {
		return err
	}
	id, now := hash(key), l.time()
	d, err := l.read(ctx, id)
	if err != nil {
		return err
	}
	number, e := d.at(now)
	if wait := e.wait(now, p); wait > 0 {
		return &middleware.LimitError{RetryAfter: wait}
	}
	if e.full(p) {
		return l.takeDelayed(ctx, id, number, e, now, p)
	}
	e, err = l.count(ctx, id, number, "burst", now, p)
	if err != nil || e.Burst <= int64(p.Burst) {
		return err
	}
	return &middleware.LimitError{RetryAfter: e.wait(now, p)}
}

// takeDelayed takes the one place that an era has after its delay.
func (l *Limiter) takeDelayed(ctx context.Context, id string, number int64, e era, now time.Time, p middleware.Policy) error {
	mine := e.Delayed + 1
	e, err := l.count(ctx, id, number, "delayed", now, p)
	if err != nil || e.Delayed == mine {
		return err
	}
	// Another caller has it. This try must not make the next delay longer.
	if err := l.change(ctx, id, "$inc", path(number, "delayed"), -1); err != nil {
		return wrap("taking back a try", err)
	}
	e.Delayed = mine
	return &middleware.LimitError{RetryAfter: e.wait(now, p)}
}

// Release gives back a place under key, where one is taken: the next try has it,
// without a delay. A place of a window that is over may be given back to the
// present one, in which then one more attempt is made, but over both no more
// than places were given.
func (l *Limiter) Release(ctx context.Context, key string, p middleware.Policy) error {
	if err := check(p); err != nil {
		return err
	}
	id := hash(key)
	d, err := l.read(ctx, id)
	if err != nil {
		return err
	}
	number, e := d.at(l.time())
	switch taken, burst := path(number, "burst"), int64(p.Burst); {
	case e.Burst > burst: // with tries that got no place
		err = l.change(ctx, id, "$set", taken, burst-1)
	case e.Burst > 0:
		err = l.change(ctx, id, "$inc", taken, -1)
	}
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

// check refuses a policy that cannot be kept.
func check(p middleware.Policy) error {
	switch {
	case p.Burst < 1:
		return errors.New("limits: a policy's Burst must be 1 or more")
	case p.Window < time.Millisecond:
		return errors.New("limits: a policy's Window must be a millisecond or more")
	case p.MinDelay < 0, p.MinDelay > 0 && p.MaxDelay < p.MinDelay:
		return errors.New("limits: a policy's MinDelay must not be negative, and MaxDelay not below it")
	}
	return nil
}

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
