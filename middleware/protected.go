package middleware

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/nilness"
	"github.com/imadelakhaldev/coglex/service"
)

// HeaderAPIKey is the request header that carries the API key.
const HeaderAPIKey = "X-API-Key" //nolint:gosec // a name, not a key

// canonicalAPIKey is the header as net/http keeps it.
const canonicalAPIKey = "X-Api-Key" //nolint:gosec // a name, not a key

// Protected admits requests whose X-API-Key header holds a key that v knows and
// that was granted every one of the scopes. A missing, repeated or wrong key is
// 401 "api_key_invalid", a missing scope 403 "scope_missing". A nil v admits
// nobody. What the key was granted is in the request's context: see [Granted].
//
// An error by which v says that it could not tell is 500, or the status of the
// *service.Problem that it is; the cause is logged with v's method
// Logger() *slog.Logger where it has one, else with slog.Default. The key is
// compared in constant time by [Keys]; a client learns nothing but the refusal.
func Protected(v KeyVerifier, scopes ...string) echo.MiddlewareFunc {
	scopes = slices.Clone(scopes)
	if nilness.Is(v) {
		v = nil
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			granted, err := checkKey(c, v, scopes)
			if err != nil {
				return service.Fail(c, loggerOf(v), err)
			}
			r := c.Request()
			c.SetRequest(r.WithContext(WithScopes(r.Context(), granted...)))
			return next(c)
		}
	}
}

// checkKey returns what the key was granted where the request may pass.
func checkKey(c echo.Context, v KeyVerifier, scopes []string) ([]string, error) {
	presented := c.Request().Header[canonicalAPIKey]
	if v == nil || len(presented) != 1 || presented[0] == "" {
		return nil, keyInvalid(nil)
	}
	granted, err := v.VerifyKey(c.Request().Context(), presented[0])
	if errors.Is(err, ErrUnknownKey) {
		return nil, keyInvalid(err)
	}
	if err != nil {
		return nil, err
	}
	for _, scope := range scopes {
		if scope != "" && !grants(granted, scope) {
			return nil, &service.Problem{
				Status: http.StatusForbidden, Code: "scope_missing",
				Detail: "This API key was not granted the scope " + scope + ".",
			}
		}
	}
	return granted, nil
}

// loggerOf returns the logger of a verifier or an Authenticator, nil for the
// default one. It may have got it when it was mounted, so ask late.
func loggerOf(v any) *slog.Logger {
	if l, ok := v.(interface{ Logger() *slog.Logger }); ok {
		return l.Logger()
	}
	return nil
}

func keyInvalid(cause error) *service.Problem {
	return &service.Problem{
		Status: http.StatusUnauthorized, Code: "api_key_invalid",
		Detail:    "The X-API-Key header is missing or wrong.",
		Challenge: `APIKey header="X-API-Key"`, Err: cause,
	}
}

// grants reports whether a scope is among those granted, exactly or by "name:*".
func grants(granted []string, scope string) bool {
	if slices.Contains(granted, AllScopes) || slices.Contains(granted, scope) {
		return true
	}
	family, _, found := strings.Cut(scope, ":")
	return found && slices.Contains(granted, family+":*")
}
