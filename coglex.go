package coglex

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/nilness"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// DefaultDrainTimeout is how long requests in flight may take to end once the
// gateway was asked to stop.
const DefaultDrainTimeout = 10 * time.Second

// slowSubscriber is when the log names a subscriber that holds up a request.
const slowSubscriber = time.Second

// Options are the optional settings of an [App].
type Options struct {
	// Users tells who is signed in: the *auth.Service of the gateway. Without it,
	// routes that need a signed-in user cannot be mounted, Authenticated admits
	// nobody, and a bearer token is refused wherever one may be given.
	Users middleware.Authenticator
	// Keys decides about API keys instead of the one key given to New.
	Keys middleware.KeyVerifier
	// OldKeys are API keys that are accepted beside the one given to New, while
	// clients move to it.
	OldKeys []string
	// Logger receives what services and the server have to say. Defaults to slog.Default().
	Logger *slog.Logger
	// BaseURL is where clients reach the gateway, such as "https://api.example.com".
	// Defaults to "": unknown.
	BaseURL string
	// DrainTimeout bounds the end of requests in flight when Run stops, and after
	// it the stop of the services. Defaults to DefaultDrainTimeout.
	DrainTimeout time.Duration
	// NoAccessLog leaves out the line that Run and Handler log for each request.
	NoAccessLog bool
}

// App carries the services of a gateway: it mounts and guards them, tells them
// of one another's collections, starts and stops them, and answers for their
// health. Its methods are safe for concurrent use, except that mounting must be
// done before requests are served, as everywhere in echo.
type App struct {
	keys     middleware.KeyVerifier
	users    middleware.Authenticator
	log      *slog.Logger
	bus      *signals.Bus
	baseURL  string
	drain    time.Duration
	quiet    bool
	draining chan struct{} // closed when the App begins to stop
	stopOnce sync.Once

	mu       sync.RWMutex
	services []*carried
	reserved map[service.Namespace]bool
	routes   []service.Mounted

	lifecycle chan struct{} // holds one token while Start or Stop runs
}

// carried is a service of the App and how far it is.
type carried struct {
	service.Service
	mounted bool
	started bool // guarded by App.lifecycle
}

// New returns an App whose routes are opened by apiKey, which must have 32
// bytes or more. apiKey may be empty only where Options.Keys decides instead. A
// nil opts means all defaults. It does no input or output, and returns every
// mistake in the options at once.
func New(apiKey string, opts *Options) (*App, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	keys, err := keysOf(apiKey, o)
	if err := errors.Join(err, o.check()); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = DefaultDrainTimeout
	}
	keys = keyring{keys, o.Logger}
	if o.Users != nil {
		o.Users = crowd{o.Users, o.Logger}
	}
	return &App{
		keys: keys, users: o.Users, log: o.Logger, drain: o.DrainTimeout, quiet: o.NoAccessLog,
		bus:     signals.NewBus(&signals.Options{Logger: o.Logger, Slow: slowSubscriber}),
		baseURL: strings.TrimRight(o.BaseURL, "/"), draining: make(chan struct{}),
		reserved: make(map[service.Namespace]bool), lifecycle: make(chan struct{}, 1),
	}, nil
}

// check returns all that is wrong with the options, the keys apart.
func (o Options) check() error {
	var errs []error
	if o.Users != nil && nilness.Is(o.Users) {
		errs = append(errs, fmt.Errorf("coglex: Options.Users is a nil %T", o.Users))
	}
	if err := checkBaseURL(o.BaseURL); err != nil {
		errs = append(errs, err)
	}
	if o.DrainTimeout < 0 {
		errs = append(errs, fmt.Errorf("coglex: Options.DrainTimeout is %s, and cannot be negative", o.DrainTimeout))
	}
	return errors.Join(errs...)
}

// keysOf returns the verifier that New was given or has to make.
func keysOf(apiKey string, o Options) (middleware.KeyVerifier, error) {
	if o.Keys != nil {
		if apiKey != "" || len(o.OldKeys) > 0 {
			return nil, errors.New("coglex: give either API keys or Options.Keys, not both")
		}
		if nilness.Is(o.Keys) {
			return nil, fmt.Errorf("coglex: Options.Keys is a nil %T", o.Keys)
		}
		return o.Keys, nil
	}
	keys, err := middleware.NewKeys(append([]string{apiKey}, o.OldKeys...)...)
	if err != nil {
		return nil, fmt.Errorf("coglex: API key (SERVER_SECRET): %w", err)
	}
	return keys, nil
}

func checkBaseURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("coglex: Options.BaseURL must look like https://api.example.com")
	}
	return nil
}

// keyring makes the guards log with the App's logger.
type keyring struct {
	middleware.KeyVerifier
	log *slog.Logger
}

// Logger is asked for by package middleware.
func (k keyring) Logger() *slog.Logger { return k.log }

// crowd makes the guards log with the App's logger.
type crowd struct {
	middleware.Authenticator
	log *slog.Logger
}

// Logger is asked for by package middleware.
func (c crowd) Logger() *slog.Logger { return c.log }

// Signals returns the bus on which the services publish what happens in them.
func (a *App) Signals() *signals.Bus { return a.bus }

// Protected returns the middleware that admits requests with an API key that
// was granted the scopes: see [middleware.Protected].
func (a *App) Protected(scopes ...string) echo.MiddlewareFunc {
	return middleware.Protected(a.keys, scopes...)
}

// Authenticated returns the middleware that admits signed-in users of the given
// collections, or of any: see [middleware.Authenticated]. Without Options.Users
// it admits nobody.
func (a *App) Authenticated(collections ...string) echo.MiddlewareFunc {
	return middleware.Authenticated(a.users, collections...)
}

// Identified is Authenticated that lets anonymous requests pass: see
// [middleware.Identified].
func (a *App) Identified(collections ...string) echo.MiddlewareFunc {
	return middleware.Identified(a.users, collections...)
}

// Routes returns every mounted route, in the order of mounting.
func (a *App) Routes() []service.Mounted {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.routes)
}
