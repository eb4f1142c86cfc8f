package generation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/mongo"
	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// Service converses with Gemini, and offers it over HTTP. Its methods are safe for
// concurrent use.
type Service struct {
	db       *mongo.Database // nil where there are no accounts
	opts     Options
	key      string
	gemini   *genai.Client
	base     http.RoundTripper // beneath gemini
	part     shape             // of a request
	problems []service.Rule
	uploads  chan struct{} // holds a token for each upload under way
	forms    chan struct{} // holds a token for each form that is being read
	host     atomic.Pointer[service.Host]
}

var _ service.Service = (*Service)(nil)

// New returns a Service that calls Gemini with the given key. The key may be empty
// where each request brings its own. The database is where accounts of usage are
// kept; it may be nil with [Options].NoAccounts. A nil opts means all defaults.
//
// It does no input or output, and returns every mistake at once, each naming its
// field. No environment variable has any say in it.
func New(db *mongo.Database, key string, opts *Options) (*Service, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.withDefaults()
	errs := []error{err}
	if db == nil && !o.NoAccounts {
		errs = append(errs, errors.New("generation: the database is nil, and Options.NoAccounts is not set"))
	}
	errs = append(errs, checkKey(key, o.NoRequestKeys))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s := &Service{db: db, opts: o, key: key, problems: problems(), uploads: make(chan struct{}, o.Uploads), forms: make(chan struct{}, formsPerUpload*o.Uploads)}
	s.part = partShape(newFileOrigins(o.BaseURL))
	s.base = newBase(o.HTTPClient)
	s.gemini, err = newGemini(o.BaseURL, s.base)
	if err != nil {
		return nil, fmt.Errorf("generation: the SDK refuses Options.BaseURL: %w", err)
	}
	s.host.Store(&service.Host{})
	return s, nil
}

// formsPerUpload is how many forms may be read for each upload that may be under
// way: clients are slower than Gemini.
const formsPerUpload = 8

// checkKey finds fault with the key of the gateway, without repeating it.
func checkKey(key string, required bool) error {
	switch {
	case key == "" && required:
		return errors.New("generation: the key is empty, and Options.NoRequestKeys is set")
	case key != "" && !isKey(key):
		return errors.New("generation: the key is not of a form that a header can carry")
	}
	return nil
}

// Name returns "generation".
func (s *Service) Name() string { return "generation" }

// Collections returns the collection of the accounts, if there are any.
func (s *Service) Collections() []service.Namespace {
	if s.opts.NoAccounts {
		return nil
	}
	return []service.Namespace{{Database: s.db.Name(), Collection: CollectionUsage}}
}

// Rules returns what the errors of the service mean over HTTP.
func (s *Service) Rules() []service.Rule { return s.problems }

// Adopt gives the service its host.
func (s *Service) Adopt(h service.Host) { s.host.Store(&h) }

// Start does nothing: there are no workers, and the accounts need no index.
func (s *Service) Start(context.Context) error { return nil }

// Ready returns nil: whether Gemini answers is known only by asking, which costs.
func (s *Service) Ready(context.Context) error { return nil }

// Stop closes connections that are idle. Requests under way end with the server
// that carries them.
func (s *Service) Stop(context.Context) error {
	if s.opts.HTTPClient == nil {
		(&http.Client{Transport: s.base}).CloseIdleConnections()
	}
	return nil
}

// log returns where failures are logged, never nil.
func (s *Service) log() *slog.Logger {
	if s.opts.Logger != nil {
		return s.opts.Logger
	}
	if l := s.host.Load().Logger; l != nil {
		return l
	}
	return slog.Default()
}

// bus returns where events go; nil has no subscribers.
func (s *Service) bus() *signals.Bus { return s.host.Load().Signals }
