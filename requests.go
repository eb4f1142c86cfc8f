package coglex

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// Handler returns h with what Run adds to each request: a request id in the
// X-Request-Id header of the request and of the answer (the client's own where
// it has 8 to 64 letters, digits, dots, dashes and underscores), and a line in
// the log when it is answered. The line has no query string; its status is 499
// where the client left, and "aborted" says that a handler broke the connection.
// A body that comes too slowly is cut: see [BodyGrace].
// Hosts with a server of their own wrap their *echo.Echo in it.
func (a *App) Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(echo.HeaderXRequestID)
		if !saneID(id) {
			id = rand.Text()
			r.Header.Set(echo.HeaderXRequestID, id) // for what reads the client's own
		}
		w.Header().Set(echo.HeaderXRequestID, id)
		r = pace(w, r)
		if a.quiet || !a.log.Enabled(r.Context(), slog.LevelInfo) {
			h.ServeHTTP(w, r)
			return
		}
		began := time.Now() //nolint:forbidigo // a duration of the log, nothing depends on it
		rec := &recorder{ResponseWriter: w}
		defer func() { a.logAccess(r, rec, id, time.Since(began)) }()
		rec.aborted = true
		h.ServeHTTP(rec, r)
		rec.aborted = false
	})
}

// logAccess logs one answered request: the path without its query, which may
// hold what is nobody's business.
func (a *App) logAccess(r *http.Request, rec *recorder, id string, took time.Duration) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", rec.final(r.Context())),
		slog.Int64("bytes", rec.bytes), slog.Float64("took_ms", float64(took)/float64(time.Millisecond)),
		slog.String("peer", host), slog.String("request_id", id),
	}
	if rec.aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	a.log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}

// saneID reports whether a client's request id may be repeated to it and logged.
func saneID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		word := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !word && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// recorder notes the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	status  int
	bytes   int64
	aborted bool // a panic passes through
}

// final returns the status to log.
func (r *recorder) final(ctx context.Context) int {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return service.StatusClientClosed
	case r.status != 0:
		return r.status
	case r.aborted:
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

// WriteHeader notes the first final status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom passes what is copied to the connection, which lets the kernel send
// files by itself, and counts the bytes.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	n, err := io.Copy(r.ResponseWriter, src)
	r.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
