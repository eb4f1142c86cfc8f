package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestSignin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		body   string
		status int
		code   string
	}{
		{"right", signinBody("ada@example.com", pass), 200, ""},
		{"another spelling", signinBody(" ADA@Example.com", pass), 200, ""},
		{"query matches", `{"_key":"ada@example.com","_password":` + quote(pass) + `,"query":{"age":{"$gte":36}}}`, 200, ""},
		{"empty query", `{"_key":"ada@example.com","_password":` + quote(pass) + `,"query":{}}`, 200, ""},

		{"wrong password", signinBody("ada@example.com", "wrong horse"), 401, "invalid_credentials"},
		{"empty password", signinBody("ada@example.com", ""), 401, "invalid_credentials"},
		{"password with a tail", signinBody("ada@example.com", pass+"x"), 401, "invalid_credentials"},
		{"password with a NUL and a tail", signinBody("ada@example.com", pass+"\x00"), 401, "invalid_credentials"},
		{"unknown key", signinBody("bob@example.com", pass), 401, "invalid_credentials"},
		{"empty key", signinBody("", pass), 401, "invalid_credentials"},
		{"key that no account can have", signinBody(strings.Repeat("k", 5000), pass), 401, "invalid_credentials"},
		{"account without a password", signinBody("bare", ""), 401, "invalid_credentials"},
		{"password for an account without one", signinBody("bare", pass), 401, "invalid_credentials"},
		{"query does not match", `{"_key":"ada@example.com","_password":` + quote(pass) + `,"query":{"age":1}}`, 401, "invalid_credentials"},
		{"query for an unknown key", `{"_key":"bob","_password":` + quote(pass) + `,"query":{"age":{"$exists":false}}}`, 401, "invalid_credentials"},

		{"no password", `{"_key":"ada@example.com"}`, 400, "invalid"},
		{"no key", `{"_password":"12345678"}`, 400, "invalid"},
		{"null password", `{"_key":"ada@example.com","_password":null}`, 400, "invalid"},
		{"false password", `{"_key":"ada@example.com","_password":false}`, 400, "invalid"},
		{"number as password", `{"_key":"ada@example.com","_password":0}`, 400, "invalid"},
		{"operator as key", `{"_key":{"$regex":"^ada"},"_password":"12345678"}`, 400, "invalid"},
		{"operator as password", `{"_key":"ada@example.com","_password":{"$ne":1}}`, 400, "invalid"},
		{"array as query", `{"_key":"ada@example.com","_password":"12345678","query":[]}`, 400, "invalid"},
	}
	g := newGateway(t, fast())
	g.signup("ada@example.com")
	g.want(post(prefix+"/signup", `{"_key":"bare"}`), http.StatusCreated, "")
	g.want(request{method: http.MethodPatch, path: prefix + "/ada@example.com", key: true, body: `{"document":{"age":36}}`}, http.StatusOK, "")
	var refused answer
	for _, test := range tests {
		for _, path := range []string{prefix + "/signin", prefix + "/signin/", prefix + "/signin/_USERS", "/in", "/in/_USERS"} {
			r := post(path, test.body)
			r.key = strings.HasPrefix(path, prefix)
			a := g.do(r)
			if a.status != test.status || a.code() != test.code {
				t.Errorf("%s at %s: %d %q, want %d %q\n%s", test.name, path, a.status, a.code(), test.status, test.code, a.text)
			}
			if a.status != http.StatusUnauthorized {
				continue
			}
			delete(a.fields, "request_id")
			a.header.Del("X-Request-Id")
			if refused.fields == nil {
				refused = a
			}
			if diff := cmp.Diff(refused.fields, a.fields); diff != "" {
				t.Errorf("%s: the body tells what was wrong:\n%s", test.name, diff)
			}
			if diff := cmp.Diff(refused.header, a.header); diff != "" {
				t.Errorf("%s: the headers tell what was wrong:\n%s", test.name, diff)
			}
		}
	}
}

