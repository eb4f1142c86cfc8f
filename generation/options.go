package generation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/imadelakhaldev/coglex/internal/nilness"
)

// Defaults of [Options].
const (
	// DefaultModel answers where neither the request nor the host names a model.
	// Google retires models on short notice, this one about the end of 2026: name your
	// own in Options.Model, and see [Service.Models] for those that there are.
	DefaultModel = "models/gemini-2.5-flash"
	// DefaultEmbeddingModel makes vectors where nobody names another model.
	DefaultEmbeddingModel = "models/gemini-embedding-001"
	// DefaultBaseURL is where Gemini is.
	DefaultBaseURL = "https://generativelanguage.googleapis.com"
	// DefaultTimeout is how long one call of Gemini may take, with its repetitions.
	DefaultTimeout = 5 * time.Minute
	// DefaultStreamTimeout is how long one streamed call may take.
	DefaultStreamTimeout = 10 * time.Minute
	// DefaultAttempts is how often a call is tried.
	DefaultAttempts = 4
	// DefaultRetryWait is the longest that a call waits to be tried again.
	DefaultRetryWait = 20 * time.Second
	// DefaultHeartbeat is after what silence a stream shows that it is alive.
	DefaultHeartbeat = 15 * time.Second
	// DefaultUploads is how many files are sent to Gemini at once.
	DefaultUploads = 4
	// DefaultMaxUploadBytes is how large a file may be.
	DefaultMaxUploadBytes = 100 << 20
	// DefaultBodyLimit is how many bytes the body of a request may have.
	DefaultBodyLimit = 20 << 20
	// DefaultMaxRounds is how often Gemini may ask for functions in one converse.
	DefaultMaxRounds = 8
	// MaxFileBytes is the largest file that Gemini takes: 2 GB.
	MaxFileBytes = 2 << 30
)

// Options are the optional settings of a [Service]. The zero value means all defaults.
type Options struct {
	// Model answers where a request names none: "models/x" or "x".
	//
	// Defaults to DefaultModel.
	Model string

	// EmbeddingModel makes vectors where a request names no model.
	//
	// Defaults to DefaultEmbeddingModel.
	EmbeddingModel string

	// BaseURL is where Gemini is, or a proxy that speaks as it does: http or https,
	// a host, and nothing else. The key goes there. No request can change it.
	//
	// Defaults to DefaultBaseURL.
	BaseURL string

	// HTTPClient carries the calls: its Transport is used, and nothing else of it.
	// Redirects are never followed, for the key would go along.
	//
	// Defaults to a transport of the service's own.
	HTTPClient *http.Client

	// NoRequestKeys refuses requests that bring a key of their own.
	//
	// Defaults to false: they may.
	NoRequestKeys bool

	// NoAccounts keeps no accounts of usage. Events tell of it all the same.
	//
	// Defaults to false: they are kept in CollectionUsage.
	NoAccounts bool

	// DailyLimit is how many tokens one signed-in user may use in a day, by UTC, with
	// keys of their own too. Each call of Gemini that begins below it is made, so that
	// calls at the same time may pass it by what they take together; and a call that is
	// left before Gemini said what it takes counts nothing. More is 429
	// usage_exceeded until midnight. Who calls without a user, by API key or from Go,
	// has no limit. It needs accounts. A limit that is not the same for all can be had
	// with [Generating] and [Service.UsageOf].
	//
	// Defaults to 0: no limit.
	DailyLimit int64

	// Timeout is how long one call of Gemini may take, with its repetitions. A
	// conversation that calls functions makes several.
	//
	// Defaults to DefaultTimeout.
	Timeout time.Duration

	// StreamTimeout is the same for a call whose answer is streamed, and for an upload
	// until its file is ready.
	//
	// Defaults to DefaultStreamTimeout.
	StreamTimeout time.Duration

	// Attempts is how often a call is tried where Gemini says 429 or 5xx, or is not
	// reached. 1 tries once. A stream is not tried again once a part of it came.
	//
	// Defaults to DefaultAttempts.
	Attempts int

	// RetryWait is the longest that a call waits to be tried again. Where Gemini
	// asks for more, or the deadline comes first, the client is told instead.
	//
	// Defaults to DefaultRetryWait.
	RetryWait time.Duration

	// Heartbeat is how often a stream over HTTP sends a comment where it sent nothing
	// else since the last time, so that proxies do not take it for dead.
	//
	// Defaults to DefaultHeartbeat.
	Heartbeat time.Duration

	// Uploads is how many files are sent to Gemini at once; each takes 8 MiB of
	// memory. The next one is answered 503 with Retry-After.
	//
	// Defaults to DefaultUploads.
	Uploads int

	// MaxUploadBytes is how large a file may be, at most MaxFileBytes. More is 413.
	// A file over HTTP rests in TempDir on its way, in which there are at most eight
	// times as many as Options.Uploads.
	//
	// Defaults to DefaultMaxUploadBytes.
	MaxUploadBytes int64

	// TempDir is where files rest on their way.
	//
	// Defaults to os.TempDir.
	TempDir string

	// BodyLimit is how many bytes the JSON of a request may have. More is 413.
	//
	// Defaults to DefaultBodyLimit.
	BodyLimit int64

	// Toolset has the functions that requests over HTTP may name in "functions",
	// for Gemini to call them.
	//
	// Defaults to none.
	Toolset Toolset

	// MaxRounds is how often Gemini may ask for functions in one conversation. One
	// last call without functions follows.
	//
	// Defaults to DefaultMaxRounds.
	MaxRounds int

	// ServerTools names tools of Google's own that requests over HTTP may ask for,
	// as Gemini spells them: "googleSearch", "codeExecution", "urlContext". They
	// run at Google, some cost extra, and some fetch what the model tells them to.
	//
	// Defaults to none: 400.
	ServerTools []string

	// Logger receives the causes of failed requests.
	//
	// Defaults to the logger of the App, and to slog.Default() without one.
	Logger *slog.Logger

	// Now tells the time of accounts and events.
	//
	// Defaults to time.Now.
	Now func() time.Time

	// Sleep waits before a call is tried again, and between two looks at a file
	// that Gemini still works on. It returns the error of a context that ends first.
	//
	// Defaults to one that waits.
	Sleep func(ctx context.Context, d time.Duration) error
}

