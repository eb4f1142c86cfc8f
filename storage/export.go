package storage

import (
	"context"
	"errors"
	"iter"
	"log/slog"
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
	// exportWrite is how long a client may take for one chunk.
	exportWrite = 30 * time.Second
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
	// The connection may serve other requests, which have no deadline.
	_ = w.control.SetWriteDeadline(time.Time{})
	return nil
}

// broken ends an answer that failed midway.
func (s *Service) broken(c echo.Context, err error) error {
	if !c.Response().Committed {
		return err
	}
	logger := s.log()
	if logger == nil {
		logger = slog.Default()
	}
	ctx := c.Request().Context()
	level := slog.LevelError
	if ctx.Err() != nil {
		level = slog.LevelDebug // the client left
	}
	logger.LogAttrs(ctx, level, "export broke off",
		slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)), slog.String("error", err.Error()))
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to break a connection
}

// lineWriter writes lines in chunks.
type lineWriter struct {
	c       echo.Context
	control *http.ResponseController
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

// flush sends what there is. Each time the client has exportWrite for it.
func (w *lineWriter) flush() error {
	deadline := time.Now().Add(exportWrite) //nolint:forbidigo // the connection's clock, which no test moves
	if err := w.control.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	res := w.c.Response()
	if !res.Committed {
		res.Header().Set(echo.HeaderContentType, mediaTypeNDJSON)
		res.WriteHeader(http.StatusOK)
	}
	if _, err := res.Write(w.buf); err != nil {
		return err
	}
	w.buf = w.buf[:0]
	if err := w.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
