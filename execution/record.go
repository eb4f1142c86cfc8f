package execution

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// collectionName is where the answers of idempotent functions are.
const collectionName = "_EXECUTIONS"

const (
	// leaseGrace is how long past its time limit a function still holds its key.
	leaseGrace = time.Minute
	// storeTimeout bounds the write of an answer.
	storeTimeout = 5 * time.Second
)

// stored is what the database keeps of a call. Its id is a hash of function, caller
// and key, so every read and write goes by _id.
type stored struct {
	ID      []byte    `bson:"_id"`
	Input   []byte    `bson:"input"`   // a hash
	Holder  string    `bson:"holder"`  // who may finish it
	Lease   time.Time `bson:"lease"`   // until when the holder is believed to be alive
	Expires time.Time `bson:"expires"` // from when on it is as if it were not there
	Answer  *answer   `bson:"answer,omitempty"`
}

// answer is how a call ended: with a text, or with a problem of the function's own,
// or in another way.
type answer struct {
	Text    []byte          `bson:"text,omitempty"`
	Status  int             `bson:"status,omitempty"`
	Code    string          `bson:"code,omitempty"`
	Message string          `bson:"message,omitempty"`
	Errors  []service.Field `bson:"errors,omitempty"`
	Ended   string          `bson:"ended,omitempty"`
}

// What answer.Ended says.
const (
	endedFailed  = "failed"
	endedTimeout = "timeout"
	endedLarge   = "too_large"
)

// records keeps what idempotent functions answered.
type records struct {
	coll     *mongo.Collection
	now      func() time.Time
	lifetime time.Duration
}

func newRecords(o Options) *records {
	return &records{coll: o.Database.Collection(collectionName), now: o.Now, lifetime: o.KeyLifetime}
}

// time returns now as the database keeps it.
func (r *records) time() time.Time { return r.now().UTC().Truncate(time.Millisecond) }

// record is the place of one call under its key; nil without a key.
type record struct {
	records *records
	log     func() *slog.Logger
	stored  stored
}

// begin takes the place of a call under a key, or finds the answer that is there.
// It returns ErrInProgress and ErrKeyReused.
func (s *Service) begin(ctx context.Context, f *function, input []byte, key string) (*record, error) {
	if key == "" {
		return nil, nil
	}
	now := s.records.time()
	lease := f.opts.Timeout + leaseGrace
	r := &record{records: s.records, log: s.logger, stored: stored{
		ID: recordID(ctx, f.name, key), Input: hash(compact(input)), Holder: rand.Text(),
		Lease: now.Add(lease), Expires: now.Add(max(s.records.lifetime, lease)),
	}}
	_, err := s.records.coll.InsertOne(ctx, r.stored)
	if mongo.IsDuplicateKeyError(err) {
		return r, r.meet(ctx, now)
	}
	if err != nil {
		return nil, fmt.Errorf("execution: storing the key: %w", err)
	}
	return r, nil
}

// meet deals with what is under the key already: it takes the place of what has
// expired and of a holder who must have died.
func (r *record) meet(ctx context.Context, now time.Time) error {
	var there stored
	err := r.records.coll.FindOne(ctx, bson.D{{Key: "_id", Value: r.stored.ID}}).Decode(&there)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return ErrInProgress // it has gone this moment; the next try will have it
	case err != nil:
		return fmt.Errorf("execution: reading the key: %w", err)
	case there.Expires.After(now) && !bytes.Equal(there.Input, r.stored.Input):
		return ErrKeyReused
	case there.Expires.After(now) && there.Answer != nil:
		r.stored.Answer = there.Answer
		return nil
	case there.Expires.After(now) && there.Lease.After(now):
		return ErrInProgress
	}
	res, err := r.records.coll.ReplaceOne(ctx, bson.D{{Key: "_id", Value: there.ID}, {Key: "holder", Value: there.Holder}}, r.stored)
	if err != nil {
		return fmt.Errorf("execution: taking the key over: %w", err)
	}
	if res.MatchedCount == 0 {
		return ErrInProgress // another was faster
	}
	return nil
}

// answered reports whether the call has been answered before.
func (r *record) answered() bool { return r != nil && r.stored.Answer != nil }

// answer returns what the call was answered before.
func (r *record) answer(name string) (json.RawMessage, error) {
	switch a := r.stored.Answer; a.Ended {
	case endedFailed:
		return nil, &FailedError{Function: name, Err: errors.New("it failed when it was called with this key")}
	case endedTimeout:
		return nil, ErrTimeout
	case endedLarge:
		return nil, ErrTooLarge
	default:
		if a.Text != nil {
			return a.Text, nil
		}
		return nil, &service.Problem{Status: a.Status, Code: a.Code, Detail: a.Message, Errors: a.Errors}
	}
}

// finish stores how the call ended, or frees the key where nothing was done. It is
// no business of the caller's, who may have gone.
func (r *record) finish(ctx context.Context, f *function, out *outcome) {
	if r == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	mine := bson.D{{Key: "_id", Value: r.stored.ID}, {Key: "holder", Value: r.stored.Holder}}
	var err error
	if a := answerOf(out); a != nil {
		_, err = r.records.coll.UpdateOne(ctx, mine, bson.D{{Key: "$set", Value: bson.D{{Key: "answer", Value: a}}}})
	} else {
		_, err = r.records.coll.DeleteOne(ctx, mine)
	}
	if err != nil {
		r.log().LogAttrs(ctx, slog.LevelError, "execution: an answer could not be stored under its key",
			slog.String("function", f.name), slog.Any("error", err))
	}
}

// answerOf returns what is stored of an outcome: all that the function has come to,
// be it a failure, for it may have done its work in part. Where it did not begin,
// for it does not take the input or says by 429 or 503 that one should try again,
// there is none.
func answerOf(out *outcome) *answer {
	if out.err == nil {
		return &answer{Text: out.text}
	}
	if _, ok := errors.AsType[*FailedError](out.err); ok {
		return &answer{Ended: endedFailed}
	}
	switch {
	case errors.Is(out.err, ErrTimeout):
		return &answer{Ended: endedTimeout}
	case errors.Is(out.err, ErrTooLarge):
		return &answer{Ended: endedLarge}
	}
	a := &answer{}
	if p, ok := errors.AsType[*service.Problem](out.err); ok {
		a.Status, a.Code, a.Message, a.Errors = p.Status, p.Code, p.Detail, p.Errors
	} else if e, ok := errors.AsType[*Error](out.err); ok {
		a.Status, a.Code, a.Message = e.Status, e.Code, e.Message
	}
	if a.Status == 0 || a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		return nil
	}
	return a
}

// recordID names a call: two callers never meet under one key.
func recordID(ctx context.Context, name, key string) []byte {
	collection, user := "", ""
	if id, ok := middleware.FromContext(ctx); ok {
		collection, user = id.Collection(), id.UserID()
	}
	return hash(fmt.Appendf(nil, "%q %q %q %q", name, collection, user, key))
}

// compact drops the white space of JSON.
func compact(input []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, input) != nil {
		return input
	}
	return b.Bytes()
}

func hash(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}
