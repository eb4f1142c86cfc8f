package payment

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Defaults of [Options], and bounds that have no option.
const (
	// DefaultAPIBase is where Stripe answers.
	DefaultAPIBase = "https://api.stripe.com"
	// DefaultCallTimeout is how long one call of Stripe may take, its repetitions
	// included.
	DefaultCallTimeout = 30 * time.Second
	// DefaultTimeout is how long the database may take for one operation.
	DefaultTimeout = 5 * time.Second
	// DefaultBodyLimit is how many bytes the body of a request may have, that of a
	// webhook apart.
	DefaultBodyLimit = 1 << 20
	// DefaultTolerance is how much older or newer than our clock a webhook's
	// signature may be.
	DefaultTolerance = 5 * time.Minute
	// DefaultMaxWebhookBytes is how many bytes a webhook may have.
	DefaultMaxWebhookBytes = 1 << 20
	// DefaultWorkers is how many events an instance handles at once.
	DefaultWorkers = 4
	// DefaultAttempts is how often an event is tried. With the default delays the
	// last try comes ten hours after the first: a night.
	DefaultAttempts = 20
	// DefaultMinDelay is how long after the first failure an event is tried again.
	DefaultMinDelay = 5 * time.Second
	// DefaultMaxDelay is how long the delay, which doubles with each try, can grow.
	DefaultMaxDelay = time.Hour
	// DefaultLease is how long an event belongs to an instance that gives no sign of
	// life any more.
	DefaultLease = time.Minute
	// DefaultHandleTimeout is how long one try of an event may take, all its
	// subscribers together.
	DefaultHandleTimeout = 5 * time.Minute
	// DefaultPoll is how often an instance looks for events that are due.
	DefaultPoll = 5 * time.Second
	// DefaultKeep is how long events are kept after they were handled.
	DefaultKeep = 35 * 24 * time.Hour
	// MinKeep is the least Keep: Stripe may send an event again for so long, on
	// demand, and what is forgotten would be handled again.
	MinKeep = 30 * 24 * time.Hour
)

// maxWebhookBytes is the greatest MaxWebhookBytes: an event is one document, which
// may have 16 MiB.
const maxWebhookBytes = 15 << 20

// Options are the optional settings of a [Service]. The zero value means all
// defaults.
type Options struct {
	// APIBase is the URL of Stripe's API, for tests (package paymenttest) and
	// proxies.
	//
	// Defaults to DefaultAPIBase.
	APIBase string

	// HTTPClient makes the calls of Stripe.
	//
	// Defaults to a client of the service's own with http.DefaultTransport.
	HTTPClient *http.Client

	// CallTimeout is how long one call of Stripe may take, its repetitions included.
	//
	// Defaults to DefaultCallTimeout.
	CallTimeout time.Duration

	// OldWebhookSecrets may have signed a webhook as well, while a secret is being
	// replaced or where several endpoints at Stripe lead to this gateway.
	//
	// Defaults to none.
	OldWebhookSecrets []string

	// Tolerance is how much older or newer than Now a webhook's signature may be.
	//
	// Defaults to DefaultTolerance.
	Tolerance time.Duration

	// MaxWebhookBytes is how many bytes a webhook may have, 15 MiB at most. More is
	// 413.
	//
	// Defaults to DefaultMaxWebhookBytes.
	MaxWebhookBytes int64

	// BodyLimit is how many bytes the body of any other request may have. More is
	// 413.
	//
	// Defaults to DefaultBodyLimit.
	BodyLimit int64

	// Timeout is how long the database may take for one operation.
	//
	// Defaults to DefaultTimeout.
	Timeout time.Duration

	// Workers is how many events this instance handles at once.
	//
	// Defaults to DefaultWorkers.
	Workers int

	// Attempts is how often an event is tried before it is dead: see [StateDead].
	// Tries whose instance died count.
	//
	// Defaults to DefaultAttempts.
	Attempts int

	// MinDelay is how long after the first failure an event is tried again. The
	// delay doubles with each further one, up to MaxDelay.
	//
	// Default to DefaultMinDelay and DefaultMaxDelay.
	MinDelay, MaxDelay time.Duration

	// Lease is how long an event belongs to an instance that gives no sign of life
	// any more; while it lives, it renews the lease, every third of it. After that
	// another instance takes the event over. The clocks of all instances must agree
	// within a third of it.
	//
	// Defaults to DefaultLease.
	Lease time.Duration

	// HandleTimeout is how long one try of an event may take, all its subscribers
	// together: then their context ends. One that does not heed its context keeps
	// one of the Workers until it returns; that is logged a Lease later.
	//
	// Defaults to DefaultHandleTimeout.
	HandleTimeout time.Duration

	// Poll is how often the instance looks for events that are due: those that it is
	// to try again, and those that others left. What it receives itself it handles at
	// once. Where looking for the latter takes long (the embedded database reads the
	// whole collection), it is done less often, so that it takes a twentieth of the
	// time at most.
	//
	// Defaults to DefaultPoll.
	Poll time.Duration

	// Keep is how long events are kept after all subscribers were done, at least
	// MinKeep. Events that are dead are kept until they are replayed.
	//
	// Defaults to DefaultKeep.
	Keep time.Duration

	// NoReconcile keeps Start from asking Stripe, in the background, for what was
	// missed while no instance ran: see [Service.Reconcile].
	//
	// Defaults to false.
	NoReconcile bool

	// Logger receives the causes of failed requests, and events that fail.
	//
	// Defaults to the logger of the App, and to slog.Default() without one.
	Logger *slog.Logger

	// Now tells the time.
	//
	// Defaults to time.Now.
	Now func() time.Time
}

