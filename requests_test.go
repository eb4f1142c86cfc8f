package coglex_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
)

func TestHandlerGivesEachRequestAnID(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		sent string
		kept bool
	}{
		"none":                        {"", false},
		"one that is sane":            {"req-0123_4.AZ", true},
		"the shortest":                {strings.Repeat("a", 8), true},
		"the longest":                 {strings.Repeat("a", 64), true},
		"one that is too short":       {strings.Repeat("a", 7), false},
		"one that is too long":        {strings.Repeat("a", 65), false},
		"one with a space":            {"0123 4567", false},
		"one with markup":             {"<script>1</script>", false},
		"one that would break a line": {"01234567\tlevel=ERROR", false},
		"one beyond ASCII":            {"0123456é", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := newLines()
			app := newApp(t, &coglex.Options{Logger: log.logger()})
			var seen string
			h := app.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("X-Request-Id") }))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if row.sent != "" {
				r.Header.Set("X-Request-Id", row.sent)
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			id := rec.Header().Get("X-Request-Id")
			if (id == row.sent) != row.kept || len(id) < 8 {
				t.Errorf("id = %q, want %q kept: %v", id, row.sent, row.kept)
			}
			if line := log.next("request"); seen != id || line["request_id"] != id {
				t.Errorf("the answer has %q, the handler saw %q, the log %v", id, seen, line["request_id"])
			}
		})
	}
}

// answers returns an echo that answers in several ways.
func answers() *echo.Echo {
	e := newEcho()
	e.GET("/ok", func(c echo.Context) error { return c.String(http.StatusOK, "twelve bytes") })
	e.GET("/silent", func(echo.Context) error { return nil })
	e.GET("/parts", func(c echo.Context) error {
		c.Response().WriteHeader(http.StatusAccepted)
		_, err := c.Response().Write([]byte("one"))
		_, again := c.Response().Write([]byte("two"))
		return errors.Join(err, again)
	})
	e.GET("/hint", func(c echo.Context) error {
		c.Response().Writer.WriteHeader(http.StatusEarlyHints)
		return c.NoContent(http.StatusNoContent)
	})
	return e
}

func TestHandlerLogsEachRequest(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		target string
		status float64
		bytes  float64
	}{
		"an answer":             {"/ok?token=the-secret", 200, 12},
		"an answer of nothing":  {"/silent", 200, 0},
		"an answer in parts":    {"/parts", 202, 6},
		"one with early hints":  {"/hint", 204, 0},
		"what does not exist":   {"/none", 404, 24},
		"an answer of problems": {"/ok/../none", 404, 24},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := newLines()
			app, e := newApp(t, &coglex.Options{Logger: log.logger()}), answers()
			send(app.Handler(e), "GET", row.target)
			line := log.next("request")
			if took, ok := line["took_ms"].(float64); !ok || took <= 0 {
				t.Errorf("took_ms = %v", line["took_ms"])
			}
			for _, name := range []string{"time", "level", "msg", "took_ms", "request_id"} {
				delete(line, name)
			}
			want := map[string]any{
				"method": "GET", "path": strings.Split(row.target, "?")[0], "status": row.status, "bytes": row.bytes, "peer": "192.0.2.1",
			}
			if diff := cmp.Diff(want, line); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHandlerCanBeQuiet(t *testing.T) {
	t.Parallel()
	log := newLines()
	app := newApp(t, &coglex.Options{Logger: log.logger(), NoAccessLog: true})
	rec := send(app.Handler(newEcho()), "GET", "/")
	if len(log) != 0 || rec.Header().Get("X-Request-Id") == "" {
		t.Errorf("%d lines, id %q: want no line and an id all the same", len(log), rec.Header().Get("X-Request-Id"))
	}
}

func TestHandlerLogsAClientThatLeft(t *testing.T) {
	t.Parallel()
	log := newLines()
	app, e := newApp(t, &coglex.Options{Logger: log.logger()}), newEcho()
	entered, _ := held(e)
	r := serve(t, app, e)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, _, _, err := r.get(ctx, "/held"); !errors.Is(err, context.Canceled) {
		t.Fatalf("the client got %v, want that it left", err)
	}
	if line := log.next("request"); line["status"] != 499.0 {
		t.Errorf("line = %v, want the status 499", line)
	}
}

func TestHandlerLogsAnAnswerThatWasBroken(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		before string
		status float64
	}{
		"before it began": {"", 500},
		"midway":          {"half", 200},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := newLines()
			app, e := newApp(t, &coglex.Options{Logger: log.logger()}), newEcho()
			e.GET("/x", func(c echo.Context) error {
				if row.before != "" {
					c.Response().WriteHeader(http.StatusOK)
					_, _ = c.Response().Write([]byte(row.before))
					c.Response().Flush()
				}
				panic(http.ErrAbortHandler)
			})
			r := serve(t, app, e)
			if _, _, _, err := r.get(t.Context(), "/x"); err == nil {
				t.Error("the answer looks whole")
			}
			if line := log.next("request"); line["status"] != row.status || line["aborted"] != true {
				t.Errorf("line = %v, want the status %v, aborted", line, row.status)
			}
		})
	}
}

func TestHandlerLeavesTheConnectionInReach(t *testing.T) {
	t.Parallel()
	app, e := newApp(t, &coglex.Options{Logger: newLines().logger()}), newEcho()
	flushed := make(chan struct{})
	e.GET("/x", func(c echo.Context) error {
		controller := http.NewResponseController(c.Response())
		err := errors.Join(
			controller.SetWriteDeadline(time.Now().Add(time.Minute)),
			controller.SetReadDeadline(time.Now().Add(time.Minute)),
		)
		if err != nil {
			return err
		}
		_, err = c.Response().Write([]byte("first "))
		if err = errors.Join(err, controller.Flush()); err != nil {
			return err
		}
		<-flushed
		_, err = c.Response().Write([]byte("second"))
		return err
	})
	r := serve(t, app, e)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	part := make([]byte, 6)
	if _, err := res.Body.Read(part); err != nil || string(part) != "first " || res.StatusCode != 200 {
		t.Fatalf("the first part = %d %q, %v", res.StatusCode, part, err)
	}
	close(flushed)
	if _, err := res.Body.Read(part); string(part) != "second" {
		t.Errorf("the second part = %q, %v", part, err)
	}
}

// sink is a connection to which the kernel could send a file.
type sink struct {
	*httptest.ResponseRecorder
	whole bool // a reader was handed over, rather than read in pieces
}

func (s *sink) ReadFrom(src io.Reader) (int64, error) {
	s.whole = true
	return s.Body.ReadFrom(src)
}

func TestHandlerHandsFilesToTheConnection(t *testing.T) {
	t.Parallel()
	log := newLines()
	app := newApp(t, &coglex.Options{Logger: log.logger()})
	h := app.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.CopyN(w, strings.NewReader("twelve bytes and more"), 12); err != nil {
			t.Error(err)
		}
	}))
	w := &sink{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if !w.whole || w.Body.String() != "twelve bytes" {
		t.Errorf("the connection got %q, as a whole: %v", w.Body, w.whole)
	}
	if line := log.next("request"); line["bytes"] != 12.0 || line["status"] != 200.0 {
		t.Errorf("logged %v", line)
	}
}
