package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

const (
	newKey = "new-key-0123456789-0123456789-0123456789"
	oldKey = "old-key-0123456789-0123456789-0123456789"
)

func keys(tb testing.TB, all ...string) *middleware.Keys {
	tb.Helper()
	k, err := middleware.NewKeys(all...)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// granted is a verifier that knows every key, and grants these scopes.
type granted []string

func (g granted) VerifyKey(context.Context, string) ([]string, error) { return g, nil }

// failing is a verifier that returns its error.
type failing struct{ err error }

func (f failing) VerifyKey(context.Context, string) ([]string, error) { return nil, f.err }

func TestProtected(t *testing.T) {
	t.Parallel()
	invalid := answer{Status: 401, Code: "api_key_invalid", Challenge: `APIKey header="X-API-Key"`}
	passed := answer{Status: 200}
	missing := answer{Status: 403, Code: "scope_missing"}
	both := keys(t, newKey, oldKey)
	var absent *middleware.Keys
	rows := map[string]struct {
		verifier middleware.KeyVerifier
		scopes   []string
		headers  []string
		want     answer
	}{
		"the key":                          {both, nil, []string{"X-API-Key", newKey}, passed},
		"the key that is being replaced":   {both, nil, []string{"X-API-Key", oldKey}, passed},
		"the header in another case":       {both, nil, []string{"x-api-key", newKey}, passed},
		"no header":                        {both, nil, nil, invalid},
		"an empty header":                  {both, nil, []string{"X-API-Key", ""}, invalid},
		"a wrong key":                      {both, nil, []string{"X-API-Key", strings.Repeat("x", 40)}, invalid},
		"a key that is short":              {both, nil, []string{"X-API-Key", newKey[:39]}, invalid},
		"a key that is long":               {both, nil, []string{"X-API-Key", newKey + "x"}, invalid},
		"a key in another case":            {both, nil, []string{"X-API-Key", strings.ToUpper(newKey)}, invalid},
		"two keys, both right":             {both, nil, []string{"X-API-Key", newKey, "X-API-Key", oldKey}, invalid},
		"the key beside a wrong one":       {both, nil, []string{"X-API-Key", newKey, "X-API-Key", "x"}, invalid},
		"both keys in one header":          {both, nil, []string{"X-API-Key", newKey + ", " + oldKey}, invalid},
		"the key as a bearer token":        {both, nil, []string{"Authorization", "Bearer " + newKey}, invalid},
		"the key as a cookie":              {both, nil, []string{"Cookie", "X-API-Key=" + newKey}, invalid},
		"a key that is gone":               {keys(t, newKey), nil, []string{"X-API-Key", oldKey}, invalid},
		"no verifier":                      {nil, nil, []string{"X-API-Key", newKey}, invalid},
		"a verifier that is a nil pointer": {absent, nil, []string{"X-API-Key", newKey}, invalid},
		"a verifier without keys":          {new(middleware.Keys), nil, []string{"X-API-Key", newKey}, invalid},
		"a verifier that does not know it": {failing{middleware.ErrUnknownKey}, nil, []string{"X-API-Key", "x"}, invalid},
		"or says so in other words":        {failing{fmt.Errorf("revoked: %w", middleware.ErrUnknownKey)}, nil, []string{"X-API-Key", "x"}, invalid},
		"a verifier that cannot tell":      {failing{errCannotTell}, nil, []string{"X-API-Key", "x"}, answer{Status: 500, Code: "internal"}},
		"a verifier that answers by itself": {
			failing{&service.Problem{Status: 503, Code: "busy"}}, nil, []string{"X-API-Key", "x"}, answer{Status: 503, Code: "busy"},
		},

		"every scope of a full key":      {both, []string{"storage:read", "auth:write"}, []string{"X-API-Key", newKey}, passed},
		"the scope":                      {granted{"storage:read"}, []string{"storage:read"}, []string{"X-API-Key", "x"}, passed},
		"the family of the scope":        {granted{"storage:*"}, []string{"storage:read"}, []string{"X-API-Key", "x"}, passed},
		"all scopes":                     {granted{"*"}, []string{"storage:read"}, []string{"X-API-Key", "x"}, passed},
		"no scope asked":                 {granted{}, nil, []string{"X-API-Key", "x"}, passed},
		"an empty scope asked":           {granted{}, []string{""}, []string{"X-API-Key", "x"}, passed},
		"another scope":                  {granted{"storage:write"}, []string{"storage:read"}, []string{"X-API-Key", "x"}, missing},
		"another family":                 {granted{"auth:*"}, []string{"storage:read"}, []string{"X-API-Key", "x"}, missing},
		"no scope":                       {granted{}, []string{"storage:read"}, []string{"X-API-Key", "x"}, missing},
		"one of two scopes":              {granted{"storage:read"}, []string{"storage:read", "storage:write"}, []string{"X-API-Key", "x"}, missing},
		"a family with a like beginning": {granted{"stor:*", "storage"}, []string{"storage:read"}, []string{"X-API-Key", "x"}, missing},
		"a star within a scope":          {granted{"storage:re*"}, []string{"storage:read"}, []string{"X-API-Key", "x"}, missing},
		"a scope without a family":       {granted{"read:*"}, []string{"read"}, []string{"X-API-Key", "x"}, missing},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, middleware.Protected(row.verifier, row.scopes...), request(http.MethodGet, row.headers...))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProtectedTellsNothing(t *testing.T) {
	t.Parallel()
	e := echo.New()
	e.GET("/x", func(c echo.Context) error { return nil }, middleware.Protected(keys(t, newKey)))
	e.GET("/broken", func(c echo.Context) error { return nil }, middleware.Protected(failing{errCannotTell}))
	for _, path := range []string{"/x", "/broken"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set(middleware.HeaderAPIKey, "presented-by-a-client")
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		for _, secret := range []string{newKey, "presented-by-a-client", "10.0.0.7"} {
			if strings.Contains(rec.Body.String(), secret) || strings.Contains(fmt.Sprint(rec.Header()), secret) {
				t.Errorf("the answer to %s tells %s: %s", path, secret, rec.Body)
			}
		}
	}
}

func TestProtectedKeepsItsScopes(t *testing.T) {
	t.Parallel()
	scopes := []string{"storage:write"}
	mw := middleware.Protected(granted{"storage:read"}, scopes...)
	scopes[0] = "storage:read"
	if got := ask(t, mw, request(http.MethodGet, "X-API-Key", "x")); got.Status != http.StatusForbidden {
		t.Errorf("status = %d after the caller changed its slice, want 403", got.Status)
	}
}

func TestNewKeysRefuses(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		keys []string
		want string
	}{
		"no key":                     {nil, "needed"},
		"an empty key":               {[]string{""}, "0 bytes"},
		"a short key":                {[]string{strings.Repeat("k", 31)}, "31 bytes"},
		"an old key that is short":   {[]string{newKey, "short-secret"}, "2 of 2"},
		"a line break at its end":    {[]string{newKey + "\n"}, "header"},
		"a space before it":          {[]string{" " + newKey}, "header"},
		"spaces only":                {[]string{strings.Repeat(" ", 40)}, "header"},
		"a control character within": {[]string{newKey + "\x00" + newKey}, "header"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := middleware.NewKeys(row.keys...)
			if err == nil || !strings.Contains(err.Error(), row.want) || k != nil {
				t.Fatalf("NewKeys = %v, %v, want an error about %s", k, err, row.want)
			}
			if strings.Contains(err.Error(), "short-secret") || strings.Contains(err.Error(), newKey) {
				t.Errorf("the error tells a key: %v", err)
			}
		})
	}
}

