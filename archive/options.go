package archive

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson/primitive"
)

// Defaults of [Options], and bounds that have no option.
const (
	// DefaultCollection is where the records are.
	DefaultCollection = "_ARCHIVE"
	// DefaultMaxBytes is how large an uploaded file may be: 16 MiB.
	DefaultMaxBytes = 16 << 20
	// DefaultQueryTimeout is how long the database may work on one operation.
	DefaultQueryTimeout = 5 * time.Second
	// DefaultGrace is how old bytes without a record are before they are swept.
	DefaultGrace = 24 * time.Hour
	// DefaultSweepEvery is how often the archive sweeps by itself.
	DefaultSweepEvery = 24 * time.Hour
	// DefaultExpires is how long a signed link or a ticket holds.
	DefaultExpires = time.Hour
	// MaxExpires is how long a signed link or a ticket may hold.
	MaxExpires = 7 * 24 * time.Hour
	// MinSecretBytes is the least length of a secret that links are signed with.
	MinSecretBytes = 32
	// MaxMetadataBytes is how many bytes the metadata of a file may have, as JSON.
	MaxMetadataBytes = 64 << 10
	// DefaultLimit is how many files a list has where the request does not say.
	DefaultLimit = 100
	// MaxLimit is how many files a list over HTTP may have.
	MaxLimit = 1000
)

// Options are the optional settings of a [Service]. The zero value means all defaults.
type Options struct {
	// Collection holds the records. What is remembered of spent tickets is in a
	// collection beside it, with "_TICKETS" after its name.
	//
	// Defaults to DefaultCollection.
	Collection string

	// MaxBytes is how large a file may be that comes over HTTP. More is 413. Put
	// has no limit but its own.
	//
	// Defaults to DefaultMaxBytes.
	MaxBytes int64

	// Types lists what may be uploaded over HTTP, by what the bytes are: types such
	// as "application/pdf", or families such as "image/*". All else is 415.
	//
	// Defaults to none: every type.
	Types []string

	// Secret is what keys for signed links and tickets are derived from: the
	// SERVER_SECRET, or one of its own, of MinSecretBytes or more. All instances of
	// a gateway need the same.
	//
	// Defaults to none: there are no links, no tickets and no routes for them.
	Secret string

	// OldSecrets are former secrets, whose links and tickets hold until they expire.
	//
	// Defaults to none.
	OldSecrets []string

	// Redirect answers downloads with a 307 to an address that the store makes,
	// where it is a [Linker], so that the bytes do not pass through the gateway.
	// Then the store decides about ranges, caching and security headers. Clients that
	// follow a redirect with all their headers, as curl -L and Go's do, show their API
	// key to the store: have them use links, which need none.
	//
	// Defaults to false. It is a mistake with a store that is no Linker.
	Redirect bool

	// Grace is how old bytes without a record are before the archive's own sweeps
	// delete them. It must be longer than the longest upload takes.
	//
	// Defaults to DefaultGrace.
	Grace time.Duration

	// SweepEvery is how often the archive sweeps after it did so at Start: see
	// [Service.Sweep]. A negative value is never, at Start neither.
	//
	// Defaults to DefaultSweepEvery.
	SweepEvery time.Duration

	// QueryTimeout is how long the database may work on one operation. The client's
	// side waits a second longer, so that a database that went away holds no request.
	//
	// Defaults to DefaultQueryTimeout.
	QueryTimeout time.Duration

	// Logger receives the causes of failed requests, and what sweeps have to say.
	//
	// Defaults to the logger of the App, and to slog.Default() without one.
	Logger *slog.Logger

	// Now tells the time of _inserted, and the age of links, tickets and bytes.
	//
	// Defaults to time.Now.
	Now func() time.Time

	// NewID makes the _id of a file: 24 lower-case hex digits. It must be safe for
	// concurrent use.
	//
	// Defaults to those of a new ObjectId.
	NewID func() string
}

// withDefaults returns a copy in which every field has its value, or all that is
// wrong with it.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	negative := map[string]int64{"MaxBytes": o.MaxBytes, "Grace": int64(o.Grace), "QueryTimeout": int64(o.QueryTimeout)}
	for _, name := range slices.Sorted(maps.Keys(negative)) {
		if v := negative[name]; v < 0 {
			errs = append(errs, fmt.Errorf("archive: Options.%s is %d, and cannot be negative", name, v))
		}
	}
	if o.QueryTimeout > 0 && o.QueryTimeout < time.Millisecond {
		errs = append(errs, fmt.Errorf("archive: Options.QueryTimeout is %s, and the database counts in milliseconds", o.QueryTimeout))
	}
	for i, t := range o.Types {
		if !isTypePattern(t) {
			errs = append(errs, fmt.Errorf("archive: Options.Types[%d] is %q, and must look like application/pdf or image/*", i, t))
		}
	}
	errs = append(errs, o.checkSecrets())
	o.Types, o.OldSecrets = slices.Clone(o.Types), slices.Clone(o.OldSecrets)
	o.Collection = cmp.Or(o.Collection, DefaultCollection)
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	o.Grace = cmp.Or(o.Grace, DefaultGrace)
	o.SweepEvery = cmp.Or(o.SweepEvery, DefaultSweepEvery)
	o.QueryTimeout = cmp.Or(o.QueryTimeout, DefaultQueryTimeout)
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	if o.NewID == nil {
		o.NewID = func() string { return primitive.NewObjectID().Hex() }
	}
	return o, errors.Join(errs...)
}

// checkSecrets returns what is wrong with the secrets, without repeating one.
func (o Options) checkSecrets() error {
	var errs []error
	if o.Secret != "" && len(o.Secret) < MinSecretBytes {
		errs = append(errs, fmt.Errorf("archive: Options.Secret has %d bytes, and needs %d or more", len(o.Secret), MinSecretBytes))
	}
	for i, old := range o.OldSecrets {
		if len(old) < MinSecretBytes {
			errs = append(errs, fmt.Errorf("archive: Options.OldSecrets[%d] has %d bytes, and needs %d or more", i, len(old), MinSecretBytes))
		}
	}
	if o.Secret == "" && len(o.OldSecrets) > 0 {
		errs = append(errs, errors.New("archive: Options.OldSecrets are given without a Secret"))
	}
	return errors.Join(errs...)
}

// isTypePattern reports whether a text is a media type without parameters, or a
// family of them.
func isTypePattern(text string) bool {
	media, params, err := mime.ParseMediaType(text)
	return err == nil && len(params) == 0 && media == text && strings.Count(text, "/") == 1 && !strings.HasPrefix(text, "*")
}
