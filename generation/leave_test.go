package generation_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// TestGeminiIsLeftHoweverTheBodyCame has clients that leave once their body was
// read: one of known length, or one in chunks, whose end is a chunk of its own.
func TestGeminiIsLeftHoweverTheBodyCame(t *testing.T) {
	t.Parallel()
	form := "--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\ntext\r\n--b--\r\n"
	for name, c := range map[string]struct {
		op                      generationtest.Operation
		path, contentType, body string
	}{
		"a question": {generationtest.OpGenerate, "/converse", "application/json", hi},
		"a stream":   {generationtest.OpStream, "/converse", "application/json\r\nAccept: text/event-stream", hi},
		"a file":     {generationtest.OpUpload, "/file", "multipart/form-data; boundary=b", form},
		"an epilog":  {generationtest.OpUpload, "/file", "multipart/form-data; boundary=b", form + strings.Repeat(" ", 10_000)},
	} {
		for how, sent := range map[string]string{
			"whole":     fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(c.body), c.body),
			"in chunks": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(c.body), c.body),
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				folder := t.TempDir()
				g := newGateway(t, &generation.Options{TempDir: folder})
				server := httptest.NewServer(g.app.Handler(g.echo))
				defer server.Close()
				g.gemini.EnqueueFor(c.op, generationtest.Hang())
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				_, err = fmt.Fprintf(conn, "POST /service/generation/v1%s HTTP/1.1\r\nHost: a\r\nX-API-Key: %s\r\nContent-Type: %s\r\n%s", c.path, apiKey, c.contentType, sent)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				requests := map[generationtest.Operation]int{generationtest.OpUpload: 2}[c.op]
				if err := g.gemini.AwaitRequests(ctx, max(requests, 1)); err != nil {
					t.Fatal(err)
				}
				if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
					t.Errorf("a crash would leave %v, %v", left, err)
				}
				_ = conn.Close()
				if err := g.gemini.AwaitAbandoned(ctx, 1); err != nil {
					t.Errorf("Gemini was not left: %v", err)
				}
			})
		}
	}
}

// hurried is a connection that wants to know how long each write may take.
type hurried struct {
	*httptest.ResponseRecorder

	due    time.Time
	writes int
	never  int // writes that may take for ever
}

func (h *hurried) SetWriteDeadline(t time.Time) error {
	h.due = t
	return nil
}

func (h *hurried) Write(p []byte) (int, error) {
	h.writes++
	if left := time.Until(h.due); left <= 0 || left > time.Minute {
		h.never++
	}
	return h.ResponseRecorder.Write(p)
}

func TestNobodyTakesForeverToReadAnAnswer(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	e := echo.New()
	e.POST("/", g.gen.HandleConverse)
	for _, accept := range []string{"application/json", "text/event-stream"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(hi))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", accept)
		w := &hurried{ResponseRecorder: httptest.NewRecorder()}
		e.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.writes == 0 || w.never > 0 {
			t.Errorf("%s: status %d, %d of %d writes have no deadline", accept, w.Code, w.never, w.writes)
		}
	}
}
