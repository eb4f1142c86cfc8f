package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/readpref"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// Service keeps documents in a database and offers them over HTTP. Its methods
// are safe for concurrent use.
type Service struct {
	db       *mongo.Database
	opts     Options
	onInsert mongoquery.Rules // _id may be given
	rules    mongoquery.Rules // for all else
	problems []service.Rule
	exports  chan struct{} // holds a token for each export under way
	buffers  sync.Pool     // of *buffer
	host     atomic.Pointer[service.Host]
}

var _ service.Service = (*Service)(nil)

// New returns a Service on the collections of db. A nil opts means all defaults.
// It does no input or output, and returns every mistake in the options at once,
// each naming its field.
//
// How long a request waits for a database that is away is the client's to say:
// set the server selection timeout of db's client to two seconds or so, for the
// driver's own default is thirty; [Options].QueryTimeout ends it in any case.
func New(db *mongo.Database, opts *Options) (*Service, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.withDefaults()
	if db == nil {
		err = errors.Join(errors.New("storage: the database is nil"), err)
	}
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, opts: o, problems: problems(), exports: make(chan struct{}, o.Exports)}
	s.rules = mongoquery.Rules{Hidden: hidden(), Geo: o.Geo, Text: o.Text, Expr: true, Collections: s.checkCollection}
	s.onInsert = s.rules
	s.onInsert.Writable = []string{fieldID}
	s.host.Store(&service.Host{})
	return s, nil
}

// Name returns "storage".
func (s *Service) Name() string { return "storage" }

// Collections returns none: all that storage keeps belongs to its callers.
func (s *Service) Collections() []service.Namespace { return nil }

// Rules returns what the errors of the service mean over HTTP.
func (s *Service) Rules() []service.Rule { return s.problems }

// Adopt gives the service its host.
func (s *Service) Adopt(h service.Host) { s.host.Store(&h) }

// Start does nothing: there are no indexes to make and no workers to start.
func (s *Service) Start(context.Context) error { return nil }

// Ready returns nil when the database answers within ctx.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.db.Client().Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	return nil
}

// Stop does nothing: requests under way end with the server that carries them.
func (s *Service) Stop(context.Context) error { return nil }

// log returns where failures are logged.
func (s *Service) log() *slog.Logger {
	if s.opts.Logger != nil {
		return s.opts.Logger
	}
	return s.host.Load().Logger // nil is slog.Default() to those who take it
}

// bus returns where events go; nil has no subscribers.
func (s *Service) bus() *signals.Bus { return s.host.Load().Signals }

// grace is how much longer than the database we wait for its answer.
const grace = time.Second

// bounded returns a context that ends a little after the time that the database
// has, so that its own word for that comes first.
func (s *Service) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.opts.QueryTimeout+grace)
}

// The fields that storage writes itself.
const (
	fieldID       = "_id"
	fieldInserted = "_inserted"
	fieldPatched  = "_patched"
	fieldVersion  = "_version"
)

// hidden returns the top-level fields that do not exist over HTTP, whatever the
// collection: what auth keeps in the documents of its users.
func hidden() []string { return slices.Clone([]string{"_password", "_sessions", "_identity"}) }