func TestSigninAnswers(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	id := g.signup("ada")
	r := post(prefix+"/signin", signinBody("ada", pass))
	r.header = map[string]string{"User-Agent": "Browser/1.0\u202e " + strings.Repeat("x", 400)}
	a := g.want(r, http.StatusOK, "")
	if a.str("token_type") != "Bearer" || a.fields["expires_in"] != 3600.0 {
		t.Errorf("token_type %q, expires_in %v", a.str("token_type"), a.fields["expires_in"])
	}
	want := map[string]any{"_id": id, "_key": "ada", "_inserted": map[string]any{"$date": "2026-05-01T12:00:00Z"}}
	if diff := cmp.Diff(want, a.fields["user"]); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	if cookie.Name != "coglex-_USERS" || !cookie.HttpOnly || cookie.Secure || cookie.Path != "/" || cookie.Domain != "" ||
		cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 8*24*3600 {
		t.Errorf("cookie = %s", a.header.Get("Set-Cookie"))
	}
	sessions := list(t, g.want(request{method: http.MethodGet, path: "/devices", bearer: a.str("token")}, http.StatusOK, ""))
	if len(sessions) != 1 {
		t.Fatalf("sessions = %v", sessions)
	}
	if agent, _ := sessions[0]["agent"].(string); len(agent) > 256 || !strings.HasPrefix(agent, "Browser/1.0 xxx") {
		t.Errorf("agent = %q", agent)
	}
	sid, _ := sessions[0]["_id"].(string)
	g.events.Expect(func(e any) bool {
		in, ok := e.(auth.SignedIn)
		return ok && in.User.Key == "ada" && in.User.SessionID() == sid && in.Method == "password"
	})
}

func list(t *testing.T, a answer) []map[string]any {
	t.Helper()
	var all []map[string]any
	if err := json.Unmarshal([]byte(a.text), &all); err != nil {
		t.Fatalf("no list: %s", a.text)
	}
	return all
}

func claims(t *testing.T, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %q", jwt)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAccessTokenSaysNothingAboutThePerson(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	id := g.signup("ada@example.com")
	in := g.signin("ada@example.com")
	c := claims(t, in.access)
	var names []string
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"col", "exp", "iat", "iss", "jti", "sid", "sub", "typ"}, names); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	now := float64(g.clock.Now().Unix())
	if c["sub"] != id || c["col"] != "_USERS" || c["typ"] != "access" || c["iat"] != now || c["exp"] != now+3600 {
		t.Errorf("claims = %v", c)
	}
	if k := claims(t, strings.TrimPrefix(in.cookie, "coglex-_USERS=")); k["typ"] != "cookie" || k["exp"] != now+8*24*3600 {
		t.Errorf("claims of the cookie = %v", k)
	}
}

func TestSigninFailedIsTold(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	g.want(post(prefix+"/signin", signinBody("ada", "a wrong secret")), http.StatusUnauthorized, "invalid_credentials")
	g.want(post(prefix+"/signin", signinBody("nobody\u202e"+strings.Repeat("n", 999), "a wrong secret")), http.StatusUnauthorized, "invalid_credentials")
	failed := func(key string) func(any) bool {
		return func(e any) bool {
			f, ok := e.(auth.SignInFailed)
			return ok && f.Key == key && f.Collection == "_USERS" && errors.Is(f.Err, auth.ErrInvalidCredentials) && f.Client.Address == "198.51.100.7"
		}
	}
	g.events.Expect(failed("ada"), failed("nobody"+strings.Repeat("n", 314)))
}

func TestSigningInIsAsked(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	asked := 0
	signals.Intercept(g.bus, func(_ context.Context, e *auth.SigningIn) error {
		asked++
		if e.User.Key != "ada" || e.Method != "password" {
			t.Errorf("asked about %+v", e)
		}
		return &service.Problem{Status: http.StatusForbidden, Code: "closed_today"}
	})
	g.want(post(prefix+"/signin", signinBody("ada", "wrong horse")), http.StatusUnauthorized, "invalid_credentials")
	if asked != 0 {
		t.Error("asked before the password was right")
	}
	g.want(post(prefix+"/signin", signinBody("ada", pass)), http.StatusForbidden, "closed_today")
	if n := g.sessionCount("ada"); asked != 1 || n != 0 {
		t.Errorf("asked %d times, %d sessions", asked, n)
	}
}

