package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
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
	TrustedProxies []string `env:"TRUSTED_PROXIES"`

	MongoURI string `env:"MONGODB_URI"`
	Database string `env:"MONGODB_DATABASE" envDefault:"coglex"`
	// UserCollections may hold users; the first is the default one.
	UserCollections []string `env:"MONGODB_AUTH_COLLECTION" envDefault:"_USERS,users"`
	DataFolder      string   `env:"DATA_FOLDER" envDefault:"./data"`

	SigningKey      string   `env:"JWT_SECRET_KEY"`
	AccessLifetime  duration `env:"JWT_ACCESS_TOKEN_EXPIRES" envDefault:"1h"`
	SessionLifetime duration `env:"SESSION_LIFETIME" envDefault:"192h"`
}

// duration reads "90s", "1h" or a bare number of seconds.
type duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	if seconds, err := strconv.ParseUint(string(text), 10, 31); err == nil {
		*d = duration(time.Duration(seconds) * time.Second)
		return nil
	}
	parsed, err := time.ParseDuration(string(text))
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
	if err != nil {
		return config{}, fmt.Errorf("reading the environment: %w", err)
	}
	return c, nil
}
