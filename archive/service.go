package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/readpref"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/internal/nilness"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// Service keeps files: their bytes in a [Store], a record of each in a database.
// Its methods are safe for concurrent use.
type Service struct {
	db       *mongo.Database
	store    Store
	linker   Linker // the store, where downloads are redirected to it; else nil
	opts     Options
	rules    mongoquery.Rules // of queries over HTTP
	problems []service.Rule
	links    *signer // nil without a secret, as tickets
	tickets  *signer
	host     atomic.Pointer[service.Host]

	lifecycle sync.Mutex // held while Start or Stop runs
	worker    *worker    // nil while none runs
}

var _ service.Service = (*Service)(nil)

// New returns a Service whose records are in db and whose bytes are in store. A nil
// opts means all defaults. It does no input or output, and returns every mistake at
// once, each naming its field.
//
// How long a request waits for a database that is away is the client's to say: set
// the server selection timeout of db's client to two seconds or so;
// [Options].QueryTimeout ends it in any case.
func New(db *mongo.Database, store Store, opts *Options) (*Service, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.withDefaults()
	if nilness.Is(store) {
		err = errors.Join(errors.New("archive: the store is nil"), err)
	}
	if db == nil {
		err = errors.Join(errors.New("archive: the database is nil"), err)
	}
	linker, isLinker := store.(Linker)
	if o.Redirect && !isLinker {
		err = errors.Join(err, errors.New("archive: Options.Redirect needs a store that is a Linker"))
	}
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, store: store, opts: o, problems: problems()}
	if o.Redirect {
		s.linker = linker
	}
	s.rules = mongoquery.Rules{Fields: shown()}
	s.links = newSigner(labelLink, o.Secret, o.OldSecrets)
	s.tickets = newSigner(labelTicket, o.Secret, o.OldSecrets)
	s.host.Store(&service.Host{})
	return s, nil
}

// Name returns "archive".
func (s *Service) Name() string { return "archive" }

// Collections returns those of the records and of spent tickets.
func (s *Service) Collections() []service.Namespace {
	return []service.Namespace{
		{Database: s.db.Name(), Collection: s.opts.Collection},
		{Database: s.db.Name(), Collection: s.opts.Collection + ticketSuffix},
	}
}

// Rules returns what the errors of the service mean over HTTP.
func (s *Service) Rules() []service.Rule { return s.problems }

// Adopt gives the service its host.
func (s *Service) Adopt(h service.Host) { s.host.Store(&h) }

// Ready returns nil when the database and the store can be used.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.db.Client().Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return wrap("the store", s.store.Ready(ctx))
}

// log returns where failures are logged; nil is slog.Default() to those who take it.
func (s *Service) log() *slog.Logger {
	if s.opts.Logger != nil {
		return s.opts.Logger
	}
	return s.host.Load().Logger
}

// logger is log for those who do not take nil.
func (s *Service) logger() *slog.Logger {
	if l := s.log(); l != nil {
		return l
	}
	return slog.Default()
}

// bus returns where events go; nil has no subscribers.
func (s *Service) bus() *signals.Bus { return s.host.Load().Signals }

// records is the collection of the records.
func (s *Service) records() *mongo.Collection { return s.db.Collection(s.opts.Collection) }

// now returns the time, as precise as the database keeps it.
func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Millisecond) }

// grace is how much longer than the database we wait for its answer.
const grace = time.Second

// bounded returns a context that ends a little after the time that the database
// has, so that its own word for that comes first.
func (s *Service) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.opts.QueryTimeout+grace)
}

// cleanupTime is how long the removal of bytes may take whose record is not, or no
// longer, there. What it does not reach is left to the sweep.
const cleanupTime = 30 * time.Second

// detached returns a context for what has to be done even if the client has left.
func detached(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// wrap says what failed, and returns nil for nil.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("archive: %s: %w", what, err)
}