func TestBan(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	ctx := t.Context()
	g.signup("ada")
	in := g.signin("ada")
	if err := g.users.Ban(ctx, auth.Ref{Key: "ada"}); err != nil {
		t.Fatal(err)
	}
	if g.isIn(in.access) {
		t.Error("the session outlived the ban")
	}
	g.want(post("/again", `{"refresh_token":`+quote(in.refresh)+`}`), http.StatusUnauthorized, "session_expired")
	g.want(post(prefix+"/signin", signinBody("ada", "wrong horse")), http.StatusUnauthorized, "invalid_credentials")
	g.want(post(prefix+"/signin", signinBody("ada", pass)), http.StatusForbidden, "account_banned")
	if n := g.sessionCount("ada"); n != 0 {
		t.Errorf("%d sessions", n)
	}
	g.events.Expect(func(e any) bool {
		f, ok := e.(auth.SignInFailed)
		return ok && errors.Is(f.Err, auth.ErrBanned)
	})
	if err := g.users.Unban(ctx, auth.Ref{Key: "ada"}); err != nil {
		t.Fatal(err)
	}
	if !g.isIn(g.signin("ada").access) {
		t.Error("cannot sign in after the ban")
	}
	for name, f := range map[string]func(context.Context, auth.Ref) error{"Ban": g.users.Ban, "Unban": g.users.Unban} {
		if err := f(ctx, auth.Ref{Key: "nobody"}); !errors.Is(err, auth.ErrUserUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Another program may ban someone without ending their sessions.
func TestBanInTheDatabase(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	if _, err := g.db.Collection("_USERS").UpdateOne(t.Context(), bson.M{"_key": "ada"}, bson.M{"$set": bson.M{"_banned": true}}); err != nil {
		t.Fatal(err)
	}
	if g.isIn(in.access) {
		t.Error("the session goes on")
	}
	g.want(again(in.refresh), http.StatusUnauthorized, "session_expired")
}

// A ban that comes between the check of the password and the session wins.
func TestBanDuringSignin(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	signals.Intercept(g.bus, func(ctx context.Context, _ *auth.SigningIn) error {
		return g.users.Ban(ctx, auth.Ref{Key: "ada"})
	})
	g.want(post(prefix+"/signin", signinBody("ada", pass)), http.StatusUnauthorized, "invalid_credentials")
	if n := g.sessionCount("ada"); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestOldestSessionsGiveWay(t *testing.T) {
	t.Parallel()
	o := fast()
	o.MaxSessions = 3
	g := newGateway(t, o)
	g.signup("ada")
	var all []tokens
	for range 5 {
		all = append(all, g.signin("ada"))
		g.clock.Add(time.Second)
	}
	for i, in := range all {
		if got, want := g.isIn(in.access), i >= 2; got != want {
			t.Errorf("session %d: in = %t, want %t", i, got, want)
		}
	}
	// Those that are over go first.
	g.clock.Add(auth.DefaultSessionLifetime - 2*time.Second)
	g.signin("ada")
	if n := g.sessionCount("ada"); n != 2 {
		t.Errorf("%d sessions, want the last of the five and the new one", n)
	}
}

// Sign-ins at the same time do not see one another's sessions.
func TestSessionsSettleAtTheBound(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() { g.do(post(prefix+"/signin", signinBody("ada", pass))) })
	}
	wg.Wait()
	if n := g.sessionCount("ada"); n != auth.DefaultMaxSessions {
		t.Errorf("%d sessions, want %d", n, auth.DefaultMaxSessions)
	}
}

func TestSignInGo(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	ctx := t.Context()
	grant, err := g.users.SignIn(ctx, auth.Credentials{Key: "ada", Password: pass, Query: bson.M{"_key": "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if !g.isIn(grant.AccessToken) || grant.User.Session().ID != grant.User.SessionID() || grant.ExpiresIn != time.Hour {
		t.Errorf("grant = %+v", grant)
	}
	if _, err := g.users.SignIn(ctx, auth.Credentials{Key: "ada", Password: "wrong"}); !errors.Is(err, auth.ErrInvalidCredentials) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := g.users.SignIn(ctx, auth.Credentials{Collection: "posts", Key: "ada"}); !errors.Is(err, auth.ErrUnknownCollection) {
		t.Errorf("unknown collection: %v", err)
	}
}
