package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// Defaults of [Options], and bounds that have no option.
const (
	// DefaultQueryTimeout is how long the database may work on one operation, or
	// on one batch of an export.
	DefaultQueryTimeout = 5 * time.Second
	// DefaultExports is how many NDJSON answers are written at once.
	DefaultExports = 4
	// DefaultBodyLimit is how many bytes the body of a request may have.
	DefaultBodyLimit = 1 << 20
	// DefaultLimit is how many documents a list has where the request does not say.
	DefaultLimit = 100
	// MaxLimit is how many documents a list may have; NDJSON has no such bound.
	MaxLimit = 1000
	// MaxDocuments is how many documents one insert over HTTP may have.
	MaxDocuments = 1000
	// MaxAnswerBytes is how large the JSON of a list may grow, unless it is that of
	// one document. What is larger is asked for in smaller parts, or as NDJSON.
	MaxAnswerBytes = 16 << 20
	// MaxIDBytes is how long an _id given by a client may be.
	MaxIDBytes = 512
)

// Options are the optional settings of a [Service]. The zero value means all defaults.
type Options struct {
	// Reserved names collections of this database that HTTP must not reach, beside
	// those of the services of the same App and those that begin with "_" or
	// "system.". The Go methods reach them all the same.
	//
	// Defaults to none.
	Reserved []string

	// Scope limits what each request over HTTP sees and writes: see [ScopeFunc].
	// Without it, whoever may call a route reads and writes every document.
	//
	// Defaults to nil: no limit.
	Scope ScopeFunc

	// Geo allows the geographic operators in filters. They need an index that the
	// gateway makes itself, and the embedded database lacks them.
	//
	// Defaults to false: 400 operator_not_allowed.
	Geo bool

	// Text allows $text in filters, and its score in sorts and projections. It
	// needs an index that the gateway makes itself, and the embedded database
	// lacks it.
	//
	// Defaults to false: 400 operator_not_allowed.
	Text bool

	// QueryTimeout is how long the database may work on one operation over HTTP
	// or of the Go methods, or on one batch of an export. The client's side waits
	// a second longer, so that a database that went away holds no request.
	//
	// Defaults to DefaultQueryTimeout.
	QueryTimeout time.Duration

	// Exports is how many NDJSON answers are written at once; the next one is
	// answered 503 with Retry-After.
	//
	// Defaults to DefaultExports.
	Exports int

	// BodyLimit is how many bytes the body of a request may have. More is 413.
	//
	// Defaults to DefaultBodyLimit.
	BodyLimit int64

	// Logger receives the causes of failed requests.
	//
	// Defaults to the logger of the App, and to slog.Default() without one.
	Logger *slog.Logger

	// Now tells the time of _inserted, _patched and the first _version.
	//
	// Defaults to time.Now.
	Now func() time.Time

	// NewID makes the _id of a document that comes without one: a string of 1 to
	// MaxIDBytes bytes. It must be safe for concurrent use.
	//
	// Defaults to the 24 hex digits of a new ObjectId.
	NewID func() string
}

// Op is what a [ScopeFunc] is asked about.
type Op struct {
	// Kind is what is about to be done.
	Kind OpKind
	// Database and Collection are where. For a pipeline that joins, the function
	// is asked once for each collection it reads.
	Database, Collection string
}

// OpKind is a kind of operation.
type OpKind string

// The kinds of operations.
const (
	OpFind      OpKind = "find"
	OpInsert    OpKind = "insert"
	OpUpdate    OpKind = "update"
	OpDelete    OpKind = "delete"
	OpAggregate OpKind = "aggregate"
)

// ScopeFunc returns the filter that the documents of a caller match; the caller
// is in ctx ([middleware.FromContext] for a signed-in user). The empty filter
// bson.D{} means all documents; a nil one without an error is a mistake, and a 500.
// An error refuses the request: best a *service.Problem, for any other is a 500. It
// must be safe for concurrent use.
//
//	func(ctx context.Context, op storage.Op) (bson.D, error) {
//		user, ok := middleware.FromContext(ctx)
//		if !ok {
//			return nil, middleware.Unauthenticated()
//		}
//		return bson.D{{"owner", user.UserID()}}, nil
//	}
//
// What it returns holds for every route: it is part of every filter, of every
// pipeline and of every pipeline inside one, so that other documents are as if
// they did not exist. For an insert it must consist of plain top-level fields and
// their values, which every new document is given; a document that says otherwise
// is refused. A client may not write a field that the filter of an update names, so
// that no document leaves a scope or enters one; such a filter may therefore use
// $and, $or and $nor, but not $expr and the like.
//
// Ids are unique in a collection, not in a scope: a client that inserts with an _id
// of its own learns by 409 duplicate_key that there is such a document, be it
// another's. Where that matters, let an interceptor of [Inserting] refuse documents
// that have an _id; those that storage makes cannot be guessed in practice.
//
// The Go methods of [Service] are the gateway's own and have no scope.
type ScopeFunc func(ctx context.Context, op Op) (bson.D, error)

// withDefaults returns a copy in which every field has its value, or all that is
// wrong with it.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	for i, name := range o.Reserved {
		if name == "" {
			errs = append(errs, fmt.Errorf("storage: Options.Reserved[%d] is empty", i))
		}
	}
	negative := map[string]int64{
		"QueryTimeout": int64(o.QueryTimeout), "Exports": int64(o.Exports), "BodyLimit": o.BodyLimit,
	}
	for _, name := range slices.Sorted(maps.Keys(negative)) {
		if v := negative[name]; v < 0 {
			errs = append(errs, fmt.Errorf("storage: Options.%s is %d, and cannot be negative", name, v))
		}
	}
	if o.QueryTimeout > 0 && o.QueryTimeout < time.Millisecond {
		errs = append(errs, fmt.Errorf("storage: Options.QueryTimeout is %s, and the database counts in milliseconds", o.QueryTimeout))
	}
	o.Reserved = slices.Clone(o.Reserved)
	o.QueryTimeout = cmp.Or(o.QueryTimeout, DefaultQueryTimeout)
	o.Exports = cmp.Or(o.Exports, DefaultExports)
	o.BodyLimit = cmp.Or(o.BodyLimit, DefaultBodyLimit)
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	if o.NewID == nil {
		o.NewID = func() string { return primitive.NewObjectID().Hex() }
	}
	return o, errors.Join(errs...)
}
