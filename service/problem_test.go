package service_test

import (
	"errors"
	"math"
	"testing"

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
