package generationtest

import (
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// headerKey carries the API key.
const headerKey = "X-Goog-Api-Key"

// Request is what was received.
type Request struct {
	// Operation is what was asked for, "" where there is no such method.
	Operation Operation
	// Method and Path are those of the request.
	Method, Path string
	// Query is that of the URL, without a key.
	Query url.Values
	// Header is that of the request, without the API key.
	Header http.Header
	// Name is the model or the file, without "models/" and "files/".
	Name string
	// Body is the body. Of an upload it is nil, for the bytes are not kept.
	Body []byte
	// Size is how many bytes the body has.
	Size int64

	key       [sha256.Size]byte
	abandoned bool
}

// HasKey reports whether the request came with this key. Keys themselves are not
// kept.
func (r Request) HasKey(key string) bool { return r.key == sha256.Sum256([]byte(key)) }

// Abandoned reports whether the client left before it had its answer.
func (r Request) Abandoned() bool { return r.abandoned }

// record is what was received.
type record struct {
	mu       sync.Mutex
	keep     int
	requests []*Request
	received int
	left     int
	changed  chan struct{} // closed at each change
}

// add adds the request of an exchange.
func (r *record) add(x *exchange) *Request {
	req := &Request{
		Operation: x.op, Method: x.r.Method, Path: x.r.URL.Path, Query: x.r.URL.Query(), Header: x.r.Header.Clone(),
		Name: x.name, Size: int64(len(x.body)), key: sha256.Sum256([]byte(x.key())),
	}
	req.Header.Del(headerKey)
	req.Query.Del("key")
	if x.op != OpUpload {
		req.Body = slices.Clone(x.body)
	}
	x.req = *req
	r.mu.Lock()
	defer r.mu.Unlock()
	r.received++
	if r.keep > 0 {
		if len(r.requests) == r.keep {
			r.requests = slices.Delete(r.requests, 0, 1)
		}
		r.requests = append(r.requests, req)
	}
	r.tell()
	return req
}

// abandoned marks a request whose client left.
func (r *record) abandoned(req *Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	req.abandoned = true
	r.left++
	r.tell()
}

// tell wakes those who wait.
func (r *record) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// await returns when the condition holds.
func (r *record) await(ctx context.Context, holds func() bool) error {
	for {
		r.mu.Lock()
		met, changed := holds(), r.changed
		r.mu.Unlock()
		if met {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Requests returns what was received, in order: of these operations, or of all when
// none is given. Bodies must not be changed.
func (g *Gemini) Requests(ops ...Operation) []Request {
	g.record.mu.Lock()
	defer g.record.mu.Unlock()
	var out []Request
	for _, r := range g.record.requests {
		if len(ops) == 0 || slices.Contains(ops, r.Operation) {
			out = append(out, *r)
		}
	}
	return out
}

// AwaitRequests returns when so many requests have been received in all, or with
// the error of ctx.
func (g *Gemini) AwaitRequests(ctx context.Context, n int) error {
	return g.record.await(ctx, func() bool { return g.record.received >= n })
}

// AwaitAbandoned returns when so many clients have left before they had their
// answer, or with the error of ctx.
func (g *Gemini) AwaitAbandoned(ctx context.Context, n int) error {
	return g.record.await(ctx, func() bool { return g.record.left >= n })
}

// maxBody is how large a body may be: Google takes 20 MB in a request, and the SDK
// sends files in pieces of 8 MiB.
const maxBody = 32 << 20

// read reads the body of a request, of which it keeps what is allowed.
func read(r *http.Request) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r.Body, maxBody+1))
}
