package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/embedded"
)

// A database that is away should be noticed soon, for every request waits for it.
const serverSelectionTimeout = 2 * time.Second

// database is the gateway's connection, and the server behind it where that is
// our own.
type database struct {
	client *mongo.Client
	server *embedded.Server
	// where is what to tell people about it; it holds no password.
	where string
}

// openDatabase connects to the MongoDB of the configuration, or starts the
// embedded one.
func openDatabase(ctx context.Context, c config, log *slog.Logger) (*database, error) {
	d, uri := new(database), c.MongoURI
	if uri == "" {
		server, err := embedded.StartWith(ctx, c.DataFolder, &embedded.Options{Logger: log})
		if err != nil {
			return nil, fmt.Errorf("starting the embedded database in DATA_FOLDER=%s: %w", c.DataFolder, err)
		}
		d.server, d.where, uri = server, "embedded, for trying and testing, in "+c.DataFolder, server.URI()
	}
	opts := options.Client().ApplyURI(uri).SetAppName("coglex-quickstart").SetServerSelectionTimeout(serverSelectionTimeout)
	client, err := mongo.Connect(ctx, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connecting to MONGODB_URI: %w", err), d.close(ctx))
	}
	if d.where == "" {
		d.where = "MongoDB on " + strings.Join(opts.Hosts, ", ") + ", database " + c.Database
	}
	d.client = client
	return d, nil
}

// close disconnects, and stops the server where it is our own.
func (d *database) close(ctx context.Context) error {
	var errs []error
	if d.client != nil {
		errs = append(errs, d.client.Disconnect(ctx))
	}
	if d.server != nil {
		errs = append(errs, d.server.Stop(ctx))
	}
	return errors.Join(errs...)
}
