package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"
)

// Rule turns the errors it knows into a problem and returns nil for all others.
// A service keeps its rules in one table.
type Rule func(error) *Problem

// Is returns a rule for a sentinel error.
func Is(target error, status int, code, detail string) Rule {
	return func(err error) *Problem {
		if !errors.Is(err, target) {
			return nil
		}
		return &Problem{Status: status, Code: code, Detail: detail, Err: err}
	}
}

// As returns a rule for errors of type E.
func As[E error](problem func(E) *Problem) Rule {
	return func(err error) *Problem {
		if e, ok := errors.AsType[E](err); ok {
			return problem(e)
		}
		return nil
	}
}

// Edge is deferred by every handler with the address of its error result. It
// turns the error into what echo's error handler, or a host's, writes rightly:
// see [Fail]. A panic becomes a bare 500 whose value and stack are in the log
// only. A panic with [http.ErrAbortHandler] passes, for
// that is how net/http breaks a connection. A nil logger is slog.Default().
func Edge(c echo.Context, logger *slog.Logger, err *error, rules ...Rule) {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler { //nolint:errorlint // net/http itself compares the panic value
			panic(v) //nolint:forbidigo // the documented way to break the connection
		}
		// A problem by now, so that no rule mistakes it for something milder.
		*err = internal(fmt.Errorf("service: handler panicked: %v\n%s", v, debug.Stack()))
	}
	*err = Fail(c, logger, *err, rules...)
}

// Fail turns an error into an *echo.HTTPError that carries the problem: a
// *Problem inside err as it is, else the first rule's that knows err, else a
// bare 500 with code "internal". A request whose client has left is a 499
// instead of the latter two.
//
// The cause of a status of 500 and above is logged as an error, any other for
// debugging, under the request id: the X-Request-Id that the answer has, or one
// that Fail gives it. The problem stays reachable by errors.As, so a host's own
// error handler may write it in another shape. An *echo.HTTPError is returned as
// it is, and nil as nil. A nil logger is slog.Default().
func Fail(c echo.Context, logger *slog.Logger, err error, rules ...Rule) error {
	if err == nil {
		return nil
	}
	if he, ok := err.(*echo.HTTPError); ok { //nolint:errorlint // echo's handler asserts likewise
		return he
	}
	p := problemOf(c.Request().Context(), err, rules)
	header := c.Response().Header()
	id := header.Get(echo.HeaderXRequestID)
	if id == "" {
		id = rand.Text()
	}
	report(c, logger, p, id, err)
	if !c.Response().Committed {
		header.Set(echo.HeaderXRequestID, id)
		p.header(header)
	}
	return &echo.HTTPError{
		Code:     p.Status,
		Message:  body{problem: p, requestID: id, header: header},
		Internal: p,
	}
}

// problemOf finds the problem that a client sees for err.
func problemOf(ctx context.Context, err error, rules []Rule) *Problem {
	p := known(ctx, err, rules)
	if p == nil || p.Status < 400 || p.Status > 599 {
		// net/http panics on some statuses, and a 200 must not come of an error.
		return internal(err)
	}
	return p
}

// known returns the problem of an error that is one or that a rule knows.
func known(ctx context.Context, err error, rules []Rule) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	// A client that left cancels the request; whatever failed then, failed of that.
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Problem{Status: StatusClientClosed, Code: "client_closed", Err: err}
	}
	for _, rule := range rules {
		if p := rule(err); p != nil {
			return p.because(err)
		}
	}
	return nil
}

// internal returns the bare 500 that hides its cause.
func internal(cause error) *Problem {
	return &Problem{Status: http.StatusInternalServerError, Code: "internal", Err: cause}
}

// report logs what went wrong on our side.
func report(c echo.Context, logger *slog.Logger, p *Problem, id string, err error) {
	level := slog.LevelDebug
	switch {
	case p.Status == http.StatusServiceUnavailable, p.Status == http.StatusNotImplemented: // as often as clients like
		level = slog.LevelWarn
	case p.Status >= http.StatusInternalServerError:
		level = slog.LevelError
	}
	if logger == nil {
		logger = slog.Default()
	}
	ctx := c.Request().Context()
	if !logger.Enabled(ctx, level) {
		return
	}
	logger.LogAttrs(ctx, level, "request failed",
		slog.String("request_id", id), slog.String("method", c.Request().Method), slog.String("route", c.Path()),
		slog.Int("status", p.Status), slog.String("code", p.Code), slog.Any("error", err))
}
