package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/execution/executionmcp"
	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/payment"
	"github.com/imadelakhaldev/coglex/signals"
	"github.com/imadelakhaldev/coglex/storage"
)

// services are what the gateway is made of.
type services struct {
	users *auth.Service
	docs  *storage.Service
	files *archive.Service
	pay   *payment.Service
	fns   *execution.Service
	gen   *generation.Service
}

// newServices makes them, or says all that is wrong with the configuration.
func newServices(db *mongo.Database, c config) (s services, err error) {
	var errs [6]error
	s.users, errs[0] = auth.New(db, c.Secret, &auth.Options{
		Collections:     c.UserCollections,
		SigningKey:      c.SigningKey,
		AccessLifetime:  time.Duration(c.AccessLifetime),
		SessionLifetime: time.Duration(c.SessionLifetime),
	})
	s.docs, errs[1] = storage.New(db, nil)
	s.files, errs[2] = archive.New(db, archive.Disk(c.UploadFolder), &archive.Options{
		Collection: c.Archive,
		MaxBytes:   int64(c.MaxUpload),
		Secret:     c.Secret,
	})
	s.pay, errs[3] = payment.New(db, c.StripeKey, c.StripeWebhookSecret, &payment.Options{APIBase: c.StripeBase})
	s.fns, errs[4] = execution.New(functions(), nil)
	if err := errors.Join(errs[:]...); err != nil {
		return s, err
	}
	tools, err := s.fns.Tools(s.fns.Names()...)
	if err != nil {
		return s, err
	}
	s.gen, err = generation.New(db, c.GenerationKey, &generation.Options{
		Model:   c.GenerationModel,
		BaseURL: c.GenerationBase,
		Toolset: tools,
	})
	return s, err
}

// newGateway puts the services on e and adds routes of its own.
func newGateway(e *echo.Echo, db *mongo.Database, c config, log *slog.Logger) (*coglex.App, error) {
	s, err := newServices(db, c)
	if err != nil {
		return nil, err
	}
	app, err := coglex.New(c.Secret, &coglex.Options{Users: s.users, Logger: log, BaseURL: c.BaseURL})
	if err != nil {
		return nil, err
	}
	if err := app.Mount(e, s.users, s.docs, s.files, s.pay, s.fns, s.gen); err != nil {
		return nil, err
	}
	if e.IPExtractor, err = middleware.TrustProxies(log, c.TrustedProxies...); err != nil {
		return nil, err
	}

	e.Use(app.Errors())
	e.GET("/health/live", app.HandleLive)
	e.GET("/health/ready", app.HandleReady)
	e.GET("/me", handleMe, s.users.Authenticated())
	e.GET("/hello", handleHello, app.Protected())
	e.Any("/mcp", echo.WrapHandler(executionmcp.Handler(s.fns, nil)), app.Protected(), s.users.Identified())

	signals.Subscribe(app.Signals(), func(ctx context.Context, event auth.SignedUp) error {
		log.InfoContext(ctx, "welcome", "user", event.User.ID, "collection", event.User.Collection())
		return nil
	})
	signals.SubscribeNamed(app.Signals(), "mark-paid", markPaid(s.docs, log))
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
