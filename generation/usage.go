package generation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// CollectionUsage is where the accounts are kept: a document for each user and day.
// None is ever deleted here.
const CollectionUsage = "_USAGE"

// Account is what was used on a day by one user, or without one.
type Account struct {
	// Day is a day by UTC, such as "2026-01-31".
	Day string `bson:"day" json:"day"`
	// Collection and User are whose account it is; both are empty where it is that
	// of all who called without a signed-in user: by API key, or from Go.
	Collection string `bson:"collection,omitempty" json:"collection,omitempty"`
	User       string `bson:"user,omitempty" json:"user,omitempty"`
	// Tally is the sum over all models.
	Tally `bson:",inline"`
	// Models has the names of the models, without "models/", and what each was used.
	Models map[string]Tally `bson:"models" json:"models"`
}

// Tally counts calls of Gemini and their tokens. A conversation with functions takes
// several calls. A call that Gemini refused does not count; one that broke off does,
// as far as Gemini had said what it took.
type Tally struct {
	// Calls counts the calls.
	Calls int64 `bson:"calls" json:"calls"`
	Usage `bson:",inline"`
}

// UsageError is returned to a user who has used up the tokens of the day.
type UsageError struct {
	// Limit is how many tokens there are for a day.
	Limit int64
	// Used is how many were used.
	Used int64
	// RetryAfter is how long the day still lasts.
	RetryAfter time.Duration
}

// Error says how many tokens were used, and of how many.
func (e *UsageError) Error() string {
	return fmt.Sprintf("generation: %d tokens were used today, and %d is the limit", e.Used, e.Limit)
}

func usageExceeded(e *UsageError) *service.Problem {
	return &service.Problem{
		Status: http.StatusTooManyRequests, Code: "usage_exceeded", Detail: "The tokens of this day are used up.", RetryAfter: e.RetryAfter, Err: e,
	}
}

// usageTimeout is how long the database may take to read or to write an account.
const usageTimeout = 5 * time.Second

// dayFormat is how days are written.
const dayFormat = time.DateOnly

// holder is whose account it is; the zero value is nobody's in particular.
type holder struct{ collection, user string }

// holderOf returns whose account a call goes to.
func holderOf(ctx context.Context) holder {
	if id, ok := middleware.FromContext(ctx); ok {
		return holder{id.Collection(), id.UserID()}
	}
	return holder{}
}

// id returns the id of an account: "2026-01-31/_USERS/…", or "2026-01-31/key" for
// what nobody in particular used.
func (h holder) id(day string) string {
	if h == (holder{}) {
		return day + "/key"
	}
	return day + "/" + url.PathEscape(h.collection) + "/" + url.PathEscape(h.user)
}

// UsageOf returns what a user of a collection used on the day, by UTC, that holds a
// time; with both empty, what was used without a signed-in user. Who used nothing
// has an account of zeros. Without accounts it returns [ErrNoAccounts].
func (s *Service) UsageOf(ctx context.Context, collection, user string, day time.Time) (Account, error) {
	h := holder{collection, user}
	a := Account{Day: day.UTC().Format(dayFormat), Collection: collection, User: user, Models: map[string]Tally{}}
	if s.opts.NoAccounts {
		return a, ErrNoAccounts
	}
	ctx, cancel := context.WithTimeout(ctx, usageTimeout)
	defer cancel()
	var stored Account
	err := s.db.Collection(CollectionUsage).FindOne(ctx, bson.D{{Key: "_id", Value: h.id(a.Day)}}).Decode(&stored)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return a, nil
	case err != nil:
		return a, fmt.Errorf("generation: reading usage: %w", err)
	}
	a.Tally = stored.Tally
	for name, t := range stored.Models {
		a.Models[fieldModel(name)] = t
	}
	return a, nil
}

// ErrNoAccounts is returned where Options.NoAccounts is set.
var ErrNoAccounts = errors.New("generation: there are no accounts")

// admit refuses a user who has used up the day's tokens. Calls that are under way
// have not been counted yet: of many at once, each that begins below the limit is
// made, and the sum may pass it by what they take together. Who is no signed-in user
// has no limit. Where the account cannot be read, nobody passes.
func (s *Service) admit(ctx context.Context) error {
	h := holderOf(ctx)
	if s.opts.DailyLimit == 0 || h == (holder{}) {
		return nil
	}
	now := s.opts.Now().UTC()
	a, err := s.UsageOf(ctx, h.collection, h.user, now)
	if err != nil {
		return err
	}
	if a.Total < s.opts.DailyLimit {
		return nil
	}
	midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	return &UsageError{Limit: s.opts.DailyLimit, Used: a.Total, RetryAfter: midnight.Sub(now)}
}

// account records one call of Gemini. It does so even where the caller has left:
// what was used was used.
func (s *Service) account(ctx context.Context, model string, u Usage, outcome Outcome) {
	if s.opts.NoAccounts || u == (Usage{}) && outcome != OutcomeOK {
		return
	}
	u.Total = max(u.Total, u.Input+u.Output+u.Thoughts)
	h, day := holderOf(ctx), s.opts.Now().UTC().Format(dayFormat)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usageTimeout)
	defer cancel()
	owner := bson.D{{Key: "day", Value: day}}
	if h != (holder{}) {
		owner = append(owner, bson.E{Key: "collection", Value: h.collection}, bson.E{Key: "user", Value: h.user})
	}
	update := bson.D{
		{Key: "$inc", Value: append(counts("", u), counts("models."+modelField(model)+".", u)...)},
		{Key: "$setOnInsert", Value: owner},
	}
	filter := bson.D{{Key: "_id", Value: h.id(day)}}
	upsert := options.Update().SetUpsert(true)
	_, err := s.db.Collection(CollectionUsage).UpdateOne(ctx, filter, update, upsert)
	if mongo.IsDuplicateKeyError(err) { // another call made the document at the same time
		_, err = s.db.Collection(CollectionUsage).UpdateOne(ctx, filter, update, upsert)
	}
	if err != nil {
		s.log().ErrorContext(ctx, "generation: usage is not recorded", slog.String("model", model), slog.Int64("tokens", u.Total), slog.Any("error", err))
	}
}

// counts returns what one call adds, as fields that begin with a prefix.
func counts(prefix string, u Usage) bson.D {
	return bson.D{
		{Key: prefix + "calls", Value: int64(1)},
		{Key: prefix + "input", Value: u.Input},
		{Key: prefix + "output", Value: u.Output},
		{Key: prefix + "cached", Value: u.Cached},
		{Key: prefix + "thoughts", Value: u.Thoughts},
		{Key: prefix + "total", Value: u.Total},
	}
}

// modelField returns the name of a model as the name of a field, where a dot would begin
// another one. Models have no percent sign in their names.
func modelField(model string) string {
	return strings.ReplaceAll(strings.TrimPrefix(model, "models/"), ".", "%2E")
}

// fieldModel returns the name of the model that a field is called by.
func fieldModel(name string) string { return strings.ReplaceAll(name, "%2E", ".") }
