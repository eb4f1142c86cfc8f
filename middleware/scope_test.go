package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
)

func TestGranted(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		scopes []string
		scope  string
		want   bool
	}{
		"every scope":               {[]string{middleware.AllScopes}, "billing:write", true},
		"the scope itself":          {[]string{"storage:read", "billing:write"}, "billing:write", true},
		"its family":                {[]string{"billing:*"}, "billing:write", true},
		"another scope":             {[]string{"billing:read"}, "billing:write", false},
		"a scope that it begins":    {[]string{"billing:w"}, "billing:write", false},
		"a key that may do nothing": {nil, "billing:write", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			granted, keyed := middleware.Granted(middleware.WithScopes(t.Context(), row.scopes...), row.scope)
			if granted != row.want || !keyed {
				t.Errorf("granted %t, keyed %t, want %t, true", granted, keyed, row.want)
			}
		})
	}
	if granted, keyed := middleware.Granted(t.Context(), "billing:write"); granted || keyed {
		t.Errorf("without a key: granted %t, keyed %t", granted, keyed)
	}
}

func TestProtectedTellsWhatTheKeyWasGranted(t *testing.T) {
	t.Parallel()
	restricted := granted{"billing:write"}
	var granted, other, keyed bool
	e := echo.New()
	e.GET("/", func(c echo.Context) error {
		granted, keyed = middleware.Granted(c.Request().Context(), "billing:write")
		other, _ = middleware.Granted(c.Request().Context(), "billing:read")
		return c.NoContent(http.StatusNoContent)
	}, middleware.Protected(restricted))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("X-API-Key", newKey)
	e.ServeHTTP(httptest.NewRecorder(), r)
	if !granted || other || !keyed {
		t.Errorf("granted %t, another scope %t, keyed %t; want true, false, true", granted, other, keyed)
	}
}
