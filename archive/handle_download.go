package archive

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// The header Content-Security-Policy of files: nothing in one may run, load or be
// anything but itself. A browser shows images, sound and video in a page of its own
// making, which needs the styles that it brings along and the file once more. Sound
// and video it fetches only with an origin, which is harmless to a page without scripts.
const (
	policyAttachment = "default-src 'none'; sandbox"
	policyInline     = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
	policyPlayed     = policyInline + " allow-same-origin"
)

// redirectTime is how long the address holds that a client is redirected to.
const redirectTime = 5 * time.Minute

// HandleDownload answers with the bytes of a file: GET and HEAD of /:id and of
// /download/:collection/:id.
func (s *Service) HandleDownload(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	space, err := spaceOf(c)
	if err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	q, err := strict.ParseQuery(c.Request().URL, "inline")
	if err != nil {
		return err
	}
	inline, err := wantsInline(q)
	if err != nil {
		return err
	}
	rec, err := s.lookUp(c.Request().Context(), space, id)
	if err != nil {
		return err
	}
	return s.download(c, rec, Downloading{File: rec.file(), Inline: inline && isInline(rec.Type)})
}

// wantsInline returns the parameter of that name: 1 or true, 0 or false.
func wantsInline(q strict.Query) (bool, error) {
	switch q.String("inline") {
	case "1":
		return true, nil
	case "0":
		return false, nil
	}
	return q.Bool("inline")
}

// download answers with the bytes of a record, if no interceptor is against it.
func (s *Service) download(c echo.Context, rec record, asked Downloading) error {
	ctx := c.Request().Context()
	if err := signals.Ask(ctx, s.bus(), &asked); err != nil {
		return err
	}
	told := Downloaded{File: asked.File, Link: asked.Link}
	if s.linker != nil && c.Request().Method == http.MethodGet {
		if err := s.redirect(c, rec, asked.Inline); err != nil {
			return err
		}
		told.Redirected = true
		signals.Announce(ctx, s.bus(), told)
		return nil
	}
	content, err := s.openBytes(ctx, rec)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // it was only read
	describe(c.Response().Header(), rec, asked.Inline)
	sent, err := serve(c, rec.Inserted, content, rec.Size)
	if c.Request().Method == http.MethodGet && c.Response().Status < http.StatusMultipleChoices && c.Response().Committed {
		told.Sent = sent
		signals.Announce(ctx, s.bus(), told)
	}
	if err == nil {
		allowAll(c)
		return nil
	}
	return s.failed(c, rec.Size, err)
}

// describe sets the headers that say what a file is and what may be done with it.
func describe(h http.Header, rec record, inline bool) {
	h.Set(echo.HeaderContentType, served(rec.Type))
	h.Set(echo.HeaderContentDisposition, disposition(rec.Name, inline))
	h.Set("ETag", `"`+rec.SHA256+`"`)
	h.Set(echo.HeaderCacheControl, cachePrivate)
	h.Set(echo.HeaderXContentTypeOptions, "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-site")
	policy := policyAttachment
	switch {
	case inline && isPlayed(rec.Type):
		policy = policyPlayed
	case inline:
		policy = policyInline
	}
	h.Set(echo.HeaderContentSecurityPolicy, policy)
}

// redirect sends the client to the store.
func (s *Service) redirect(c echo.Context, rec record, inline bool) error {
	address, err := s.linker.Link(c.Request().Context(), rec.Key, LinkRequest{
		Expires: redirectTime, Disposition: disposition(rec.Name, inline), Type: served(rec.Type),
	})
	if err != nil {
		return wrap("linking to the store", err)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, cacheNone)
	return c.Redirect(http.StatusTemporaryRedirect, address)
}

// failed ends a download that was refused, or that broke off: then the connection
// breaks too, so that what was sent never looks whole.
func (s *Service) failed(c echo.Context, size int64, err error) error {
	res := c.Response()
	var status errStatus
	if errors.As(err, &status) {
		switch status {
		case http.StatusPreconditionFailed:
			return &service.Problem{Status: http.StatusPreconditionFailed, Code: "precondition_failed", Detail: "It is not what the request says it is."}
		case http.StatusRequestedRangeNotSatisfiable:
			// The problem drops what described the file, of which this stays true.
			res.Before(func() { res.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(size, 10)) })
			return &service.Problem{Status: http.StatusRequestedRangeNotSatisfiable, Code: "range_invalid", Detail: "The file has no such range."}
		}
		return err
	}
	if !res.Committed {
		return err
	}
	ctx := c.Request().Context()
	level := slog.LevelError
	if ctx.Err() != nil || isClients(err) {
		level = slog.LevelDebug
	}
	s.logger().LogAttrs(ctx, level, "archive: a download broke off",
		slog.String("request_id", res.Header().Get(echo.HeaderXRequestID)), slog.String("error", err.Error()))
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to break a connection
}
