package limits

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/middleware"
)

// state is the document of a key. The zero state is that of a key without one.
type state struct {
	ID      string    `bson:"_id"`
	Count   int64     `bson:"count"`   // places taken
	Last    time.Time `bson:"last"`    // when the last one was
	Expires time.Time `bson:"expires"` // from when on it counts no more
}

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

// wait returns how long the next place is away; zero or less, when it is free.
func (s *state) wait(now time.Time, p middleware.Policy) time.Duration {
	switch {
	case s.over(now), s.Count < int64(p.Burst):
		return 0
	case p.MinDelay == 0:
		return s.Expires.Sub(now)
	default:
		return min(s.Last.Add(delay(s.Count-int64(p.Burst), p)).Sub(now), s.Expires.Sub(now))
	}
}

// over reports whether the state counts no more.
func (s *state) over(now time.Time) bool { return !now.Before(s.Expires) }

// delay returns MinDelay doubled n times, at most MaxDelay.
func delay(n int64, p middleware.Policy) time.Duration {
	d := p.MinDelay
	for ; n > 0 && d < p.MaxDelay; n-- {
		if d > p.MaxDelay/2 {
			return p.MaxDelay
		}
		d *= 2
	}
	return d
}

// read returns the state of a key, by the one filter that is fast everywhere.
func (l *Limiter) read(ctx context.Context, id string) (state, error) {
	var s state
	err := l.coll.FindOne(ctx, byID(id)).Decode(&s)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return state{}, nil
	}
	return s, wrap("reading a key", err)
}

// write takes the place that s has free. It returns false when another caller
// was faster, so that s is out of date.
func (l *Limiter) write(ctx context.Context, id string, s state, now time.Time, p middleware.Policy) (bool, error) {
	expires := now.Add(p.Window)
	if s.ID == "" {
		_, err := l.coll.InsertOne(ctx, state{ID: id, Count: 1, Last: now, Expires: expires})
		if mongo.IsDuplicateKeyError(err) {
			return false, nil
		}
		return err == nil, wrap("taking the first place", err)
	}
	filter, update := s.next(now, expires, p)
	res, err := l.coll.UpdateOne(ctx, append(byID(id), filter...), update)
	if err != nil {
		return false, wrap("taking a place", err)
	}
	return res.MatchedCount == 1, nil
}

// next returns the update that takes a place, and what must still hold then. In
// the burst that is only that there are places: many may take one at once.
func (s *state) next(now, expires time.Time, p middleware.Policy) (filter, update bson.D) {
	if s.over(now) {
		fresh := bson.D{{Key: "count", Value: 1}, {Key: "last", Value: now}, {Key: "expires", Value: expires}}
		return bson.D{{Key: "expires", Value: s.Expires}}, bson.D{{Key: "$set", Value: fresh}}
	}
	update = bson.D{{Key: "$inc", Value: bson.D{{Key: "count", Value: 1}}}}
	if p.MinDelay > 0 {
		later := bson.D{{Key: "last", Value: now}, {Key: "expires", Value: expires}}
		update = append(update, bson.E{Key: "$max", Value: later})
	}
	if s.Count >= int64(p.Burst) {
		return bson.D{{Key: "count", Value: s.Count}, {Key: "last", Value: s.Last}}, update
	}
	filter = bson.D{
		{Key: "expires", Value: bson.D{{Key: "$gt", Value: now}}},
		{Key: "count", Value: bson.D{{Key: "$lt", Value: p.Burst}}},
	}
	return filter, update
}
