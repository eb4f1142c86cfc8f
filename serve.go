package coglex

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// Timeouts of the server that Run makes. There is no limit on whole requests
// and answers, which would cut long uploads and streams; those limit themselves.
const (
	ReadHeaderTimeout = 10 * time.Second
	IdleTimeout       = 2 * time.Minute
	MaxHeaderBytes    = 64 << 10
)

// Run listens on addr (":5000"), starts the services and serves e until ctx
// ends; then it drains: endless answers end, requests in flight may finish
// within Options.DrainTimeout, the services stop in reverse order and the bus
// closes. It returns nil after a clean end.
func (a *App) Run(ctx context.Context, e *echo.Echo, addr string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("coglex: %w", err)
	}
	return a.Serve(ctx, e, l)
}

// Serve is [App.Run] on a listener of the host's, which it closes.
func (a *App) Serve(ctx context.Context, e *echo.Echo, l net.Listener) error {
	defer l.Close() //nolint:errcheck // closed by Shutdown already, or never served
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.stopWithin(ctx))
	}
	server := &http.Server{
		Handler: a.Handler(e), ReadHeaderTimeout: ReadHeaderTimeout, IdleTimeout: IdleTimeout, MaxHeaderBytes: MaxHeaderBytes,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("coglex: %w", err), server.Close(), a.stopWithin(ctx))
	case <-ctx.Done():
	}
	a.endStreams()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.drain)
	defer cancel()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(errors.New("coglex: some requests did not end within the drain timeout and were cut"), server.Close())
	}
	<-failed //nolint:errcheck // that the server was closed, which we know
	return errors.Join(err, a.stopWithin(ctx))
}

// stopWithin stops the App within the drain timeout, although ctx may have ended.
func (a *App) stopWithin(ctx context.Context) error {
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.drain)
	defer cancel()
	return a.Stop(stop)
}
