package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

var errKnown = errors.New("known, with a secret of ours")

// limitError is a typed error of a domain.
type limitError struct{ max int }

func (e *limitError) Error() string { return fmt.Sprintf("over %d", e.max) }

// rules are those of a service in these tests.
func rules() []service.Rule {
	return []service.Rule{
		service.Is(errKnown, http.StatusConflict, "known", "It is known."),
		service.As(func(e *limitError) *service.Problem {
			return &service.Problem{Status: http.StatusUnprocessableEntity, Code: "limit", Detail: fmt.Sprintf("At most %d.", e.max)}
		}),
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// bench is an echo with one route, /x, whose handler the test gives, and the
// log of that route.
type bench struct {
	e   *echo.Echo
	log bytes.Buffer
}

// newBench returns a bench whose handler defers Edge before it calls do.
func newBench(do func(echo.Context) error) *bench {
	b := &bench{e: echo.New()}
	b.e.Logger.SetOutput(io.Discard)
	log := slog.New(slog.NewJSONHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	handler := func(c echo.Context) (err error) {
		defer service.Edge(c, log, &err, rules()...)
		return do(c)
	}
	b.e.GET("/x", handler)
	b.e.HEAD("/x", handler)
	return b
}

func (b *bench) get(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	return b.send(httptest.NewRequest(http.MethodGet, "/x", nil))
}

func (b *bench) send(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	b.e.ServeHTTP(rec, r)
	return rec
}

// members decodes a problem.
func members(t *testing.T, rec *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatalf("body %q: %v", rec.Body, err)
	}
	return got
}

func TestEdgeTurnsErrorsIntoProblems(t *testing.T) {
	t.Parallel()
	refusal := &service.Problem{Status: http.StatusForbidden, Code: "refused", Detail: "Not today."}
	rows := map[string]struct {
		err    error
		status int
		code   string
		detail string
	}{
		"a sentinel":                            {errKnown, 409, "known", "It is known."},
		"a wrapped sentinel":                    {fmt.Errorf("doing: %w", errKnown), 409, "known", "It is known."},
		"a typed error":                         {&limitError{3}, 422, "limit", "At most 3."},
		"a wrapped typed error":                 {fmt.Errorf("doing: %w", &limitError{4}), 422, "limit", "At most 4."},
		"the first rule of two that know":       {errors.Join(&limitError{4}, errKnown), 409, "known", "It is known."},
		"a problem":                             {refusal, 403, "refused", "Not today."},
		"a problem inside errors":               {fmt.Errorf("asked: %w", errors.Join(errors.New("x"), refusal)), 403, "refused", "Not today."},
		"a problem goes before the rules":       {errors.Join(errKnown, refusal), 403, "refused", "Not today."},
		"a wrong field":                         {service.Invalid("a.b[2]", "must be a word"), 400, "invalid", "a.b[2]: must be a word"},
		"an unknown error":                      {errors.New("dial tcp 10.0.0.7: secret"), 500, "internal", ""},
		"a deadline":                            {context.DeadlineExceeded, 500, "internal", ""},
		"a cancellation that is not the client": {context.Canceled, 500, "internal", ""},
		"a nil problem":                         {(*service.Problem)(nil), 500, "internal", ""},
		"a problem without a status":            {&service.Problem{Code: "x", Detail: "secret"}, 500, "internal", ""},
		"a problem with a status of success":    {&service.Problem{Status: 200, Code: "x", Detail: "secret"}, 500, "internal", ""},
		"a problem with a status of nonsense":   {&service.Problem{Status: 1000, Code: "x", Detail: "secret"}, 500, "internal", ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(func(echo.Context) error { return row.err })
			rec := b.get(t)
			got := members(t, rec)
			want := map[string]any{
				"type": "about:blank", "title": http.StatusText(row.status), "status": float64(row.status),
				"code": row.code, "request_id": rec.Header().Get("X-Request-Id"),
			}
			if row.detail != "" {
				want["detail"] = row.detail
			}
			delete(got, "errors")
			if diff := cmp.Diff(want, got); diff != "" || rec.Code != row.status {
				t.Errorf("status %d, body (-want +got):\n%s", rec.Code, diff)
			}
			if got := rec.Header().Values("Content-Type"); len(got) != 1 || got[0] != "application/problem+json" {
				t.Errorf("content type = %q, want exactly application/problem+json", got)
			}
			if strings.Contains(rec.Body.String(), "secret") {
				t.Errorf("the answer tells a cause: %s", rec.Body)
			}
		})
	}
}

func TestEdgeLogsTheCauseUnderTheRequestID(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		err   error
		level string
	}{
		"ours":         {errors.New("the cause"), "ERROR"},
		"the client's": {&service.Problem{Status: 400, Code: "invalid", Err: errors.New("the cause")}, "DEBUG"},
		"a bad 503":    {&service.Problem{Status: 503, Code: "busy", Err: errors.New("the cause")}, "WARN"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(func(c echo.Context) error {
				c.Response().Header().Set("X-Request-Id", "id-of-the-host")
				return row.err
			})
			rec := b.get(t)
			if got := members(t, rec)["request_id"]; got != "id-of-the-host" {
				t.Errorf("request_id = %v, want the host's", got)
			}
			var line map[string]any
			if err := json.Unmarshal(b.log.Bytes(), &line); err != nil {
				t.Fatalf("log %q: %v", b.log.String(), err)
			}
			if line["level"] != row.level || line["request_id"] != "id-of-the-host" || line["route"] != "/x" ||
				!strings.Contains(fmt.Sprint(line["error"]), "the cause") {
				t.Errorf("log = %v, want level %s, the id, the route and the cause", line, row.level)
			}
		})
	}
}

