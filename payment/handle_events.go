package payment

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// maxSkip is how many events a list may leave out.
const maxSkip = 1 << 31

// HandleEvents lists events, everybody's: GET /events. Guard it with an API key.
func (s *Service) HandleEvents(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	u := c.Request().URL
	q, err := strict.ParseQuery(u, "id", "type", "state", "since", "until", "limit", "skip", "count")
	if err != nil {
		return err
	}
	f, err := filterOf(q)
	if err != nil {
		return err
	}
	p, err := pageOf(q)
	if err != nil {
		return err
	}
	counted, err := q.Bool("count")
	if err != nil {
		return err
	}
	return s.respondEvents(c, f, p, counted)
}

// respondEvents answers with a page of events, and says where the next one is. It
// asks for one event more than it shows, so that it knows.
func (s *Service) respondEvents(c echo.Context, f EventFilter, p Page, counted bool) error {
	ctx, h := c.Request().Context(), c.Response().Header()
	records, err := s.Events(ctx, f, Page{Skip: p.Skip, Limit: p.Limit + 1})
	if e, ok := errors.AsType[*errFilter](err); ok {
		return service.Invalid(strings.TrimSuffix(e.field, "s"), e.message) // the parameter is "id", not "ids"
	}
	if err != nil {
		return err
	}
	if counted {
		n, err := s.CountEvents(ctx, f)
		if err != nil {
			return err
		}
		h.Set("X-Total-Count", strconv.FormatInt(n, 10))
	}
	if int64(len(records)) > p.Limit {
		records = records[:p.Limit]
		h.Set("Link", nextLink(c.Request().URL, p))
	}
	return private(c, records)
}

// filterOf returns the filter of a list. Several values of one parameter are
// separated by commas.
func filterOf(q strict.Query) (f EventFilter, err error) {
	f.IDs, f.Types = listed(q, "id"), listed(q, "type")
	for _, state := range listed(q, "state") {
		f.States = append(f.States, State(state))
	}
	if f.Since, err = queryTime(q, "since"); err != nil {
		return f, err
	}
	f.Until, err = queryTime(q, "until")
	return f, err
}

// listed returns the values of a parameter, none where it is not given.
func listed(q strict.Query, name string) []string {
	if !q.Has(name) {
		return nil
	}
	return strings.Split(q.String(name), ",")
}

// queryTime returns a parameter that is a time in RFC 3339.
func queryTime(q strict.Query, name string) (time.Time, error) {
	if !q.Has(name) {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, q.String(name))
	if err != nil {
		return t, service.Invalid(name, "must be a time such as 2026-01-31T12:00:00Z")
	}
	return t, nil
}

// pageOf returns the page that is asked for.
func pageOf(q strict.Query) (p Page, err error) {
	if p.Limit, err = q.Int("limit", DefaultLimit, 1, MaxLimit); err != nil {
		return p, err
	}
	p.Skip, err = q.Int("skip", 0, 0, maxSkip)
	return p, err
}

// nextLink returns the Link header that leads to the next page (RFC 8288): the same
// query, further on. It is relative, so that it holds behind any proxy.
func nextLink(u *url.URL, p Page) string {
	query := u.Query()
	query.Set("skip", strconv.FormatInt(p.Skip+p.Limit, 10))
	return "<?" + query.Encode() + `>; rel="next"`
}

// HandleEvent returns an event with its payload, whoever it is about: GET
// /events/:id. Guard it with an API key.
func (s *Service) HandleEvent(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	id, err := service.Param(c, "id")
	if err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	if !eventID.MatchString(id) {
		return ErrNotFound
	}
	record, err := s.Event(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return private(c, eventAnswer{Record: record, Payload: record.Payload})
}

// HandleReplay has events handled again: POST /events/replay. Guard it with an API
// key.
func (s *Service) HandleReplay(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	var body replayBody
	if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
		return err
	}
	report, err := s.Replay(c.Request().Context(), body.filter())
	if err != nil {
		return err
	}
	return private(c, report)
}

// replayBody is the filter as JSON.
type replayBody struct {
	IDs         []string  `json:"ids"`
	Types       []string  `json:"types"`
	States      []State   `json:"states"`
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until"`
	Again       bool      `json:"again"`
	Subscribers []string  `json:"subscribers"`
	DryRun      bool      `json:"dry_run"`
	Limit       int64     `json:"limit"`
}

func (b replayBody) filter() ReplayFilter {
	return ReplayFilter{
		EventFilter: EventFilter{IDs: b.IDs, Types: b.Types, States: b.States, Since: b.Since, Until: b.Until},
		Again:       b.Again, Subscribers: b.Subscribers, DryRun: b.DryRun, Limit: b.Limit,
	}
}

// eventAnswer is an event with what Stripe sent.
type eventAnswer struct {
	Record

	Payload json.RawMessage `json:"payload"`
}

// private answers with what no cache may keep: events are about people.
func private(c echo.Context, v any) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, v)
}
