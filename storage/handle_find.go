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
	if err := refuseHeaders(c.Request().Header, headerIfMatch, headerIfNoneMatch); err != nil {
		return err
	}
	if err := refuseBody(c.Request()); err != nil {
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
	if c.Request().Method == http.MethodHead {
		c.Response().Header().Set(echo.HeaderContentType, mediaTypeNDJSON)
		return c.NoContent(http.StatusOK)
	}
	if !p.limited {
		p.limit = 0
	}
	docs := s.each(c.Request().Context(), func(ctx context.Context) (*mongo.Cursor, error) {
		return s.open(ctx, collection, p.selection, options.Find().SetBatchSize(batch))
	})
	return s.writeLines(c, docs, s.rules.Hidden)
}

// writePage answers with an array.
func (s *Service) writePage(c echo.Context, collection string, p page) error {
	buf := s.buffer()
	defer s.release(buf)
	if err := s.fillPage(c.Request().Context(), collection, p, buf); err != nil {
		return err
	}
	if buf.more && p.skip+p.limit <= maxSkip {
		c.Response().Header().Set("Link", nextLink(c.Request().URL, p))
	}
	return s.respond(c, http.StatusOK, buf.bytes)
}

// fillPage fills a buffer with a page. Pages fit together, so they have an order
// also where none is asked for. A list that fits into one page needs none, and is
// spared it: the order costs a database without the right index a sort.
func (s *Service) fillPage(ctx context.Context, collection string, p page, buf *buffer) error {
	sorted := p.selection
	if p.sort == nil {
		sorted.sort = byID()
	}
	if p.sort == nil && p.skip == 0 {
		if err := s.fillFind(ctx, collection, p.selection, buf); err != nil || !buf.more {
			return err
		}
		buf.reset()
	}
	return s.fillFind(ctx, collection, sorted, buf)
}

// fillFind fills a buffer with documents. One more than asked for tells whether
// there are more.
func (s *Service) fillFind(ctx context.Context, collection string, q selection, buf *buffer) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	limit := q.limit
	q.limit++
	cursor, err := s.open(ctx, collection, q, s.bounds().SetBatchSize(batch))
	if err != nil {
		return err
	}
	defer s.end(ctx, cursor)
	return buf.array(ctx, cursor, limit, s.rules.Hidden)
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
		b.reset()
		s.buffers.Put(b)
	}
}

func (b *buffer) reset() { b.bytes, b.more = b.bytes[:0], false }

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
