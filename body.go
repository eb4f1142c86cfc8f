package coglex

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// How slowly a request's body may come before its connection is cut: MinBodyRate
// bytes a second on average, after a grace of BodyGrace for slow starts. A client
// that sends half a request and waits would hold its connection for ever.
const (
	BodyGrace   = 30 * time.Second
	MinBodyRate = 1 << 10
)

// pacedBody is a body whose connection is given more time to read as bytes come.
// Once the body is at its end there is no deadline any more: net/http goes on
// reading to notice that a client leaves, and would take one for that.
type pacedBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	began time.Time
	bytes int64
}

// pace gives the request's body a pace to keep, if it has a body and the
// connection takes deadlines.
func pace(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	b := &pacedBody{ReadCloser: r.Body, conn: http.NewResponseController(w), began: time.Now()} //nolint:forbidigo // a deadline of the network
	if b.extend() != nil {
		return r
	}
	paced := *r
	paced.Body = b
	return &paced
}

// extend sets the deadline by the bytes that came so far.
func (b *pacedBody) extend() error {
	earned := time.Duration(b.bytes) * time.Second / MinBodyRate
	return b.conn.SetReadDeadline(b.began.Add(BodyGrace + earned))
}

// Read reads the body and moves the deadline.
func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes += int64(n)
	deadline := b.extend
	if errors.Is(err, io.EOF) {
		deadline = func() error { return b.conn.SetReadDeadline(time.Time{}) }
	}
	if fault := deadline(); fault != nil && err == nil {
		err = fault
	}
	return n, err
}
