package archive

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// maxRanges is how many ranges one request may ask for; with more of them it
	// gets the whole file (RFC 9110, section 14.2).
	maxRanges = 16
	// pieceBytes is how much is sent at once, under one deadline.
	pieceBytes = 4 << 20
)

// serve answers a GET or HEAD with content, whole, in ranges or not at all where the
// client has it already, and returns how many bytes of the body went out. The
// headers that say what it is are set.
func serve(c echo.Context, modified time.Time, content io.ReadSeeker, size int64) (int64, error) {
	r := rangesOf(c.Request(), size)
	if strings.Contains(r.Header.Get("Range"), ",") {
		// Several ranges are read by a goroutine of net/http.
		guarded := &guarded{content: content}
		defer guarded.end()
		content = guarded
	}
	w := &sender{c: c, header: c.Response().Header()}
	http.ServeContent(w, r, "", modified, content)
	return w.sent, w.outcome(r.Context())
}

// rangesOf returns the request without a Range header that is to be ignored (RFC
// 9110, section 14.2): one of another method than GET, one in another unit than
// bytes, one that asks for too many, or one of which net/http would make a range
// without bytes, for which Content-Range has no words.
func rangesOf(r *http.Request, size int64) *http.Request {
	ranges := r.Header.Values("Range")
	if len(ranges) == 0 {
		return r
	}
	unit, list, ok := strings.Cut(ranges[0], "=")
	taken := r.Method == http.MethodGet && len(ranges) == 1 && ok && strings.EqualFold(unit, "bytes")
	if taken && strings.Count(list, ",") < maxRanges && size > 0 && !asksForNothing(list) {
		if unit == "bytes" {
			return r
		}
		r = r.Clone(r.Context())
		r.Header.Set("Range", "bytes="+list)
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	return r
}

// asksForNothing reports whether one of some ranges is that of the last zero bytes.
func asksForNothing(list string) bool {
	for spec := range strings.SplitSeq(list, ",") {
		suffix, ok := strings.CutPrefix(strings.TrimSpace(spec), "-")
		if n, err := strconv.Atoi(strings.TrimSpace(suffix)); ok && err == nil && n == 0 {
			return true
		}
	}
	return false
}

// sender is what net/http serves a file to. It keeps back the answers that are
// errors, for ours look different, and sends the bytes piece by piece, each of which
// has its deadline, by the kernel where that can be.
type sender struct {
	c       echo.Context
	header  http.Header
	refused int // a status of 400 and above, which was not sent
	sent    int64
	fault   error // what cut the body short
}

// Header returns the headers of the answer.
func (w *sender) Header() http.Header { return w.header }

// WriteHeader sends the status unless it is an error.
func (w *sender) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	allow(w.c, 0)
	w.c.Response().WriteHeader(status)
}

// Write sends bytes of a body.
func (w *sender) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	allow(w.c, len(p))
	n, err := w.c.Response().Write(p)
	w.note(int64(n), err)
	return n, err
}

// ReadFrom sends what is read from src.
func (w *sender) ReadFrom(src io.Reader) (total int64, err error) {
	if w.refused != 0 {
		return io.Copy(io.Discard, src)
	}
	left := int64(math.MaxInt64)
	limited, ok := src.(*io.LimitedReader)
	if ok {
		// Below it may be a file, which the kernel can send.
		src, left = limited.R, limited.N
		defer func() { limited.N -= total }()
	}
	for left > 0 {
		size := min(left, pieceBytes)
		allow(w.c, int(size))
		n, err := io.Copy(w.body(), &io.LimitedReader{R: src, N: size})
		w.note(n, err)
		total += n
		left -= n
		if err == nil && n < size && ok {
			w.note(0, errShort)
		}
		if err != nil || n < size {
			return total, err
		}
	}
	return total, nil
}

// body returns what the bytes are written to: what is below echo's response, where
// that can take them from a file without copying. echo counts what it does not see.
func (w *sender) body() io.Writer {
	if below, ok := w.c.Response().Writer.(io.ReaderFrom); ok {
		return counted{below, w.c.Response()}
	}
	return struct{ io.Writer }{w.c.Response()}
}

// counted is the writer below a response, to which it tells the size.
type counted struct {
	io.ReaderFrom
	response *echo.Response
}

// ReadFrom sends what is read from r.
func (w counted) ReadFrom(r io.Reader) (int64, error) {
	n, err := w.ReaderFrom.ReadFrom(r)
	w.response.Size += n
	return n, err
}

// Write makes it a writer.
func (w counted) Write(p []byte) (int, error) { return w.response.Write(p) }

// errShort says that a file has fewer bytes than it had when it was opened.
var errShort = errors.New("archive: the bytes of the file end too early")

// note adds up what was sent.
func (w *sender) note(n int64, err error) {
	w.sent += n
	if err != nil && w.fault == nil {
		w.fault = err
	}
}

// errStatus is an answer that net/http would have given in its own words.
type errStatus int

// Error names the status.
func (e errStatus) Error() string { return "archive: " + http.StatusText(int(e)) }

// outcome returns what went wrong.
func (w *sender) outcome(ctx context.Context) error {
	switch {
	case w.refused != 0:
		return errStatus(w.refused)
	case w.fault != nil && ctx.Err() != nil:
		return errors.Join(errLeft, w.fault)
	}
	return w.fault
}

// isClients reports whether it is the client, or the way to it, that took no more.
func isClients(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok || errors.Is(err, errLeft)
}

// guarded is content that a goroutine may be reading when its request has ended.
type guarded struct {
	mu      sync.Mutex
	content io.ReadSeeker // nil when the request has ended
}

// Read reads on.
func (g *guarded) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.content == nil {
		return 0, io.ErrClosedPipe
	}
	return g.content.Read(p)
}

// Seek moves to where to read on.
func (g *guarded) Seek(offset int64, whence int) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.content == nil {
		return 0, io.ErrClosedPipe
	}
	return g.content.Seek(offset, whence)
}

// end lets nobody read on.
func (g *guarded) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.content = nil
}