// resolve returns a copy in which every field has its value, or all that is wrong
// with it, with the key and with the secret. No error repeats one of those.
func resolve(key, webhookSecret string, opts *Options) (Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o.OldWebhookSecrets = slices.Clone(o.OldWebhookSecrets)
	errs := []error{checkKey(key), checkSecret("the webhook secret (STRIPE_WEBHOOK_SECRET)", webhookSecret)}
	for i, secret := range o.OldWebhookSecrets {
		errs = append(errs, checkSecret(fmt.Sprintf("Options.OldWebhookSecrets[%d]", i), secret))
	}
	errs = append(errs, o.check()...)
	return o.withDefaults(), errors.Join(errs...)
}

// checkKey says what is wrong with Stripe's key.
func checkKey(key string) error {
	switch {
	case strings.TrimSpace(key) == "":
		return errors.New("payment: the key (STRIPE_SECRET_KEY) is empty")
	case key != strings.TrimSpace(key):
		return errors.New("payment: the key (STRIPE_SECRET_KEY) begins or ends with white space")
	case strings.HasPrefix(key, "pk_"):
		return errors.New("payment: the key (STRIPE_SECRET_KEY) is a publishable one")
	}
	return nil
}

// checkSecret says what is wrong with a secret that signs webhooks. Whoever knows
// it can say that something was paid: an empty one is known to all.
func checkSecret(name, secret string) error {
	switch {
	case strings.TrimSpace(strings.TrimPrefix(secret, "whsec_")) == "":
		return fmt.Errorf("payment: %s is empty", name)
	case secret != strings.TrimSpace(secret):
		return fmt.Errorf("payment: %s begins or ends with white space", name)
	case strings.HasPrefix(secret, "pk_"), strings.HasPrefix(secret, "sk_"), strings.HasPrefix(secret, "rk_"):
		return fmt.Errorf("payment: %s is a key of the API, not the signing secret of an endpoint", name)
	}
	return nil
}

// check says what is wrong with the other fields.
func (o Options) check() []error {
	var errs []error
	negative := map[string]int64{
		"CallTimeout": int64(o.CallTimeout), "Tolerance": int64(o.Tolerance), "MaxWebhookBytes": o.MaxWebhookBytes,
		"BodyLimit": o.BodyLimit, "Timeout": int64(o.Timeout), "Workers": int64(o.Workers), "Attempts": int64(o.Attempts),
		"MinDelay": int64(o.MinDelay), "MaxDelay": int64(o.MaxDelay), "Lease": int64(o.Lease),
		"HandleTimeout": int64(o.HandleTimeout), "Poll": int64(o.Poll), "Keep": int64(o.Keep),
	}
	for _, name := range slices.Sorted(maps.Keys(negative)) {
		if v := negative[name]; v < 0 {
			errs = append(errs, fmt.Errorf("payment: Options.%s is %d, and cannot be negative", name, v))
		}
	}
	if u, err := url.Parse(o.APIBase); err != nil || o.APIBase != "" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		errs = append(errs, errors.New("payment: Options.APIBase is no http or https URL"))
	}
	if o.MaxWebhookBytes > maxWebhookBytes {
		errs = append(errs, fmt.Errorf("payment: Options.MaxWebhookBytes is %d, and a stored event has room for %d", o.MaxWebhookBytes, maxWebhookBytes))
	}
	if o.Keep > 0 && o.Keep < MinKeep {
		errs = append(errs, fmt.Errorf("payment: Options.Keep is %s, and cannot be under %s", o.Keep, MinKeep))
	}
	if d := o.withDefaults(); d.MinDelay > d.MaxDelay {
		errs = append(errs, fmt.Errorf("payment: Options.MinDelay is %s, and greater than MaxDelay %s", d.MinDelay, d.MaxDelay))
	}
	return errs
}

// withDefaults returns a copy in which every field has a value.
func (o Options) withDefaults() Options {
	o.APIBase = strings.TrimSuffix(cmp.Or(o.APIBase, DefaultAPIBase), "/")
	o.CallTimeout = cmp.Or(o.CallTimeout, DefaultCallTimeout)
	o.Tolerance = cmp.Or(o.Tolerance, DefaultTolerance)
	o.MaxWebhookBytes = cmp.Or(o.MaxWebhookBytes, DefaultMaxWebhookBytes)
	o.BodyLimit = cmp.Or(o.BodyLimit, DefaultBodyLimit)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Workers = cmp.Or(o.Workers, DefaultWorkers)
	o.Attempts = cmp.Or(o.Attempts, DefaultAttempts)
	o.MinDelay = cmp.Or(o.MinDelay, DefaultMinDelay)
	o.MaxDelay = cmp.Or(o.MaxDelay, DefaultMaxDelay)
	o.Lease = cmp.Or(o.Lease, DefaultLease)
	o.HandleTimeout = cmp.Or(o.HandleTimeout, DefaultHandleTimeout)
	o.Poll = cmp.Or(o.Poll, DefaultPoll)
	o.Keep = cmp.Or(o.Keep, DefaultKeep)
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{}
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	return o
}
