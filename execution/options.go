package execution

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
)

// Defaults of [Options], and bounds that have no option.
const (
	// DefaultBodyLimit is how many bytes an input may have.
	DefaultBodyLimit = 1 << 20
	// DefaultMaxResultBytes is how many bytes the JSON of an output may have.
	DefaultMaxResultBytes = 4 << 20
	// DefaultKeyLifetime is how long an Idempotency-Key is remembered.
	DefaultKeyLifetime = 24 * time.Hour
	// DefaultSweepInterval is how often expired keys are deleted.
	DefaultSweepInterval = 10 * time.Minute
	// MaxDepth is how deep an input may be nested.
	MaxDepth = 128
	// MaxCalls is how deep functions may call functions through [Service.Call].
	MaxCalls = 16
	// MaxKeyBytes is how long an Idempotency-Key may be.
	MaxKeyBytes = 255
)

// maxStoredBytes is what fits into a document of the database with all else.
const maxStoredBytes = 15 << 20

// Options are the optional settings of a [Service]. The zero value means all defaults.
type Options struct {
	// Database keeps the answers of idempotent functions, in the collection
	// _EXECUTIONS.
	//
	// Defaults to nil: no function may be idempotent.
	Database *mongo.Database

	// KeyLifetime is how long an Idempotency-Key is remembered from its first call
	// on, but not less than the function's time limit and a minute.
	//
	// Defaults to DefaultKeyLifetime.
	KeyLifetime time.Duration

	// SweepInterval is how often expired keys are deleted. They count no more even
	// before.
	//
	// Defaults to DefaultSweepInterval.
	SweepInterval time.Duration

	// BodyLimit is how many bytes an input may have. More is 413 over HTTP, and an
	// [*InputError] elsewhere.
	//
	// Defaults to DefaultBodyLimit.
	BodyLimit int64

	// MaxResultBytes is how many bytes the JSON of an output may have. More is
	// [ErrTooLarge]. With an idempotent function it cannot pass 15 MiB.
	//
	// Defaults to DefaultMaxResultBytes.
	MaxResultBytes int

	// Logger receives the causes of failed calls.
	//
	// Defaults to the logger of the App, and to slog.Default() without one.
	Logger *slog.Logger

	// Now tells the time that keys expire by. The time limits of functions go by
	// the real clock.
	//
	// Defaults to time.Now.
	Now func() time.Time
}

// withDefaults returns a copy in which every field has its value, or all that is
// wrong with it.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	negative := map[string]int64{
		"KeyLifetime": int64(o.KeyLifetime), "SweepInterval": int64(o.SweepInterval),
		"BodyLimit": o.BodyLimit, "MaxResultBytes": int64(o.MaxResultBytes),
	}
	for _, name := range slices.Sorted(maps.Keys(negative)) {
		if v := negative[name]; v < 0 {
			errs = append(errs, fmt.Errorf("execution: Options.%s is %d, and cannot be negative", name, v))
		}
	}
	o.KeyLifetime = cmp.Or(o.KeyLifetime, DefaultKeyLifetime)
	o.SweepInterval = cmp.Or(o.SweepInterval, DefaultSweepInterval)
	o.BodyLimit = cmp.Or(o.BodyLimit, DefaultBodyLimit)
	o.MaxResultBytes = cmp.Or(o.MaxResultBytes, DefaultMaxResultBytes)
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	return o, errors.Join(errs...)
}
