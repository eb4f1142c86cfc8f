package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleMetadata answers with the record of a file, whosever it is: GET
// /:id/metadata. Guard it with an API key.
func (s *Service) HandleMetadata(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	id, err := idOf(c)
	if err != nil {
		return err
	}
	q, err := strict.ParseQuery(c.Request().URL, paramCollection)
	if err != nil {
		return err
	}
	space, err := spaceOfQuery(q)
	if err != nil {
		return err
	}
	rec, err := s.lookUp(c.Request().Context(), space, id)
	if err != nil {
		return err
	}
	return s.writeRecord(c, rec)
}

// writeRecord answers with a record and its ETag, or 304.
func (s *Service) writeRecord(c echo.Context, rec record) error {
	text, err := json.Marshal(rec.file())
	if err != nil {
		return wrap("encoding the record", err)
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	header.Set(echo.HeaderCacheControl, cachePrivate)
	hash := sha256.Sum256(text)
	header.Set("ETag", `"`+hex.EncodeToString(hash[:16])+`"`)
	if _, err := serve(c, rec.Inserted, bytes.NewReader(text), int64(len(text))); err != nil {
		return s.failed(c, int64(len(text)), err)
	}
	allowAll(c)
	return nil
}

// spaceOfQuery returns the name space that a query names, else the default one.
func spaceOfQuery(q strict.Query) (string, error) {
	if !q.Has(paramCollection) {
		return "", nil
	}
	space := q.String(paramCollection)
	return space, checkSpace(space)
}

// HandleDelete deletes a file: DELETE /:id and DELETE /delete/:collection/:id. Guard
// it with an API key, or let an interceptor of [Deleting] say who may.
func (s *Service) HandleDelete(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	space, err := spaceOf(c)
	if err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	if err := refuseBody(c.Request()); err != nil {
		return err
	}
	ctx := c.Request().Context()
	rec, err := s.lookUp(ctx, space, id)
	if err != nil {
		return err
	}
	if err := s.delete(ctx, rec); err != nil {
		return err
	}
	return respond(c, http.StatusOK, cachePrivate, deleteAnswer{Deleted: 1})
}
