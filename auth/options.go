package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/middleware"
)

// The defaults of [Options].
const (
	// DefaultCollection holds users where Options.Collections says nothing, and
	// may hold them in any case.
	DefaultCollection = "_USERS"
	// DefaultAccessLifetime is how long an access token is good for.
	DefaultAccessLifetime = time.Hour
	// DefaultSessionLifetime is how long a person stays signed in.
	DefaultSessionLifetime = 8 * 24 * time.Hour
	// DefaultMaxSessions is how many sessions a user may have.
	DefaultMaxSessions = 20
	// DefaultCost is bcrypt's cost of new passwords.
	DefaultCost = 12
	// DefaultHashWait is how long a password may wait to be hashed.
	DefaultHashWait = 5 * time.Second
	// DefaultAddressAtOnce is how many tries of one address may be under way.
	DefaultAddressAtOnce = 4
	// DefaultTimeout bounds each operation of the database.
	DefaultTimeout = 5 * time.Second
	// DefaultSweepInterval is the time between two sweeps of LimitsCollection.
	DefaultSweepInterval = 10 * time.Minute
)

const (
	// MinSecretBytes is the least length of the secret and of signing keys.
	MinSecretBytes = 32
	// LimitsCollection is where the limits are counted.
	LimitsCollection = "_LIMITS"
	// MaxBody is how many bytes the body of a sign-up or an update over HTTP may
	// have (413 "too_large"). Each request of a user reads their whole document.
	MaxBody = 64 << 10

	// maxSmallBody is for all other bodies, which hold little more than a password.
	maxSmallBody = 16 << 10
)

// DefaultAddressLimit is 100 attempts a minute from one address.
func DefaultAddressLimit() middleware.Policy {
	return middleware.Policy{Burst: 100, Window: time.Minute}
}

// DefaultPairLimit is five failures for one account from one address, then
// delays from a second to 15 minutes.
func DefaultPairLimit() middleware.Policy {
	return middleware.Policy{Burst: 5, Window: time.Hour, MinDelay: time.Second, MaxDelay: 15 * time.Minute}
}

// DefaultAccountLimit is 50 failures for one account from anywhere, then delays
// from a second to a minute: enough to make a spread attack hopeless, too short
// to lock the owner out.
func DefaultAccountLimit() middleware.Policy {
	return middleware.Policy{Burst: 50, Window: time.Hour, MinDelay: time.Second, MaxDelay: time.Minute}
}

