package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// member is a user of a host's own.
type member string

func (m member) UserID() string   { return string(m) }
func (member) Collection() string { return "members" }
func (member) SessionID() string  { return "only" }

// badges is an Authenticator of a host's own: the token is a name on a list.
// A gateway of Coglex has *auth.Service in its place.
type badges map[string]member

func (b badges) Authenticate(_ context.Context, cred middleware.Credential) (middleware.Identity, error) {
	if m, ok := b[cred.Token]; ok {
		return m, nil
	}
	return nil, &service.Problem{Status: http.StatusUnauthorized, Code: "badge_unknown", Detail: "There is no such badge."}
}

func (badges) Cookies(...string) []string      { return nil }
func (badges) CheckOrigin(*http.Request) error { return nil }

func ExampleAuthenticated() {
	e := echo.New()
	e.GET("/me", func(c echo.Context) error {
		id, _ := middleware.FromContext(c.Request().Context())
		return c.String(http.StatusOK, "Hello, "+id.UserID())
	}, middleware.Authenticated(badges{"7f3a": "Ann"}))

	for _, token := range []string{"7f3a", "0000"} {
		r := httptest.NewRequest(http.MethodGet, "/me", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		if rec.Code == http.StatusOK {
			fmt.Println(rec.Code, rec.Body)
			continue
		}
		fmt.Println(rec.Code, rec.Header().Get("Content-Type"))
	}
	// Output:
	// 200 Hello, Ann
	// 401 application/problem+json
}
