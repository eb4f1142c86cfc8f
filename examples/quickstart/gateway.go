package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/storage"
)

// newGateway puts the services on e and adds routes of its own.
func newGateway(e *echo.Echo, db *mongo.Database, c config, log *slog.Logger) (*coglex.App, error) {
	users, err := auth.New(db, c.Secret, &auth.Options{
		Collections:     c.UserCollections,
		SigningKey:      c.SigningKey,
		AccessLifetime:  time.Duration(c.AccessLifetime),
		SessionLifetime: time.Duration(c.SessionLifetime),
	})
	if err != nil {
		return nil, err
	}
	docs, err := storage.New(db, nil)
	if err != nil {
		return nil, err
	}
	app, err := coglex.New(c.Secret, &coglex.Options{Users: users, Logger: log, BaseURL: c.BaseURL})
	if err != nil {
		return nil, err
	}
	if err := app.Mount(e, users, docs); err != nil {
		return nil, err
	}
	if e.IPExtractor, err = middleware.TrustProxies(log, c.TrustedProxies...); err != nil {
		return nil, err
	}

	e.GET("/health/live", app.HandleLive)
	e.GET("/health/ready", app.HandleReady)
	e.GET("/me", handleMe, users.Authenticated())
	e.GET("/hello", handleHello, app.Protected())

	signals.Subscribe(app.Signals(), func(ctx context.Context, event auth.SignedUp) error {
		log.InfoContext(ctx, "welcome", "user", event.User.ID, "collection", event.User.Collection())
		return nil
	})
	return app, nil
}

// handleMe answers who is signed in.
func handleMe(c echo.Context) error {
	user, _ := auth.FromContext(c.Request().Context())
	return c.JSON(http.StatusOK, user)
}

// handleHello answers whoever holds the API key.
func handleHello(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"hello": "world"})
}
