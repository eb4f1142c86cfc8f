package storage

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/extjson"
)

const (
	// batch is how many documents the database is asked for at once: few enough to
	// be held in memory for each export and list. MongoDB sends 16 MiB at most
	// anyway, other servers whatever it comes to.
	batch = 250
	// exportChunk is about how many bytes are written at once.
	exportChunk = 32 << 10
	// exportRate is how many bytes a second a client must take on average.
	exportRate = 16 << 10
	// exportRetryAfter is when a client should come back for an export.
	exportRetryAfter = 5 * time.Second
)

// mediaTypeNDJSON is the media type of a document a line.
const mediaTypeNDJSON = "application/x-ndjson"

// each yields the documents of a cursor. Opening it, and each batch after that,
// has a deadline of its own; the server's time for all of them together has none,
// which is why open must not set one.
func (s *Service) each(ctx context.Context, open func(context.Context) (*mongo.Cursor, error)) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		cursor, err := s.begin(ctx, open)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.end(ctx, cursor)
		for {
			more := s.next(ctx, cursor)
			if !more {
				break
			}
			if !yield(cursor.Current, nil) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(nil, wrap("reading on", err))
		}
	}
}

// begin opens the cursor within the time of one operation.
func (s *Service) begin(ctx context.Context, open func(context.Context) (*mongo.Cursor, error)) (*mongo.Cursor, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return open(ctx)
}

// next goes to the next document. Only where it has to ask the database is there
// a deadline to make.
func (s *Service) next(ctx context.Context, cursor *mongo.Cursor) bool {
	if cursor.RemainingBatchLength() > 0 {
		return cursor.Next(ctx)
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return cursor.Next(ctx)
}

// end closes the cursor also on the side of the database, where the client has
// left too.
func (s *Service) end(ctx context.Context, cursor *mongo.Cursor) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	_ = cursor.Close(ctx) // the database forgets it by itself after a while
}

// writeLines answers with a document a line. Until the first chunk is written an
// error becomes a problem; after that it breaks the connection, so that a cut
// export never looks whole.
func (s *Service) writeLines(c echo.Context, docs iter.Seq2[bson.Raw, error], skip []string) error {
	select {
	case s.exports <- struct{}{}:
		defer func() { <-s.exports }()
	default:
		return ErrBusy
	}
	w := &lineWriter{c: c, control: http.NewResponseController(c.Response().Writer), buf: make([]byte, 0, exportChunk+exportChunk/4)}
	w.pace.rate = exportRate
	for doc, err := range docs {
		if err == nil {
			err = w.add(doc, skip)
		}
		if err != nil {
			return s.broken(c, err)
		}
	}
	if err := w.flush(); err != nil {
		return s.broken(c, err)
	}
	w.pace.end(w.control)
	return nil
}

// lineWriter writes lines in chunks.
type lineWriter struct {
	c       echo.Context
	control *http.ResponseController
	pace    pace
	buf     []byte
}

// add adds a document.
func (w *lineWriter) add(doc bson.Raw, skip []string) (err error) {
	if w.buf, err = extjson.AppendRelaxed(w.buf, doc, skip...); err != nil {
		return err
	}
	if w.buf = append(w.buf, '\n'); len(w.buf) < exportChunk {
		return nil
	}
	return w.flush()
}

// flush sends what there is, at the pace that a client must keep.
func (w *lineWriter) flush() error {
	res := w.c.Response()
	if !res.Committed {
		res.Header().Set(echo.HeaderContentType, mediaTypeNDJSON)
		res.WriteHeader(http.StatusOK)
	}
	err := w.pace.send(w.control, len(w.buf), func() error {
		if _, err := res.Write(w.buf); err != nil {
			return err
		}
		return supported(w.control.Flush())
	})
	w.buf = w.buf[:0]
	return err
}