func TestNewKeysNamesAllMistakes(t *testing.T) {
	t.Parallel()
	_, err := middleware.NewKeys("", newKey, "short")
	if err == nil || !strings.Contains(err.Error(), "1 of 3") || !strings.Contains(err.Error(), "3 of 3") {
		t.Errorf("error = %v, want the first and the third key", err)
	}
}

func TestNewKeysTakesTheShortestThatIsSafe(t *testing.T) {
	t.Parallel()
	if _, err := middleware.NewKeys(strings.Repeat("k", middleware.MinKeyBytes)); err != nil {
		t.Error(err)
	}
}

func TestKeysDoNotShowTheirKeys(t *testing.T) {
	t.Parallel()
	if text := fmt.Sprintf("%v %+v %#v", keys(t, newKey), keys(t, newKey), keys(t, newKey)); strings.Contains(text, newKey) {
		t.Errorf("the verifier prints as %s", text)
	}
}

func BenchmarkProtected(b *testing.B) {
	e := echo.New()
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.Header.Set(middleware.HeaderAPIKey, newKey)
	c := e.NewContext(r, httptest.NewRecorder())
	served := 0
	h := middleware.Protected(keys(b, newKey), "storage:read")(func(echo.Context) error { served++; return nil })
	b.ReportAllocs()
	for b.Loop() {
		if err := h(c); err != nil {
			b.Fatal(err)
		}
	}
	if served == 0 {
		b.Fatal("the handler was never reached")
	}
}
