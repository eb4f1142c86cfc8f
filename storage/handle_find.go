package storage

import (
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/service"
)

// cacheControl is for documents: every use asks whether they have changed.
const cacheControl = "private, no-cache"

// HandleFind lists documents: GET /:collection.
func (s *Service) HandleFind(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	collection, err := s.collectionOf(c)
	if err != nil {
		return err
	}
	p, err := s.parsePage(c.Request().URL)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	scope, err := s.scopeOf(ctx, OpFind, collection)
	if err != nil {
		return err
	}
	p.filter = both(p.filter, scope)
	header := c.Response().Header()
	header.Set(echo.HeaderCacheControl, cacheControl)
	header.Add(echo.HeaderVary, echo.HeaderAccept)
	if p.counted {
		n, err := s.count(ctx, collection, p.filter)
		if err != nil {
			return err
		}
		header.Set("X-Total-Count", strconv.FormatInt(n, 10))
	}
	if wantsLines(c.Request().Header) {
		return s.exportPage(c, collection, p)
	}
	return s.writePage(c, collection, p)
}

// exportPage answers with a document a line: all of them unless a limit was given.
func (s *Service) exportPage(c echo.Context, collection string, p page) error {
	if !p.limited {
		p.limit = 0
	}
	docs := s.each(c.Request().Context(), func(ctx context.Context) (*mongo.Cursor, error) {
		return s.open(ctx, collection, p.selection, options.Find().SetBatchSize(batch))
	})
	return s.writeLines(c, docs, s.rules.Hidden)
}

// writePage answers with an array. One document more than asked for tells whether
// there is a next page.
func (s *Service) writePage(c echo.Context, collection string, p page) error {
	ctx, cancel := s.bounded(c.Request().Context())
	defer cancel()
	q := p.selection
	q.limit = p.limit + 1
	cursor, err := s.open(ctx, collection, q, s.bounds().SetBatchSize(batch))
	if err != nil {
		return err
	}
	defer s.end(ctx, cursor)
	buf := s.buffer()
	defer s.release(buf)
	if err := buf.array(ctx, cursor, p.limit, s.rules.Hidden); err != nil {
		return err
	}
	if buf.more {
		c.Response().Header().Set("Link", nextLink(c.Request().URL, p))
	}
	return c.JSONBlob(http.StatusOK, buf.bytes)
}

// buffer holds an answer while it grows.
type buffer struct {
	bytes []byte
	more  bool // the cursor has more documents than were wanted
}

// maxKept is how large a buffer may be to be kept for the next answer.
const maxKept = 1 << 20

// buffer returns an empty buffer.
func (s *Service) buffer() *buffer {
	if b, ok := s.buffers.Get().(*buffer); ok {
		return b
	}
	return &buffer{}
}

// release keeps a buffer for another answer.
func (s *Service) release(b *buffer) {
	if cap(b.bytes) <= maxKept {
		b.bytes, b.more = b.bytes[:0], false
		s.buffers.Put(b)
	}
}

// array fills the buffer with the JSON of at most limit documents.
func (b *buffer) array(ctx context.Context, cursor *mongo.Cursor, limit int64, skip []string) (err error) {
	b.bytes = append(b.bytes, '[')
	for n := int64(0); cursor.Next(ctx); n++ {
		if n == limit {
			b.more = true
			break
		}
		if n > 0 {
			b.bytes = append(b.bytes, ',')
		}
		if b.bytes, err = extjson.AppendRelaxed(b.bytes, cursor.Current, skip...); err != nil {
			return err
		}
		if n > 0 && len(b.bytes) > MaxAnswerBytes {
			return ErrTooLarge
		}
	}
	b.bytes = append(b.bytes, ']')
	return wrap("reading on", cursor.Err())
}
