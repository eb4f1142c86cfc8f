package service

import (
	"context"
	"log/slog"

	"github.com/imadelakhaldev/coglex/signals"
)

// Namespace names a collection of a database.
type Namespace struct {
	Database, Collection string
}

// Host is what an App gives to each of its services.
type Host struct {
	// Signals is the bus of the App; nil publishes nothing.
	Signals *signals.Bus
	// Logger is never nil when an App gives it.
	Logger *slog.Logger
	// BaseURL is where clients reach the gateway, without a trailing slash;
	// empty where the host did not say.
	BaseURL string
	// Prefix is the path before the service's routes where it is mounted first,
	// without a trailing slash; empty before that, and where there is none.
	Prefix string
	// Reserved reports whether a collection belongs to a service of the App,
	// and is thus closed to storage over HTTP. It knows services that were
	// added later too. Nil reserves nothing.
	Reserved func(Namespace) bool
	// Draining is closed when the gateway stops taking requests: endless
	// answers must end. Nil never closes.
	Draining <-chan struct{}
}

// Ruler is a Service that says what its errors mean over HTTP, so that handlers of
// the host may return them: see App.Errors. It is optional.
type Ruler interface {
	// Rules returns the rules, which must be safe for concurrent use. The slice is
	// not changed.
	Rules() []Rule
}

// Service is a part of a gateway that an App can carry. The services of Coglex
// implement it; so can yours.
type Service interface {
	// Name is a lower-case word, the second segment of the default prefix
	// /service/<name>/v1.
	Name() string
	// Routes returns the route table. It is called once for each mounting.
	Routes() []Route
	// Collections returns the collections that are the service's own. It is
	// called once, when the service is added.
	Collections() []Namespace
	// Adopt gives the service its host. It is called when the service is added
	// to an App and again when it is first mounted, before Start.
	Adopt(Host)
	// Start prepares the service (indexes, workers). ctx bounds the start only.
	// It is idempotent and may be tried again after an error.
	Start(ctx context.Context) error
	// Ready returns nil when the service can serve.
	Ready(ctx context.Context) error
	// Stop ends what Start began and waits for it, bounded by ctx. It is
	// idempotent and tolerates a service that was never started.
	Stop(ctx context.Context) error
}
