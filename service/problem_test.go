package service_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

func TestProblemExtensions(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		problem service.Problem
		want    map[string]any
	}{
		"beside the standard members": {
			service.Problem{Extensions: map[string]any{"ids": []string{"a"}, "index": 1}},
			map[string]any{"ids": []any{"a"}, "index": 1.0},
		},
		"never in their place": {
			service.Problem{
				Detail: "Ours.", Errors: []service.Field{{Field: "a", Message: "b"}},
				Extensions: map[string]any{
					"type": "x", "title": "x", "status": 200, "code": "x", "detail": "x", "request_id": "x", "errors": "x",
				},
			},
			map[string]any{"detail": "Ours.", "errors": []any{map[string]any{"field": "a", "message": "b"}}},
		},
		"never for a standard member that is absent": {
			service.Problem{Extensions: map[string]any{"detail": "x", "errors": "x"}},
			map[string]any{},
		},
		"left out where they are no JSON": {
			service.Problem{Detail: "Ours.", Extensions: map[string]any{"n": math.Inf(1), "f": func() {}}},
			map[string]any{"detail": "Ours."},
		},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.problem.Status, row.problem.Code = 409, "taken"
			b := newBench(func(echo.Context) error { return &row.problem })
			rec := b.get(t)
			row.want["type"], row.want["title"], row.want["status"], row.want["code"] = "about:blank", "Conflict", 409.0, "taken"
			row.want["request_id"] = rec.Header().Get("X-Request-Id")
			if diff := cmp.Diff(row.want, members(t, rec)); diff != "" || rec.Code != 409 {
				t.Errorf("status %d, body (-want +got):\n%s", rec.Code, diff)
			}
		})
	}
}

func TestProblemExtensionsAreNotChanged(t *testing.T) {
	t.Parallel()
	extensions := map[string]any{"code": "x", "index": 1}
	b := newBench(func(echo.Context) error {
		return &service.Problem{Status: 409, Code: "taken", Extensions: extensions}
	})
	b.get(t)
	if diff := cmp.Diff(map[string]any{"code": "x", "index": 1}, extensions); diff != "" {
		t.Errorf("extensions (-before +after):\n%s", diff)
	}
}

func TestProblemError(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		problem *service.Problem
		want    string
	}{
		"a code":       {&service.Problem{Code: "taken"}, "taken"},
		"and a detail": {&service.Problem{Code: "taken", Detail: "By another."}, "taken: By another."},
		"and a cause":  {&service.Problem{Code: "taken", Err: errors.New("E11000")}, "taken: E11000"},
		"all of them":  {&service.Problem{Code: "taken", Detail: "By another.", Err: errors.New("E11000")}, "taken: By another.: E11000"},
		"none":         {nil, "service: a nil *Problem was returned as an error"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := row.problem.Error(); got != row.want {
				t.Errorf("Error() = %q, want %q", got, row.want)
			}
		})
	}
}

func TestProblemUnwrap(t *testing.T) {
	t.Parallel()
	if err := (&service.Problem{Code: "x", Err: errKnown}); !errors.Is(err, errKnown) {
		t.Error("the cause is out of reach")
	}
	var none *service.Problem
	if errors.Is(none, errKnown) {
		t.Error("a nil problem has a cause")
	}
}

func TestProblemOfStatus499HasATitle(t *testing.T) {
	t.Parallel()
	b := newBench(func(echo.Context) error { return &service.Problem{Status: service.StatusClientClosed} })
	got := members(t, b.get(t))
	if got["title"] != "Client Closed Request" {
		t.Errorf("title = %v", got["title"])
	}
	if _, ok := got["code"]; ok {
		t.Errorf("body = %v, want no empty code", got)
	}
}

func TestProblemDropsTheHeadersOfASuccess(t *testing.T) {
	t.Parallel()
	content := []string{
		"Content-Encoding", "Content-Disposition", "Content-Range", "Accept-Ranges", "ETag",
		"Last-Modified", "Location", "Link", "X-Total-Count", "Content-Length",
	}
	b := newBench(func(c echo.Context) error {
		for _, name := range content {
			c.Response().Header().Set(name, "7")
		}
		c.Response().Header().Set("Content-Type", "text/html")
		c.Response().Header().Set("Cache-Control", "public")
		c.Response().Header().Set("Vary", "Origin")
		return errKnown
	})
	rec := b.get(t)
	for _, name := range content {
		if got := rec.Header().Get(name); got != "" {
			t.Errorf("%s = %q is left of the success", name, got)
		}
	}
	want := map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store", "Vary": "Origin"}
	for name, value := range want {
		if got := rec.Header().Values(name); len(got) != 1 || got[0] != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
}

func TestProblemHeaders(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		problem      service.Problem
		name, header string
	}{
		"a whole second":         {service.Problem{Status: 429, RetryAfter: time.Second}, "Retry-After", "1"},
		"a part of one is one":   {service.Problem{Status: 429, RetryAfter: time.Millisecond}, "Retry-After", "1"},
		"a part more is one up":  {service.Problem{Status: 503, RetryAfter: 2*time.Second + 1}, "Retry-After", "3"},
		"minutes are in seconds": {service.Problem{Status: 503, RetryAfter: 15 * time.Minute}, "Retry-After", "900"},
		"no wait":                {service.Problem{Status: 503}, "Retry-After", ""},
		"a wait that is over":    {service.Problem{Status: 503, RetryAfter: -time.Second}, "Retry-After", ""},
		"a 401 of ours":          {service.Problem{Status: 401}, "WWW-Authenticate", "Bearer"},
		"a 401 with a challenge": {service.Problem{Status: 401, Challenge: `Bearer error="invalid_token"`}, "WWW-Authenticate", `Bearer error="invalid_token"`},
		"a 403 has no challenge": {service.Problem{Status: 403, Challenge: "Bearer"}, "WWW-Authenticate", ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(func(echo.Context) error { return &row.problem })
			if got := b.get(t).Header().Get(row.name); got != row.header {
				t.Errorf("%s = %q, want %q", row.name, got, row.header)
			}
		})
	}
}
