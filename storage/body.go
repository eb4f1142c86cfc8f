package storage

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// hasBody reports whether a request has a body of one byte or more. Where its
// length is unknown, that is seen by reading one, which is put back.
func hasBody(r *http.Request) bool {
	if !strict.HasBody(r) || r.Body == nil {
		return false
	}
	if r.ContentLength > 0 {
		return true
	}
	first := make([]byte, 1)
	n, err := io.ReadFull(r.Body, first)
	if errors.Is(err, io.EOF) {
		return false
	}
	r.Body = &rejoined{Reader: io.MultiReader(bytes.NewReader(first[:n]), r.Body), Closer: r.Body}
	return true
}

// rejoined is a body of which a part was read, and put before the rest again.
type rejoined struct {
	io.Reader
	io.Closer
}

// refuseBody refuses a body where there is no use for one, lest a client believes
// that the query in it holds.
func refuseBody(r *http.Request) error {
	if hasBody(r) {
		return service.Invalid("body", "must be empty")
	}
	return nil
}