func TestEdgeMakesARequestIDWhereTheHostHasNone(t *testing.T) {
	t.Parallel()
	b := newBench(func(echo.Context) error { return errors.New("x") })
	rec := b.get(t)
	id := rec.Header().Get("X-Request-Id")
	if len(id) < 20 || members(t, rec)["request_id"] != id || !strings.Contains(b.log.String(), id) {
		t.Errorf("id = %q, body %s, log %s: want one id in all three", id, rec.Body, b.log.String())
	}
	if again := b.get(t).Header().Get("X-Request-Id"); again == id {
		t.Errorf("two requests have the id %q", id)
	}
}

func TestEdgeAPanicIsABareError(t *testing.T) {
	t.Parallel()
	rows := map[string]any{
		"a text":              "the secret",
		"an error":            errors.New("the secret"),
		"an error of a rule":  fmt.Errorf("the secret: %w", errKnown),
		"a problem":           &service.Problem{Status: 400, Code: "the secret"},
		"an index too far":    nil,
		"a value of no words": struct{ text string }{"the secret"},
	}
	for name, value := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(func(echo.Context) error {
				if value == nil {
					_ = []string{}[len(rows)]
				}
				panic(value)
			})
			rec := b.get(t)
			if rec.Code != 500 || members(t, rec)["code"] != "internal" || strings.Contains(rec.Body.String(), "secret") {
				t.Errorf("answer = %d %s, want a bare 500", rec.Code, rec.Body)
			}
			if log := b.log.String(); !strings.Contains(log, "panicked") || !strings.Contains(log, "edge_test.go") ||
				value != nil && !strings.Contains(log, "the secret") {
				t.Errorf("log = %s, want the value and the stack", log)
			}
		})
	}
}

func TestEdgeAPanicOfARequestThatIsGoneIsStillOurs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBench(func(echo.Context) error { panic("x") })
	if rec := b.send(httptest.NewRequestWithContext(ctx, http.MethodGet, "/x", nil)); rec.Code != 500 {
		t.Errorf("status = %d, want 500", rec.Code)
	}
	if !strings.Contains(b.log.String(), `"level":"ERROR"`) {
		t.Errorf("log = %s, want an error", b.log.String())
	}
}

func TestEdgeLetsErrAbortHandlerPass(t *testing.T) {
	t.Parallel()
	b := newBench(func(echo.Context) error { panic(http.ErrAbortHandler) })
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // net/http itself compares the panic value
			t.Errorf("recovered %v, want http.ErrAbortHandler", v)
		}
		if b.log.Len() > 0 {
			t.Errorf("log = %s, want nothing", b.log.String())
		}
	}()
	b.get(t)
	t.Error("the panic did not pass")
}

func TestEdgeAClientThatLeftIs499(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		err  error
		want int
	}{
		"the context's error":  {context.Canceled, 499},
		"what came of it":      {errors.New("connection closed"), 499},
		"an error of a rule":   {errKnown, 499},
		"a problem is what is": {&service.Problem{Status: 400, Code: "invalid"}, 400},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			b := newBench(func(echo.Context) error { return row.err })
			rec := b.send(httptest.NewRequestWithContext(ctx, http.MethodGet, "/x", nil))
			if rec.Code != row.want {
				t.Errorf("status = %d, want %d", rec.Code, row.want)
			}
			if want := fmt.Sprintf(`"status":%d`, row.want); !strings.Contains(b.log.String(), want) {
				t.Errorf("log = %s, want %s", b.log.String(), want)
			}
		})
	}
}

func TestEdgeLeavesACommittedAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(func(c echo.Context) error {
		if err := c.String(http.StatusOK, "half"); err != nil {
			return err
		}
		return errors.New("the other half")
	})
	rec := b.get(t)
	if rec.Code != 200 || rec.Body.String() != "half" || rec.Header().Get("Cache-Control") != "" {
		t.Errorf("answer = %d %q %v, want it untouched", rec.Code, rec.Body, rec.Header())
	}
	if !strings.Contains(b.log.String(), "the other half") {
		t.Errorf("log = %s, want the cause", b.log.String())
	}
}

func TestEdgeHEADHasNoBody(t *testing.T) {
	t.Parallel()
	b := newBench(func(echo.Context) error { return errKnown })
	rec := b.send(httptest.NewRequest(http.MethodHead, "/x", nil))
	if rec.Code != 409 || rec.Body.Len() != 0 {
		t.Errorf("answer = %d %q, want 409 without a body", rec.Code, rec.Body)
	}
}

func TestEdgeDebugDoesNotTellTheCause(t *testing.T) {
	t.Parallel()
	b := newBench(func(echo.Context) error { return errors.New("the secret") })
	b.e.Debug = true
	rec := b.get(t)
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret") || members(t, rec)["code"] != "internal" {
		t.Errorf("answer = %d %s, want a bare 500", rec.Code, rec.Body)
	}
}

func TestEdgeUnderAHostsErrorHandler(t *testing.T) {
	t.Parallel()
	b := newBench(func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "text/html") // of a success that was not to be
		return fmt.Errorf("doing: %w", errors.Join(errKnown, &limitError{3}))
	})
	b.e.HTTPErrorHandler = func(err error, c echo.Context) {
		p, ok := errors.AsType[*service.Problem](err)
		if !ok || !errors.Is(err, errKnown) {
			t.Errorf("error = %v, want the problem and its cause inside", err)
			return
		}
		if err := c.JSON(p.Status, map[string]string{"oops": p.Code}); err != nil {
			t.Error(err)
		}
	}
	rec := b.get(t)
	if rec.Code != 409 || strings.TrimSpace(rec.Body.String()) != `{"oops":"known"}` {
		t.Errorf("answer = %d %s, want the host's shape", rec.Code, rec.Body)
	}
	if got := rec.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type = %q, want the host's", got)
	}
}

func TestEdgeKeepsTheCauseOfARuleThatNamesNone(t *testing.T) {
	t.Parallel()
	b := newBench(func(echo.Context) error { return &limitError{3} })
	b.e.HTTPErrorHandler = func(err error, c echo.Context) {
		if cause, ok := errors.AsType[*limitError](err); !ok || cause.max != 3 {
			t.Errorf("error = %v, want the domain's error inside", err)
		}
		b.e.DefaultHTTPErrorHandler(err, c)
	}
	if rec := b.get(t); rec.Code != 422 {
		t.Errorf("status = %d, want 422", rec.Code)
	}
}

func TestEdgeErrorTextHasNoHeaders(t *testing.T) {
	t.Parallel()
	b := newBench(func(c echo.Context) error {
		c.SetCookie(&http.Cookie{Name: "session", Value: "the-session"})
		return errKnown
	})
	var text string
	b.e.HTTPErrorHandler = func(err error, _ echo.Context) { text = fmt.Sprintf("%v %+v %s", err, err, err) }
	b.get(t)
	if text == "" || strings.Contains(text, "the-session") {
		t.Errorf("error text = %q, want one without the cookie", text)
	}
}

func TestEdgePassesAnHTTPErrorOfEcho(t *testing.T) {
	t.Parallel()
	b := newBench(func(echo.Context) error { return echo.NewHTTPError(http.StatusTeapot, "short and stout") })
	if rec := b.get(t); rec.Code != http.StatusTeapot || !strings.Contains(rec.Body.String(), "short and stout") {
		t.Errorf("answer = %d %s, want the host's own", rec.Code, rec.Body)
	}
}

func TestEdgeWithinEdgeKeepsTheFirst(t *testing.T) {
	t.Parallel()
	b := newBench(func(c echo.Context) (err error) {
		defer service.Edge(c, quiet(), &err)
		return &service.Problem{Status: 404, Code: "inner"}
	})
	if rec := b.get(t); rec.Code != 404 || members(t, rec)["code"] != "inner" {
		t.Errorf("answer = %d %s, want the inner problem", rec.Code, rec.Body)
	}
	if b.log.Len() > 0 {
		t.Errorf("log = %s, want one report only", b.log.String())
	}
}

func TestEdgeLeavesASuccess(t *testing.T) {
	t.Parallel()
	b := newBench(func(c echo.Context) error { return c.String(http.StatusCreated, "made") })
	if rec := b.get(t); rec.Code != 201 || rec.Body.String() != "made" || rec.Header().Get("X-Request-Id") != "" {
		t.Errorf("answer = %d %q %v, want it untouched", rec.Code, rec.Body, rec.Header())
	}
}
