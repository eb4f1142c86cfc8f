package payment

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// HandlePortal opens the billing portal: POST /portal.
//
// Who is signed in gets their own customer's and no other. Mounted alone it knows its
// callers by token or cookie only, and asks for one.
func (s *Service) HandlePortal(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	var r PortalRequest
	if err := s.read(c, &r); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if r.User, err = actingFor(ctx, r.User); err != nil {
		return err
	}
	if r.User == nil && !holdsKey(ctx) {
		return middleware.Unauthenticated()
	}
	if r.IdempotencyKey, err = idempotencyKey(c.Request().Header); err != nil {
		return err
	}
	session, err := s.Portal(ctx, r)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, portalAnswer{URL: session.URL})
}
