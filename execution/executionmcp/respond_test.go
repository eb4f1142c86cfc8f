package executionmcp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/execution/executionmcp"
)

// paced is a ResponseWriter with deadlines.
type paced struct {
	*httptest.ResponseRecorder

	deadlines []time.Time
}

func (p *paced) SetWriteDeadline(t time.Time) error {
	p.deadlines = append(p.deadlines, t)
	return nil
}

func TestAClientMustTakeItsAnswer(t *testing.T) {
	t.Parallel()
	fns, err := execution.New([]execution.Function{
		execution.Func("large", "Returns a megabyte.", func(context.Context, struct{}) (string, error) { return strings.Repeat("x", 1<<20), nil }, nil),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"large"}}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	w := &paced{ResponseRecorder: httptest.NewRecorder()}
	began := time.Now()
	executionmcp.Handler(fns, nil).ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.Len() < 1<<20 {
		t.Fatalf("status %d, %d bytes", w.Code, w.Body.Len())
	}
	if len(w.deadlines) < 2 || w.deadlines[0].Sub(began) < 45*time.Second || w.deadlines[0].Sub(began) > 60*time.Second || !w.deadlines[len(w.deadlines)-1].IsZero() {
		t.Errorf("deadlines %v after %v", w.deadlines, began)
	}
	if !w.Flushed {
		t.Error("what is in buffers is sent without a deadline")
	}
}
