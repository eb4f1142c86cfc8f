package middleware_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
)

// authentication rows hold for Authenticated and Identified alike, but for a
// request that presents nothing.
func TestAuthenticatedAndIdentified(t *testing.T) {
	t.Parallel()
	invalid := answer{Status: 401, Code: "token_invalid", Challenge: `Bearer error="invalid_token"`}
	expired := answer{Status: 401, Code: "session_expired", Challenge: "Bearer"}
	anonymous := answer{Status: 401, Code: "unauthenticated", Challenge: "Bearer"}
	broken := answer{Status: 500, Code: "internal"}
	foreign := answer{Status: 403, Code: "cross_origin"}
	ann, bob := answer{Status: 200, User: "ann@_USERS"}, answer{Status: 200, User: "bob@staff"}
	var absent *users
	rows := map[string]struct {
		users       middleware.Authenticator
		collections []string
		method      string
		headers     []string
		want        answer
	}{
		"a bearer token":                           {new(users), nil, "GET", []string{"Authorization", "Bearer ann"}, ann},
		"bearer in lower case":                     {new(users), nil, "GET", []string{"Authorization", "bearer ann"}, ann},
		"bearer in upper case":                     {new(users), nil, "GET", []string{"Authorization", "BEARER ann"}, ann},
		"several spaces":                           {new(users), nil, "GET", []string{"Authorization", "Bearer   ann"}, ann},
		"a cookie":                                 {new(users), nil, "GET", []string{"Cookie", "_USERS_session=ann"}, ann},
		"a cookie of another collection":           {new(users), nil, "GET", []string{"Cookie", "staff_session=bob"}, bob},
		"two cookies, in order of preference":      {new(users), nil, "GET", []string{"Cookie", "staff_session=bob; _USERS_session=ann"}, ann},
		"nothing":                                  {new(users), nil, "GET", nil, anonymous},
		"a cookie of someone else":                 {new(users), nil, "GET", []string{"Cookie", "theirs=ann"}, anonymous},
		"an empty cookie":                          {new(users), nil, "GET", []string{"Cookie", "_USERS_session="}, anonymous},
		"an expired token":                         {new(users), nil, "GET", []string{"Authorization", "Bearer old"}, expired},
		"an expired cookie":                        {new(users), nil, "GET", []string{"Cookie", "_USERS_session=old"}, expired},
		"a bad cookie before another collection's": {new(users), nil, "GET", []string{"Cookie", "_USERS_session=old; staff_session=bob"}, bob},
		"a bad cookie before its namesake":         {new(users), nil, "GET", []string{"Cookie", "_USERS_session=old; _USERS_session=ann"}, ann},
		"nothing but bad cookies":                  {new(users), nil, "GET", []string{"Cookie", "_USERS_session=old; staff_session=none"}, expired},
		"who cannot tell before a good one":        {new(users), nil, "GET", []string{"Cookie", "_USERS_session=broken; staff_session=bob"}, broken},
		"a good header beside a bad cookie":        {new(users), nil, "GET", []string{"Authorization", "Bearer ann", "Cookie", "_USERS_session=old"}, ann},
		"a bad header beside a good cookie":        {new(users), nil, "GET", []string{"Authorization", "Bearer old", "Cookie", "_USERS_session=ann"}, expired},
		"an empty header beside a good cookie":     {new(users), nil, "GET", []string{"Authorization", "", "Cookie", "_USERS_session=ann"}, invalid},
		"another scheme":                           {new(users), nil, "GET", []string{"Authorization", "Basic YW5uOg=="}, invalid},
		"another scheme beside a good cookie":      {new(users), nil, "GET", []string{"Authorization", "Basic YW5uOg==", "Cookie", "_USERS_session=ann"}, invalid},
		"a scheme that begins alike":               {new(users), nil, "GET", []string{"Authorization", "Bearerx ann"}, invalid},
		"the scheme alone":                         {new(users), nil, "GET", []string{"Authorization", "Bearer"}, invalid},
		"the scheme and a space":                   {new(users), nil, "GET", []string{"Authorization", "Bearer "}, invalid},
		"a token without its scheme":               {new(users), nil, "GET", []string{"Authorization", "ann"}, invalid},
		"two headers":                              {new(users), nil, "GET", []string{"Authorization", "Bearer ann", "Authorization", "Bearer ann"}, invalid},

		"of the collection asked":              {new(users), []string{"_USERS"}, "GET", []string{"Authorization", "Bearer ann"}, ann},
		"of one of those asked":                {new(users), []string{"_USERS", "staff"}, "GET", []string{"Authorization", "Bearer bob"}, bob},
		"of another collection":                {new(users), []string{"_USERS"}, "GET", []string{"Authorization", "Bearer bob"}, invalid},
		"of another collection by its cookie":  {new(users), []string{"_USERS"}, "GET", []string{"Cookie", "staff_session=bob"}, anonymous},
		"of another collection by this cookie": {new(users), []string{"_USERS"}, "GET", []string{"Cookie", "_USERS_session=bob"}, invalid},

		"a cookie on a write from here":       {new(users), nil, "POST", []string{"Cookie", "_USERS_session=ann", "Sec-Fetch-Site", "same-origin"}, ann},
		"a cookie on a write from elsewhere":  {new(users), nil, "POST", []string{"Cookie", "_USERS_session=ann", "Sec-Fetch-Site", "cross-site"}, foreign},
		"a cookie on a delete from elsewhere": {new(users), nil, "DELETE", []string{"Cookie", "_USERS_session=ann", "Sec-Fetch-Site", "cross-site"}, foreign},
		"a cookie on a patch from elsewhere":  {new(users), nil, "PATCH", []string{"Cookie", "_USERS_session=ann", "Sec-Fetch-Site", "cross-site"}, foreign},
		"a cookie on a read from elsewhere":   {new(users), nil, "GET", []string{"Cookie", "_USERS_session=ann", "Sec-Fetch-Site", "cross-site"}, ann},
		"a token on a write from elsewhere":   {new(users), nil, "POST", []string{"Authorization", "Bearer ann", "Sec-Fetch-Site", "cross-site"}, ann},

		"who cannot tell":                {new(users), nil, "GET", []string{"Authorization", "Bearer broken"}, broken},
		"who cannot tell of a cookie":    {new(users), nil, "GET", []string{"Cookie", "_USERS_session=broken"}, broken},
		"who says neither yes nor no":    {new(users), nil, "GET", []string{"Authorization", "Bearer nobody"}, invalid},
		"who returns a nil user":         {new(users), nil, "GET", []string{"Cookie", "_USERS_session=nil user"}, invalid},
		"a token where nobody is known":  {nil, nil, "GET", []string{"Authorization", "Bearer ann"}, invalid},
		"nothing where nobody is known":  {nil, nil, "GET", nil, anonymous},
		"a token and a nil pointer":      {absent, nil, "GET", []string{"Authorization", "Bearer ann"}, invalid},
		"a collection and a nil pointer": {absent, []string{"_USERS"}, "GET", []string{"Authorization", "Bearer ann"}, invalid},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, middleware.Authenticated(row.users, row.collections...), request(row.method, row.headers...))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("Authenticated (-want +got):\n%s", diff)
			}
			want := row.want
			if want == anonymous {
				want = answer{Status: 200}
			}
			got = ask(t, middleware.Identified(row.users, row.collections...), request(row.method, row.headers...))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Identified (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAuthenticatedAsksNobodyAboutAForeignOrigin(t *testing.T) {
	t.Parallel()
	u := new(users)
	ask(t, middleware.Authenticated(u), request("POST", "Cookie", "_USERS_session=ann", "Sec-Fetch-Site", "cross-site"))
	if len(u.asked) != 0 {
		t.Errorf("asked about %v, want the origin refused before", u.asked)
	}
}

func TestAuthenticatedSaysHowTheTokenCame(t *testing.T) {
	t.Parallel()
	u := new(users)
	ask(t, middleware.Authenticated(u), request("GET", "Authorization", "Bearer ann"))
	ask(t, middleware.Authenticated(u), request("GET", "Cookie", "_USERS_session=ann"))
	want := []middleware.Credential{{Token: "ann"}, {Token: "ann", Cookie: true}}
	if diff := cmp.Diff(want, u.asked); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
}

func TestAuthenticatedTellsNothing(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"broken", "presented-by-a-client"} {
		e := echo.New()
		e.GET("/x", func(echo.Context) error { return nil }, middleware.Authenticated(new(users)))
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, request("GET", "Authorization", "Bearer "+token))
		if strings.Contains(rec.Body.String(), "10.0.0.7") || strings.Contains(rec.Body.String(), token) {
			t.Errorf("the answer tells too much: %s", rec.Body)
		}
	}
}

