package limits

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/middleware"
)

// document is what is kept of a key. A key without one has the zero document.
type document struct {
	ID      string         `bson:"_id"`
	Era     int64          `bson:"era"`     // the present one
	Eras    map[string]era `bson:"eras"`    // by name; a former one may be left
	Expires time.Time      `bson:"expires"` // no era counts any more
}

// era is the time from a first place until the places are forgotten.
type era struct {
	Burst   int64     `bson:"burst"`   // places taken of the burst, and tries that raced for the last
	Delayed int64     `bson:"delayed"` // places taken after a delay
	Last    time.Time `bson:"last"`    // when the last place was taken
	Until   time.Time `bson:"until"`
}

// at returns the era that counts at a time: the present one, or, when that is
// over, the next, in which nothing has happened yet.
func (d *document) at(now time.Time) (number int64, e era) {
	e = d.era(d.Era)
	if now.Before(e.Until) {
		return d.Era, e
	}
	return d.Era + 1, era{}
}

func (d *document) era(number int64) era { return d.Eras[eraName(number)] }

// eraName is no bare number, which a path could take for a place in an array.
func eraName(number int64) string { return "e" + strconv.FormatInt(number, 10) }

// path returns that of an era's field.
func path(number int64, field string) string { return "eras." + eraName(number) + "." + field }

// full reports whether no place of the burst is left.
func (e *era) full(p middleware.Policy) bool { return e.Burst >= int64(p.Burst) }

// wait returns how long the next place is away; zero or less, when it is free.
func (e *era) wait(now time.Time, p middleware.Policy) time.Duration {
	if !e.full(p) {
		return 0
	}
	rest := e.Until.Sub(now)
	if p.MinDelay == 0 {
		return rest
	}
	return min(rest, e.Last.Add(delay(e.Delayed, p)).Sub(now))
}

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

// read returns the document of a key.
func (l *Limiter) read(ctx context.Context, id string) (document, error) {
	var d document
	err := l.coll.FindOne(ctx, byID(id)).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return document{}, nil
	}
	return d, wrap("reading a key", err)
}

// count raises a field of an era, and returns the era as it is then.
func (l *Limiter) count(ctx context.Context, id string, number int64, field string, now time.Time, p middleware.Policy) (era, error) {
	update := counting(number, field, now, p)
	opts := options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)
	var d document
	err := l.coll.FindOneAndUpdate(ctx, byID(id), update, opts).Decode(&d)
	if mongo.IsDuplicateKeyError(err) {
		// Another caller made the document at the same time: now it is there.
		err = l.coll.FindOneAndUpdate(ctx, byID(id), update, opts).Decode(&d)
	}
	return d.era(number), wrap("taking a place", err)
}

// counting returns the update that raises a field of an era. A window ends when
// its first place says; a delay is remembered from the last place on.
func counting(number int64, field string, now time.Time, p middleware.Policy) bson.D {
	expires := now.Add(p.Window)
	until := bson.E{Key: path(number, "until"), Value: expires}
	later := bson.D{{Key: path(number, "last"), Value: now}, {Key: "era", Value: number}, {Key: "expires", Value: expires}}
	update := bson.D{
		{Key: "$inc", Value: bson.D{{Key: path(number, field), Value: int64(1)}}},
		{Key: "$unset", Value: bson.D{{Key: "eras." + eraName(number-1), Value: ""}}},
	}
	if p.MinDelay == 0 {
		return append(update, bson.E{Key: "$max", Value: later}, bson.E{Key: "$min", Value: bson.D{until}})
	}
	return append(update, bson.E{Key: "$max", Value: append(later, until)})
}

// change changes one number of a key that has a document.
func (l *Limiter) change(ctx context.Context, id, operator, path string, value int64) error {
	_, err := l.coll.UpdateOne(ctx, byID(id), bson.D{{Key: operator, Value: bson.D{{Key: path, Value: value}}}})
	return err
}