// Options are the optional settings of a [Service]. The zero value means all
// defaults.
type Options struct {
	// Collections lists the collections that hold users. The first is the default
	// one, where HandleSignup puts everybody who names none: {"_USERS", "_ADMINS"}
	// adds admins, {"_ADMINS"} makes everybody one. Names are those of storage: a letter or an underscore, then
	// letters, digits, underscores and hyphens, 64 in all.
	//
	// Defaults to DefaultCollection alone, which is always allowed.
	Collections []string

	// Settable lists the top-level fields that a person may set over HTTP, at
	// sign-up and by PATCH; any other is 422 "field_not_allowed". The Go methods
	// are not bound by it.
	//
	// Defaults to nil: every field that is not reserved for requests with an API
	// key; none for others, such as those of a browser to a handler placed by hand,
	// for a person who could set any might make themselves an admin.
	Settable []string

	// SigningKey signs access tokens and cookies (JWT_SECRET_KEY). It has
	// MinSecretBytes or more and is not the secret itself.
	//
	// Defaults to a key derived from the secret.
	SigningKey string

	// OldSigningKeys are signing keys whose tokens are still accepted, while one
	// key replaces another. Nothing is signed with them. A key derived from a
	// secret is not among them: with a new secret, people sign in again.
	OldSigningKeys []string

	// AccessLifetime is how long an access token is good for. It never outlives
	// its session.
	//
	// Defaults to DefaultAccessLifetime.
	AccessLifetime time.Duration

	// SessionLifetime is how long after a sign-in its session ends, however much
	// it is used.
	//
	// Defaults to DefaultSessionLifetime.
	SessionLifetime time.Duration

	// MaxSessions is how many sessions a user may have; the oldest gives way to a
	// new one. At most 1000, for they live in the user's document.
	//
	// Defaults to DefaultMaxSessions.
	MaxSessions int

	// Cost is bcrypt's cost of new passwords, 4 to 16. Each step doubles the work.
	//
	// Defaults to DefaultCost.
	Cost int

	// HashPlaces is how many passwords are hashed at the same time.
	//
	// Defaults to 0: as many as GOMAXPROCS says.
	HashPlaces int

	// HashWait is how long a sign-in, or a change of password, may take until its
	// password is hashed: look-ups and the wait for a place together. Then the
	// answer is 503 "busy". So it is at once where 16 for each place are under way.
	//
	// Defaults to DefaultHashWait.
	HashWait time.Duration

	// Limiter counts attempts. If it also has a method Sweep(context.Context)
	// error, that is called every SweepInterval.
	//
	// Defaults to nil: they are counted in LimitsCollection of the database,
	// which all instances of a gateway share.
	Limiter middleware.Limiter

	// NoLimits turns all limits off, for gateways that limit by themselves.
	NoLimits bool

	// AddressLimit is for all attempts (sign-up, sign-in, change of password) from
	// one client address, an IPv6 one by its /64 network.
	//
	// Defaults to DefaultAddressLimit.
	AddressLimit middleware.Policy

	// AddressAtOnce is how many passwords of one client address may wait or be
	// hashed at the same time, so that one client leaves places for others. Further
	// ones are 429, to be tried again after a second.
	//
	// Defaults to DefaultAddressAtOnce.
	AddressAtOnce int

	// PairLimit is for failures with one account from one address.
	//
	// Defaults to DefaultPairLimit.
	PairLimit middleware.Policy

	// AccountLimit is for failures with one account from anywhere but addresses
	// from which its owner has signed in, as long as that session lasts.
	//
	// Defaults to DefaultAccountLimit.
	AccountLimit middleware.Policy

	// SweepInterval is the time between two sweeps of the limiter.
	//
	// Defaults to DefaultSweepInterval.
	SweepInterval time.Duration

	// TrustedOrigins may make browsers send the session cookie with unsafe
	// requests, beside the gateway's own origin: "https://app.example.com".
	TrustedOrigins []string

	// BaseURL is where clients reach the gateway. With https, the cookie is Secure
	// and its name begins with "__Host-".
	//
	// Defaults to what the App that carries the service was given.
	BaseURL string

	// Timeout bounds each operation of the database.
	//
	// Defaults to DefaultTimeout.
	Timeout time.Duration

	// Logger receives what has no caller to return to.
	//
	// Defaults to the App's logger, else slog.Default().
	Logger *slog.Logger

	// Now is the clock.
	//
	// Defaults to time.Now.
	Now func() time.Time
}

