package archive

import (
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// maxSkip is how many files a list may leave out.
const maxSkip = math.MaxInt32

// page is the query of a list.
type page struct {
	space        string
	filter, sort bson.Raw
	limit, skip  int64
	counted      bool
}

// HandleList lists files, everybody's: GET /. Guard it with an API key.
func (s *Service) HandleList(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if err := refuseBody(c.Request()); err != nil {
		return err
	}
	p, err := s.parsePage(c.Request().URL)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	filter := within(p.space, p.filter)
	if p.counted {
		n, err := s.count(ctx, filter)
		if err != nil {
			return err
		}
		c.Response().Header().Set("X-Total-Count", strconv.FormatInt(n, 10))
	}
	files, err := s.list(ctx, filter, p.sort, p.limit+1, p.skip)
	if err != nil {
		return err
	}
	if int64(len(files)) > p.limit {
		files = files[:p.limit]
		if p.skip+p.limit <= maxSkip {
			c.Response().Header().Set("Link", nextLink(c.Request().URL, p))
		}
	}
	return respond(c, http.StatusOK, cachePrivate, files)
}

// parsePage parses and checks the query of a list.
func (s *Service) parsePage(u *url.URL) (p page, err error) {
	q, err := strict.ParseQuery(u, "query", "sort", "limit", "skip", "count", paramCollection)
	if err != nil {
		return p, err
	}
	if p.space, err = spaceOfQuery(q); err != nil {
		return p, err
	}
	if p.filter, err = q.Document("query"); err == nil && p.filter != nil {
		err = s.rules.Filter(p.filter)
	}
	if err != nil {
		return p, err
	}
	if p.sort, err = q.Document("sort"); err == nil && p.sort != nil {
		err = s.rules.Sort(p.sort)
	}
	if err != nil {
		return p, err
	}
	if p.limit, err = q.Int("limit", DefaultLimit, 1, MaxLimit); err != nil {
		return p, err
	}
	if p.skip, err = q.Int("skip", 0, 0, maxSkip); err != nil {
		return p, err
	}
	p.counted, err = q.Bool("count")
	return p, err
}

// nextLink returns the Link header that leads to the next page (RFC 8288): the same
// query, further on. It is relative, so that it holds behind any proxy.
func nextLink(u *url.URL, p page) string {
	query := u.Query()
	query.Set("skip", strconv.FormatInt(p.skip+p.limit, 10))
	return "<?" + query.Encode() + `>; rel="next"`
}