// withDefaults returns a copy in which every field has its value, or all that is
// wrong with it.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	negative := map[string]int64{
		"DailyLimit": o.DailyLimit, "Timeout": int64(o.Timeout), "StreamTimeout": int64(o.StreamTimeout),
		"Attempts": int64(o.Attempts), "RetryWait": int64(o.RetryWait), "Heartbeat": int64(o.Heartbeat),
		"Uploads": int64(o.Uploads), "MaxUploadBytes": o.MaxUploadBytes, "BodyLimit": o.BodyLimit, "MaxRounds": int64(o.MaxRounds),
	}
	for _, name := range slices.Sorted(maps.Keys(negative)) {
		if v := negative[name]; v < 0 {
			errs = append(errs, fmt.Errorf("generation: Options.%s is %d, and cannot be negative", name, v))
		}
	}
	o.Model = cmp.Or(o.Model, DefaultModel)
	o.EmbeddingModel = cmp.Or(o.EmbeddingModel, DefaultEmbeddingModel)
	o.BaseURL = cmp.Or(o.BaseURL, DefaultBaseURL)
	errs = append(errs, o.check()...)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.StreamTimeout = cmp.Or(o.StreamTimeout, DefaultStreamTimeout)
	o.Attempts = cmp.Or(o.Attempts, DefaultAttempts)
	o.RetryWait = cmp.Or(o.RetryWait, DefaultRetryWait)
	o.Heartbeat = cmp.Or(o.Heartbeat, DefaultHeartbeat)
	o.Uploads = cmp.Or(o.Uploads, DefaultUploads)
	o.MaxUploadBytes = cmp.Or(o.MaxUploadBytes, DefaultMaxUploadBytes)
	o.BodyLimit = cmp.Or(o.BodyLimit, DefaultBodyLimit)
	o.MaxRounds = cmp.Or(o.MaxRounds, DefaultMaxRounds)
	o.ServerTools = slices.Clone(o.ServerTools)
	if nilness.Is(o.Toolset) {
		o.Toolset = nil
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return o, errors.Join(errs...)
}

// check returns what is wrong with the fields that are not numbers, and with
// numbers that are too large.
func (o Options) check() []error {
	var errs []error
	if _, err := modelName(o.Model); err != nil {
		errs = append(errs, errors.New("generation: Options.Model is no name of a model"))
	}
	if _, err := modelName(o.EmbeddingModel); err != nil {
		errs = append(errs, errors.New("generation: Options.EmbeddingModel is no name of a model"))
	}
	if err := checkBaseURL(o.BaseURL); err != nil {
		errs = append(errs, fmt.Errorf("generation: Options.BaseURL %w", err))
	}
	if o.MaxUploadBytes > MaxFileBytes {
		errs = append(errs, fmt.Errorf("generation: Options.MaxUploadBytes is %d, and Gemini takes %d", o.MaxUploadBytes, int64(MaxFileBytes)))
	}
	if o.DailyLimit > 0 && o.NoAccounts {
		errs = append(errs, errors.New("generation: Options.DailyLimit needs accounts, and Options.NoAccounts is set"))
	}
	if !nilness.Is(o.Toolset) {
		for _, name := range o.Toolset.Names() {
			if !functionName.MatchString(name) {
				errs = append(errs, fmt.Errorf("generation: Options.Toolset has a function %q, which Gemini cannot call by that name", name))
			}
		}
	}
	for i, name := range o.ServerTools {
		if camel(name) != name || name == "functionDeclarations" || name == "" {
			errs = append(errs, fmt.Errorf("generation: Options.ServerTools[%d] is no tool of Google's as Gemini spells it", i))
		}
	}
	return errs
}

// checkBaseURL says what is wrong with a base URL. It does not repeat it, for it
// may hold a password.
func checkBaseURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("is no URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is neither https nor http")
	case u.Host == "" || u.Opaque != "":
		return errors.New("has no host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return errors.New("has more than a scheme and a host")
	}
	return nil
}

// sleep waits, or returns the error of a context that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
