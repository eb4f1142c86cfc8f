package coglex

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// ReadyTimeout bounds the checks of HandleReady.
const ReadyTimeout = 2 * time.Second

// HandleLive answers 200 as long as the process answers at all. It needs no key.
func (a *App) HandleLive(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// HandleReady answers 200 when every service can serve, else 503 "not_ready"
// with the names of those that cannot, within ReadyTimeout. The causes are in
// the log. While the gateway drains it answers 503 on the connections that are
// still open, and new ones are refused: a load balancer takes either for an end. It
// needs no key.
func (a *App) HandleReady(c echo.Context) (err error) {
	defer service.Edge(c, a.log, &err)
	ctx, cancel := context.WithTimeout(c.Request().Context(), ReadyTimeout)
	defer cancel()
	if err := a.Ready(ctx); err != nil {
		return err
	}
	return a.HandleLive(c)
}

// Ready returns nil when every service can serve, else a *service.Problem with
// status 503 that names those that cannot. All are asked at the same time; one
// that has not answered when ctx ends counts as not ready.
func (a *App) Ready(ctx context.Context) error {
	p := &service.Problem{Status: http.StatusServiceUnavailable, Code: "not_ready", RetryAfter: ReadyTimeout}
	if a.isDraining() {
		p.Detail = "The gateway is shutting down."
		return p
	}
	services := a.carried()
	answers := make([]chan error, len(services))
	for i, c := range services {
		answers[i] = make(chan error, 1)
		go func() { answers[i] <- ready(ctx, c) }()
	}
	var causes []error
	for i, c := range services {
		err := await(ctx, answers[i])
		if err == nil {
			continue
		}
		a.log.LogAttrs(ctx, slog.LevelWarn, "service is not ready", slog.String("service", c.Name()), slog.String("error", err.Error()))
		p.Errors = append(p.Errors, service.Field{Field: c.Name(), Message: "not ready"})
		causes = append(causes, err)
	}
	if len(causes) == 0 {
		return nil
	}
	p.Detail, p.Err = "Not every service can serve.", errors.Join(causes...)
	return p
}

func ready(ctx context.Context, c *carried) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("its readiness check panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return c.Ready(ctx)
}

// await returns the answer, or the context's error where it ends first. An
// answer that is there counts, even if the wait for another took all the time.
func await(ctx context.Context, answer <-chan error) error {
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-answer:
		return err
	default:
		return ctx.Err()
	}
}