// late is an Authenticator whose cookie gets its name when it is mounted.
type late struct {
	users
	name string
}

func (l *late) Cookies(...string) []string { return []string{l.name} }

func TestAuthenticatedLearnsCookiesOfAnAuthenticatorMountedLater(t *testing.T) {
	t.Parallel()
	l := &late{name: "session"}
	mw := middleware.Authenticated(l)
	l.name = "__Host-session"
	if got := ask(t, mw, request("GET", "Cookie", "__Host-session=ann")); got.User != "ann@_USERS" {
		t.Errorf("answer = %+v, want ann by the cookie's name of now", got)
	}
	if got := ask(t, mw, request("GET", "Cookie", "session=ann")); got.Status != http.StatusUnauthorized {
		t.Errorf("answer = %+v by the cookie's old name, want 401", got)
	}
}

func TestAuthenticatedKeepsItsCollections(t *testing.T) {
	t.Parallel()
	collections := []string{"_USERS"}
	mw := middleware.Authenticated(new(users), collections...)
	collections[0] = "staff"
	if got := ask(t, mw, request("GET", "Authorization", "Bearer bob")); got.Status != http.StatusUnauthorized {
		t.Errorf("status = %d after the caller changed its slice, want 401", got.Status)
	}
}

func TestIdentifiedReplacesNoIdentityOfAnother(t *testing.T) {
	t.Parallel()
	// A host's own middleware may have put an identity there.
	r := request("GET")
	r = r.WithContext(middleware.NewContext(r.Context(), &user{"eve", "hosts"}))
	if got := ask(t, middleware.Identified(new(users)), r); got.User != "eve@hosts" {
		t.Errorf("identity = %q, want the host's", got.User)
	}
	r.Header.Set("Authorization", "Bearer ann")
	if got := ask(t, middleware.Identified(new(users)), r); got.User != "ann@_USERS" {
		t.Errorf("identity = %q, want the token's", got.User)
	}
}

func TestFromContext(t *testing.T) {
	t.Parallel()
	if id, ok := middleware.FromContext(t.Context()); ok || id != nil {
		t.Errorf("an empty context has %v", id)
	}
	if id, ok := middleware.FromContext(middleware.NewContext(t.Context(), nil)); ok || id != nil {
		t.Errorf("a context with a nil identity has %v", id)
	}
	type key struct{}
	ctx := context.WithValue(middleware.NewContext(t.Context(), &user{"ann", "_USERS"}), key{}, 1)
	if id, ok := middleware.FromContext(ctx); !ok || id.UserID() != "ann" || id.SessionID() != "session-of-ann" {
		t.Errorf("FromContext = %v, %v, want ann at any depth", id, ok)
	}
}
