package generation

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleUsage tells what was used on a day: GET /usage. A signed-in user is told of
// themselves only; whoever holds the API key alone may ask for any user, and is
// told of what was used without one where they name none. Who is neither is 401.
func (s *Service) HandleUsage(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	q, err := strict.ParseQuery(c.Request().URL, "day", "collection", "user")
	if err != nil {
		return err
	}
	day := s.opts.Now()
	if q.Has("day") {
		if day, err = time.Parse(dayFormat, q.String("day")); err != nil {
			return service.Invalid("day", "must be a day such as 2026-01-31")
		}
	}
	h := holder{q.String("collection"), q.String("user")}
	if (h.collection == "") != (h.user == "") {
		return service.Invalid("user", "comes with its collection")
	}
	ctx := c.Request().Context()
	if id, ok := middleware.FromContext(ctx); ok {
		own := holder{id.Collection(), id.UserID()}
		if h != (holder{}) && h != own {
			return &service.Problem{Status: http.StatusForbidden, Code: "not_yours", Detail: "This is the account of another user."}
		}
		h = own
	} else if _, keyed := middleware.Granted(ctx, ScopeRead); !keyed {
		return middleware.Unauthenticated()
	}
	a, err := s.UsageOf(ctx, h.collection, h.user, day)
	if err != nil {
		return err
	}
	return respondJSON(c, a)
}
