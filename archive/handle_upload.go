package archive

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// maxExtraBytes is how much larger than its file the body of an upload may be.
const maxExtraBytes = MaxMetadataBytes + 4*maxFormBytes

// HandleUpload keeps the file of a multipart form: POST / and POST
// /upload/:collection.
func (s *Service) HandleUpload(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	space, err := spaceOf(c)
	if err != nil {
		return err
	}
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	file, err := s.upload(c, upload{space: space, limit: s.opts.MaxBytes, types: [][]string{s.opts.Types}}, nil)
	if err != nil {
		return err
	}
	if space != "" {
		return created(c, file, 2) // upload and the collection
	}
	return created(c, file, 0)
}

// upload reads the form of a request, keeps its file and makes the record of it,
// between which claim is called, if there is one.
func (s *Service) upload(c echo.Context, u upload, claim func() error) (File, error) {
	file, err := s.uploadForm(c, u, claim)
	// The rest of a body that nobody wants is not read.
	if err != nil && c.Request().ProtoMajor == 1 {
		c.Response().Header().Set("Connection", "close")
	}
	return file, err
}

func (s *Service) uploadForm(c echo.Context, u upload, claim func() error) (File, error) {
	r := c.Request()
	ctx := r.Context()
	u.declared = r.ContentLength
	f, err := newForm(r)
	if err != nil {
		return File{}, err
	}
	if u.declared-maxExtraBytes > u.limit {
		return File{}, ErrTooLarge
	}
	f.metadata, f.given = u.metadata, u.metadata != nil
	rec, err := s.receive(ctx, f, u)
	if err != nil {
		return File{}, err
	}
	switch {
	case ctx.Err() != nil:
		err = errors.Join(errLeft, ctx.Err())
	case s.now().Sub(rec.Inserted) >= s.opts.Grace: // a sweep may have taken the bytes
		err = tooSlow(nil)
	case claim != nil:
		err = claim()
	}
	if err != nil {
		s.drop(ctx, rec.Key)
		return File{}, err
	}
	return s.enter(ctx, rec)
}

// created answers 201 with a record, and says where its bytes are: below what is
// left of the request's path without so many segments at its end.
func created(c echo.Context, file File, segments int) error {
	base := strings.TrimRight(c.Request().URL.EscapedPath(), "/")
	for range segments {
		base = strings.TrimRight(base[:strings.LastIndexByte(base, '/')+1], "/")
	}
	if file.Collection != "" {
		base += "/download/" + file.Collection
	}
	c.Response().Header().Set(echo.HeaderLocation, base+"/"+file.ID)
	return respond(c, http.StatusCreated, cachePrivate, file)
}
