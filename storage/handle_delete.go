package storage

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleDeleteMany deletes all documents that match: DELETE /:collection.
func (s *Service) HandleDeleteMany(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	collection, err := s.collectionOf(c)
	if err != nil {
		return err
	}
	if err := refuseHeaders(c.Request().Header, headerIfMatch, headerIfNoneMatch); err != nil {
		return err
	}
	q, err := strict.ParseQuery(c.Request().URL, "query")
	if err != nil {
		return err
	}
	var body deleteManyBody
	if hasBody(c.Request()) {
		if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
			return err
		}
	}
	filter, err := s.explicitFilter(q, bson.Raw(body.Query))
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	scope, err := s.scopeOf(ctx, OpDelete, collection)
	if err != nil {
		return err
	}
	n, err := s.deleteMany(ctx, collection, filter, scope)
	if err != nil && n > 0 {
		return midway(err, map[string]int64{"deleted": n})
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, deleteAnswer{n})
}
