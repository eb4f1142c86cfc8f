package storage

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleAggregate runs a pipeline: POST /:collection/aggregate.
func (s *Service) HandleAggregate(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	collection, err := s.collectionOf(c)
	if err != nil {
		return err
	}
	if err := refuseHeaders(c.Request().Header, headerIfMatch, headerIfNoneMatch); err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	var body aggregateBody
	if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
		return err
	}
	if body.Pipeline == nil {
		return service.Invalid("pipeline", "is missing")
	}
	ctx := c.Request().Context()
	guard := mongoquery.Guard{Collection: collection}
	if s.opts.Scope != nil {
		guard.Scope = func(collection string) (bson.Raw, error) { return s.scopeOf(ctx, OpAggregate, collection) }
	}
	lines := wantsLines(c.Request().Header)
	if !lines {
		guard.Limit = MaxLimit + 1 // one more tells whether there is more
	}
	stages, err := s.rules.Secure(body.Pipeline, guard)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set(echo.HeaderCacheControl, cacheControl)
	header.Add(echo.HeaderVary, echo.HeaderAccept)
	if lines {
		return s.writeLines(c, s.eachAggregate(ctx, collection, stages), s.rules.Hidden)
	}
	return s.writeAggregate(c, collection, stages)
}

// headerTruncated says that there is more than an array may have.
const headerTruncated = "X-Truncated"

// writeAggregate answers with an array.
func (s *Service) writeAggregate(c echo.Context, collection string, stages []bson.Raw) error {
	buf := s.buffer()
	defer s.release(buf)
	if err := s.fillAggregate(c.Request().Context(), collection, stages, buf); err != nil {
		return err
	}
	if buf.more {
		c.Response().Header().Set(headerTruncated, "true")
	}
	return s.respond(c, http.StatusOK, buf.bytes)
}

// fillAggregate fills a buffer with what comes out of a pipeline.
func (s *Service) fillAggregate(ctx context.Context, collection string, stages []bson.Raw, buf *buffer) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	o := options.Aggregate().SetMaxTime(s.opts.QueryTimeout).SetBatchSize(batch)
	cursor, err := s.aggregate(ctx, collection, stages, o)
	if err != nil {
		return err
	}
	defer s.end(ctx, cursor)
	return buf.array(ctx, cursor, MaxLimit, s.rules.Hidden)
}
