package main

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
)

// config is everything that can be set from outside. Each field names its
// environment variable; a file .env in the working directory fills in those
// that the environment does not set.
type config struct {
	Secret  string `env:"SERVER_SECRET"`
	Host    string `env:"SERVER_HOST" envDefault:"127.0.0.1"`
	Port    uint16 `env:"SERVER_PORT" envDefault:"5000"`
	Debug   bool   `env:"SERVER_DEBUG"`
	BaseURL string `env:"BASE_URL"`
	// TrustedProxies are addresses or CIDR ranges whose X-Forwarded-For counts.
	TrustedProxies list `env:"TRUSTED_PROXIES"`

	MongoURI string `env:"MONGODB_URI"`
	Database string `env:"MONGODB_DATABASE" envDefault:"coglex"`
	// UserCollections may hold users; the first is the default one.
	UserCollections list   `env:"MONGODB_AUTH_COLLECTION" envDefault:"_USERS,users"`
	DataFolder      string `env:"DATA_FOLDER" envDefault:"./data"`

	SigningKey      string   `env:"JWT_SECRET_KEY"`
	AccessLifetime  duration `env:"JWT_ACCESS_TOKEN_EXPIRES" envDefault:"1h"`
	SessionLifetime duration `env:"SESSION_LIFETIME" envDefault:"192h"`

	UploadFolder string `env:"UPLOAD_FOLDER" envDefault:"./uploads"`
	// MaxUpload is how many bytes an uploaded file may have.
	MaxUpload uint32 `env:"MAX_CONTENT_LENGTH" envDefault:"16777216"`
	Archive   string `env:"MONGODB_ARCHIVE_COLLECTION" envDefault:"_ARCHIVE"`

	// StripeKey and StripeWebhookSecret go together; with neither a stand-in is
	// started in their place.
	StripeKey           string `env:"STRIPE_SECRET_KEY"`
	StripeWebhookSecret string `env:"STRIPE_WEBHOOK_SECRET"`
	StripeBase          string `env:"STRIPE_API_BASE"`

	// GenerationKey is that of Gemini; without one a stand-in is started.
	GenerationKey   string `env:"GENERATION_KEY"`
	GenerationModel string `env:"GENERATION_MODEL"`
	GenerationBase  string `env:"GENERATION_BASE_URL"`
}

// list reads words with commas between them.
type list []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *list) UnmarshalText(text []byte) error { //nolint:unparam // the interface has the error
	for word := range strings.SplitSeq(string(text), ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	return nil
}

// duration reads "90s", "1h" or a bare number of seconds.
type duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if seconds, notNumber := strconv.ParseUint(string(text), 10, 31); notNumber == nil {
		parsed, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || parsed <= 0 {
		return errors.New(`must be a number of seconds, or a duration such as "1h"`)
	}
	*d = duration(parsed)
	return nil
}

// loadConfig reads .env, where there is one, and the environment.
func loadConfig() (config, error) {
	if err := godotenv.Load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return config{}, fmt.Errorf("reading .env: %w", err)
	}
	c, err := env.ParseAs[config]()
	return c, inVariables(err)
}

// inVariables says which variables are wrong, where the package that reads them
// speaks of fields.
func inVariables(err error) error {
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return err
	}
	var errs []error
	for _, each := range aggregate.Errors {
		if wrong, ok := errors.AsType[env.ParseError](each); ok {
			if field, ok := reflect.TypeFor[config]().FieldByName(wrong.Name); ok {
				reason := wrong.Err
				if _, ok := errors.AsType[*strconv.NumError](reason); ok {
					reason = errors.New("must be a whole number that is not negative, and not too large")
				}
				each = fmt.Errorf("%s: %w", field.Tag.Get("env"), reason)
			}
		}
		errs = append(errs, each)
	}
	return errors.Join(errs...)
}