// collectionName is what a collection of users may be called.
var collectionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// resolve returns a copy of opts in which every field has its value, or all
// mistakes joined.
func resolve(secret string, opts *Options) (Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o.Collections = withDefaultCollection(o.Collections)
	if o.Settable != nil {
		o.Settable = slices.Clone(o.Settable)
	}
	setDefault(&o.AccessLifetime, DefaultAccessLifetime)
	setDefault(&o.SessionLifetime, DefaultSessionLifetime)
	setDefault(&o.MaxSessions, DefaultMaxSessions)
	setDefault(&o.Cost, DefaultCost)
	setDefault(&o.HashWait, DefaultHashWait)
	setDefault(&o.AddressAtOnce, DefaultAddressAtOnce)
	setDefault(&o.AddressLimit, DefaultAddressLimit())
	setDefault(&o.PairLimit, DefaultPairLimit())
	setDefault(&o.AccountLimit, DefaultAccountLimit())
	setDefault(&o.SweepInterval, DefaultSweepInterval)
	setDefault(&o.Timeout, DefaultTimeout)
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	return o, errors.Join(
		checkKeys(secret, o), checkNames(o), checkRanges(o), checkOrigins(o),
		checkPolicy("AddressLimit", o.AddressLimit), checkPolicy("PairLimit", o.PairLimit), checkPolicy("AccountLimit", o.AccountLimit),
	)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// withDefaultCollection returns the collections of users, the default one first.
func withDefaultCollection(names []string) []string {
	if slices.Contains(names, DefaultCollection) {
		return slices.Clone(names)
	}
	return append(slices.Clone(names), DefaultCollection)
}

func checkKeys(secret string, o Options) error {
	var errs []error
	if len(secret) < MinSecretBytes {
		errs = append(errs, fmt.Errorf("auth: the secret (SERVER_SECRET) has %d bytes, and needs %d or more", len(secret), MinSecretBytes))
	}
	if o.SigningKey != "" && len(o.SigningKey) < MinSecretBytes {
		errs = append(errs, fmt.Errorf("auth: Options.SigningKey (JWT_SECRET_KEY) has %d bytes, and needs %d or more", len(o.SigningKey), MinSecretBytes))
	}
	if o.SigningKey != "" && o.SigningKey == secret {
		errs = append(errs, errors.New("auth: Options.SigningKey (JWT_SECRET_KEY) must not be the secret (SERVER_SECRET): whoever may call the API could sign tokens"))
	}
	for i, key := range o.OldSigningKeys {
		if len(key) < MinSecretBytes || key == secret {
			errs = append(errs, fmt.Errorf("auth: Options.OldSigningKeys[%d] needs %d bytes or more and must not be the secret", i, MinSecretBytes))
		}
	}
	return errors.Join(errs...)
}

func checkNames(o Options) error {
	var errs []error
	for i, name := range o.Collections {
		if !collectionName.MatchString(name) || name == LimitsCollection {
			errs = append(errs, fmt.Errorf("auth: Options.Collections[%d] is %q, which no collection of users can be called", i, name))
		}
		if slices.Index(o.Collections, name) < i {
			errs = append(errs, fmt.Errorf("auth: Options.Collections[%d] repeats %q", i, name))
		}
	}
	for i, name := range o.Settable {
		if name == "" || strings.HasPrefix(name, "_") || strings.ContainsAny(name, "$.\x00") {
			errs = append(errs, fmt.Errorf("auth: Options.Settable[%d] is %q, which is reserved or no name of a field", i, name))
		}
	}
	return errors.Join(errs...)
}

func checkRanges(o Options) error {
	var errs []error
	positive := func(field string, d time.Duration) {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("auth: Options.%s is %s, and must be positive", field, d))
		}
	}
	positive("AccessLifetime", o.AccessLifetime)
	positive("SessionLifetime", o.SessionLifetime)
	positive("HashWait", o.HashWait)
	positive("SweepInterval", o.SweepInterval)
	positive("Timeout", o.Timeout)
	between := func(field string, n, low, high int) {
		if n < low || n > high {
			errs = append(errs, fmt.Errorf("auth: Options.%s is %d, and must be %d to %d", field, n, low, high))
		}
	}
	between("MaxSessions", o.MaxSessions, 1, 1000)
	between("Cost", o.Cost, bcrypt.MinCost, password.MaxCost)
	between("AddressAtOnce", o.AddressAtOnce, 1, 1<<16)
	between("HashPlaces", o.HashPlaces, 0, 1<<16)
	if o.NoLimits && o.Limiter != nil {
		errs = append(errs, errors.New("auth: Options.NoLimits turns off the limits that Options.Limiter is to count"))
	}
	return errors.Join(errs...)
}

func checkPolicy(field string, p middleware.Policy) error {
	if p.Burst < 1 || p.Window <= 0 || p.MinDelay < 0 || p.MaxDelay < p.MinDelay || p.MaxDelay > p.Window {
		return fmt.Errorf("auth: Options.%s needs a Burst and a Window above zero, and 0 <= MinDelay <= MaxDelay <= Window", field)
	}
	return nil
}

func checkOrigins(o Options) error {
	var errs []error
	for i, origin := range o.TrustedOrigins {
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("auth: Options.TrustedOrigins[%d]: %w", i, err))
		}
	}
	if _, err := originOf(o.BaseURL); err != nil {
		errs = append(errs, fmt.Errorf("auth: Options.BaseURL: %w", err))
	}
	return errors.Join(errs...)
}

// originOf returns the origin of a base URL, "" for "".
func originOf(baseURL string) (string, error) {
	if baseURL == "" {
		return "", nil
	}
	u, err := url.Parse(baseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("must look like https://api.example.com")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}
