package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/limits"
	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/internal/token"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// Service signs people up and in, and knows them again. Make one with [New]. All
// methods are safe for concurrent use.
type Service struct {
	db    *mongo.Database
	opts  Options // resolved
	rules []service.Rule

	collections map[string]*mongo.Collection
	hasher      *password.Hasher
	access      *token.Signer
	cookie      *token.Signer
	refresher   *token.Refresher
	limiter     middleware.Limiter // nil where there are no limits

	place   atomic.Pointer[place]
	started atomic.Bool
	turns   sync.Map // collection and identity → chan struct{}, closed when that sign-up has ended

	lifecycle sync.Mutex // held while Start or Stop runs
	worker    *worker    // nil while none runs
}

var (
	_ service.Service          = (*Service)(nil)
	_ middleware.Authenticator = (*Service)(nil)
)

// The labels under which keys are derived from the secret.
const (
	labelAccess  = "coglex/auth/access/v1"
	labelCookie  = "coglex/auth/cookie/v1"
	labelRefresh = "coglex/auth/refresh/v1"
)

// issuer is the "iss" claim of our tokens.
const issuer = "coglex"

// New returns a service whose users live in db. The secret (SERVER_SECRET) has
// MinSecretBytes or more; keys for signing are derived from it, one for each
// purpose. A nil opts means all defaults. New does no input or output, and
// returns every mistake at once. Call Start, or let an App do so, before people
// sign up.
func New(db *mongo.Database, secret string, opts *Options) (*Service, error) {
	o, err := resolve(secret, opts)
	if db == nil {
		err = errors.Join(errors.New("auth: the database is nil"), err)
	}
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, opts: o, rules: problems(), collections: make(map[string]*mongo.Collection, len(o.Collections))}
	for _, name := range o.Collections {
		s.collections[name] = db.Collection(name)
	}
	if err := s.makeKeys([]byte(secret)); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	s.hasher, err = password.New(o.Cost, o.HashPlaces, o.HashWait)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	s.limiter = o.Limiter
	if s.limiter == nil && !o.NoLimits {
		s.limiter = limits.New(db.Collection(LimitsCollection), o.Now)
	}
	s.Adopt(service.Host{})
	return s, nil
}

// makeKeys makes what signs. Cookies have keys of their own, so that neither kind
// of token can ever pass for the other.
func (s *Service) makeKeys(secret []byte) error {
	current := token.Derive(secret, labelAccess)
	if s.opts.SigningKey != "" {
		current = []byte(s.opts.SigningKey)
	}
	access := [][]byte{current}
	for _, old := range s.opts.OldSigningKeys {
		access = append(access, []byte(old))
	}
	cookie := make([][]byte, len(access))
	for i, key := range access {
		cookie[i] = token.Derive(key, labelCookie)
	}
	var errs [3]error
	s.access, errs[0] = token.NewSigner(issuer, access...)
	s.cookie, errs[1] = token.NewSigner(issuer, cookie...)
	s.refresher, errs[2] = token.NewRefresher(token.Derive(secret, labelRefresh))
	return errors.Join(errs[:]...)
}

// Name returns "auth".
func (s *Service) Name() string { return "auth" }

// Collections returns the collections of users and that of the limits.
func (s *Service) Collections() []service.Namespace {
	var spaces []service.Namespace
	for _, name := range append(slices.Clone(s.opts.Collections), LimitsCollection) {
		spaces = append(spaces, service.Namespace{Database: s.db.Name(), Collection: name})
	}
	return spaces
}

// Ready returns nil when the service has started and its database answers.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.ready(); err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return s.db.Client().Ping(ctx, nil)
}

// ready returns ErrNotStarted where Start has not yet done its work.
func (s *Service) ready() error {
	if !s.started.Load() {
		return ErrNotStarted
	}
	return nil
}

// place is where the service lives: what its options and its host say. It does
// not change.
type place struct {
	bus     *signals.Bus
	log     *slog.Logger
	known   bool // whether secure is more than a guess
	secure  bool
	origins *http.CrossOriginProtection
}

// Rules returns what the errors of the service mean over HTTP.
func (s *Service) Rules() []service.Rule { return s.rules }

// Adopt tells the service the App it belongs to.
func (s *Service) Adopt(h service.Host) {
	p := &place{bus: h.Signals, log: s.opts.Logger, origins: http.NewCrossOriginProtection()}
	for _, log := range []*slog.Logger{h.Logger, slog.Default()} {
		if p.log == nil {
			p.log = log
		}
	}
	baseURL := s.opts.BaseURL
	if baseURL == "" {
		baseURL = h.BaseURL
	}
	origin, err := originOf(baseURL)
	for _, trusted := range append(slices.Clone(s.opts.TrustedOrigins), origin) {
		if trusted != "" {
			err = errors.Join(err, p.origins.AddTrustedOrigin(trusted))
		}
	}
	if err != nil {
		p.log.Error("auth: the base URL is ignored", slog.Any("error", err))
	}
	p.known = h.Logger != nil || s.opts.BaseURL != ""
	p.secure = len(origin) > 5 && origin[:5] == "https"
	s.place.Store(p)
}

// bus returns the bus of the App, nil where there is none.
func (s *Service) bus() *signals.Bus { return s.place.Load().bus }

// Logger returns where the service logs, so that guards log there, too.
func (s *Service) Logger() *slog.Logger { return s.log() }

func (s *Service) log() *slog.Logger { return s.place.Load().log }

// now returns the time as the database keeps it.
func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Millisecond) }

// bound bounds an operation of the database.
func (s *Service) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.opts.Timeout)
}

// collection returns a collection of users, the default one for "".
func (s *Service) collection(name string) (*mongo.Collection, error) {
	if name == "" {
		name = s.opts.Collections[0]
	}
	if c, ok := s.collections[name]; ok {
		return c, nil
	}
	return nil, ErrUnknownCollection
}

// Authenticated returns the middleware that admits signed-in users of these
// collections, or of the default one when none is given, and lets [FromContext]
// find them: see [middleware.Authenticated] for what it answers otherwise. It
// costs one read of the database. A collection that is not in Options.Collections
// has no users: the log says so, for nobody will ever pass.
func (s *Service) Authenticated(collections ...string) echo.MiddlewareFunc {
	return s.guard(middleware.Authenticated, collections)
}

// Identified is [Service.Authenticated] that lets requests without any
// credential pass.
func (s *Service) Identified(collections ...string) echo.MiddlewareFunc {
	return s.guard(middleware.Identified, collections)
}

// guard makes the middleware when the first request comes: only then is it sure
// that the App has told us whether cookies are secure.
func (s *Service) guard(make func(middleware.Authenticator, ...string) echo.MiddlewareFunc, collections []string) echo.MiddlewareFunc {
	if len(collections) == 0 {
		collections = s.opts.Collections[:1]
	}
	collections = slices.Clone(collections)
	for _, name := range collections {
		if _, err := s.collection(name); err != nil {
			s.log().Error("auth: a guard asks for users of a collection that is not in Options.Collections", slog.String("collection", name))
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		handler := sync.OnceValue(func() echo.HandlerFunc { return make(s, collections...)(next) })
		return func(c echo.Context) error { return handler()(c) }
	}
}
