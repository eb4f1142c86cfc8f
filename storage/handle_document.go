package storage

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

const (
	headerETag        = "ETag"
	headerIfMatch     = "If-Match"
	headerIfNoneMatch = "If-None-Match"
)

// HandleFindOne answers with one document: GET /:collection/:id.
func (s *Service) HandleFindOne(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	t, err := s.targetOf(c, OpFind)
	if err != nil {
		return err
	}
	q, err := strict.ParseQuery(c.Request().URL, "keys")
	if err != nil {
		return err
	}
	keys, err := s.parseKeys(q)
	if err != nil {
		return err
	}
	if err := refuseHeaders(c.Request().Header, headerIfMatch); err != nil {
		return err
	}
	if err := refuseBody(c.Request()); err != nil {
		return err
	}
	known, err := tagsOf(c.Request().Header, headerIfNoneMatch)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var doc document
	err = s.hit(ctx, t, func(filter bson.Raw) (err error) {
		doc, err = s.read(ctx, t.collection, filter, keys)
		return err
	})
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set(echo.HeaderCacheControl, cacheControl)
	header.Set(headerETag, doc.etag)
	if known != nil && known.weakly(doc.etag) {
		return c.NoContent(http.StatusNotModified)
	}
	return s.writeDocument(c, doc)
}

// targetOf returns the document that the path names. A precondition is for those
// to add that write.
func (s *Service) targetOf(c echo.Context, kind OpKind) (t target, err error) {
	if t.collection, err = s.collectionOf(c); err != nil {
		return t, err
	}
	id, err := service.Param(c, "id")
	if err != nil {
		return t, err
	}
	t.filters = filtersByID(id)
	t.scope, err = s.scopeOf(c.Request().Context(), kind, t.collection)
	return t, err
}

// document is one document with its tag.
type document struct {
	raw         bson.Raw
	etag        string
	dropVersion bool // the client did not ask for it
}

// read reads a document. The tag is that of the whole document also where only
// some keys are wanted.
func (s *Service) read(ctx context.Context, collection string, filter, keys bson.Raw) (d document, err error) {
	if keys == nil {
		if d.raw, err = s.findOne(ctx, collection, filter, nil); err != nil {
			return d, err
		}
		d.etag, err = etagOf(d.raw)
		return d, err
	}
	projection, drop, err := withVersion(keys)
	if err != nil {
		return d, err
	}
	d.dropVersion = drop
	if d.raw, err = s.findOne(ctx, collection, filter, projection); err != nil {
		return d, err
	}
	if _, ok := versionOf(d.raw); ok {
		d.etag, err = etagOf(d.raw)
		return d, err
	}
	return s.readUnversioned(ctx, collection, filter, d, projection)
}

// readUnversioned reads a document without a version: all of it for the tag first,
// then the keys again, so that the tag is never newer than what it stands for.
func (s *Service) readUnversioned(ctx context.Context, collection string, filter bson.Raw, d document, projection bson.Raw) (document, error) {
	whole, err := s.findOne(ctx, collection, filter, nil)
	if err != nil {
		return d, err
	}
	if d.etag, err = etagOf(whole); err != nil {
		return d, err
	}
	d.raw, err = s.findOne(ctx, collection, filter, projection)
	return d, err
}

// writeDocument answers with a document.
func (s *Service) writeDocument(c echo.Context, d document) error {
	skip := s.rules.Hidden
	if d.dropVersion {
		skip = append(hidden(), fieldVersion)
	}
	buf := s.buffer()
	defer s.release(buf)
	var err error
	if buf.bytes, err = extjson.AppendRelaxed(buf.bytes, d.raw, skip...); err != nil {
		return err
	}
	return s.respond(c, http.StatusOK, buf.bytes)
}

// HandlePatchOne changes one document: PATCH /:collection/:id.
func (s *Service) HandlePatchOne(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	t, err := s.targetOf(c, OpUpdate)
	if err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	if err := refuseHeaders(c.Request().Header, headerIfNoneMatch); err != nil {
		return err
	}
	if t.match, err = tagsOf(c.Request().Header, headerIfMatch); err != nil {
		return err
	}
	var body patchOneBody
	if err := strict.Body(c, s.opts.BodyLimit, &body); err != nil {
		return err
	}
	check, err := s.patchCheck(bson.Raw(body.Document), t.scope)
	if err != nil {
		return err
	}
	doc, err := s.patchOne(c.Request().Context(), t, check)
	if err != nil {
		return err
	}
	etag, err := etagOf(doc)
	if err != nil {
		return err
	}
	c.Response().Header().Set(headerETag, etag)
	return c.JSON(http.StatusOK, PatchResult{Matched: 1, Modified: 1})
}

// HandleDeleteOne deletes one document: DELETE /:collection/:id.
func (s *Service) HandleDeleteOne(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	t, err := s.targetOf(c, OpDelete)
	if err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	if err := refuseHeaders(c.Request().Header, headerIfNoneMatch); err != nil {
		return err
	}
	if t.match, err = tagsOf(c.Request().Header, headerIfMatch); err != nil {
		return err
	}
	if err := refuseBody(c.Request()); err != nil {
		return err
	}
	if err := s.deleteOne(c.Request().Context(), t); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, deleteAnswer{1})
}

// refuseHeaders refuses preconditions that a route does not check: one that is
// passed over would look as if it held.
func refuseHeaders(h http.Header, names ...string) error {
	for _, name := range names {
		if len(h.Values(name)) > 0 {
			return service.Invalid(name, "is not supported here")
		}
	}
	return nil
}
