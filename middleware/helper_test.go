package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// user is an Identity.
type user struct{ id, collection string }

func (u *user) UserID() string     { return u.id }
func (u *user) Collection() string { return u.collection }
func (u *user) SessionID() string  { return "session-of-" + u.id }

// errCannotTell is an Authenticator's or a verifier's trouble.
var errCannotTell = errors.New("dial tcp 10.0.0.7: the secret")

// users is an Authenticator that knows a few tokens.
type users struct{ asked []middleware.Credential }

func (u *users) Authenticate(_ context.Context, cred middleware.Credential) (middleware.Identity, error) {
	u.asked = append(u.asked, cred)
	switch cred.Token {
	case "ann":
		return &user{"ann", "_USERS"}, nil
	case "bob":
		return &user{"bob", "staff"}, nil
	case "broken":
		return nil, errCannotTell
	case "nobody":
		return nil, nil
	case "nil user":
		var none *user
		return none, nil
	}
	return nil, &service.Problem{Status: http.StatusUnauthorized, Code: "session_expired"}
}

func (u *users) Cookies(collections ...string) []string {
	if len(collections) == 0 {
		return []string{"_USERS_session", "staff_session"}
	}
	names := make([]string, len(collections))
	for i, collection := range collections {
		names[i] = collection + "_session"
	}
	return names
}

func (u *users) CheckOrigin(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return &service.Problem{Status: http.StatusForbidden, Code: "cross_origin"}
	}
	return nil
}

// answer is what a client sees.
type answer struct {
	Status    int
	Code      string
	Challenge string
	User      string // the identity that the handler found
}

// ask sends a request through a middleware to a handler that tells the caller.
func ask(t *testing.T, mw echo.MiddlewareFunc, r *http.Request) answer {
	t.Helper()
	e := echo.New()
	reached := false
	e.Any("/x", func(c echo.Context) error {
		reached = true
		if id, ok := middleware.FromContext(c.Request().Context()); ok {
			return c.String(http.StatusOK, id.UserID()+"@"+id.Collection())
		}
		return c.String(http.StatusOK, "")
	}, mw)
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, r)
	if reached != (rec.Code == http.StatusOK) {
		t.Errorf("the handler was reached: %v, but the status is %d", reached, rec.Code)
	}
	if rec.Code == http.StatusOK {
		return answer{Status: rec.Code, User: rec.Body.String()}
	}
	var problem struct{ Code string }
	if err := json.Unmarshal(rec.Body.Bytes(), &problem); err != nil {
		t.Fatalf("body %q: %v", rec.Body, err)
	}
	return answer{Status: rec.Code, Code: problem.Code, Challenge: rec.Header().Get("WWW-Authenticate")}
}

// request returns a request with headers, given as name, value, name, value.
func request(method string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, "/x", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}
