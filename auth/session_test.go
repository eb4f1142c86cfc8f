package auth_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

// Every way to say who one is, at the host's own routes, at the service's
// handlers without a guard, and at those behind the API key.
func TestCarriers(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	g.signup("bob")
	in, bob := g.signin("ada"), g.signin("bob")
	value := strings.TrimPrefix(in.cookie, "coglex-_USERS=")
	gone := g.signin("ada")
	if err := g.users.SignOut(t.Context(), gone.access); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		header map[string]string
		status int
		code   string
	}{
		{"nothing", nil, 401, "unauthenticated"},
		{"bearer", map[string]string{"Authorization": "Bearer " + in.access}, 200, ""},
		{"bearer in lower case", map[string]string{"Authorization": "bearer " + in.access}, 200, ""},
		{"cookie", map[string]string{"Cookie": in.cookie}, 200, ""},
		{"cookie among others", map[string]string{"Cookie": "a=b; " + in.cookie + "; coglex-users=x"}, 200, ""},
		{"bearer beside a bad cookie", map[string]string{"Authorization": "Bearer " + in.access, "Cookie": "coglex-_USERS=bad"}, 200, ""},
		{"bad bearer beside a good cookie", map[string]string{"Authorization": "Bearer bad", "Cookie": in.cookie}, 401, "token_invalid"},
		{"empty header beside a good cookie", map[string]string{"Authorization": "", "Cookie": in.cookie}, 401, "token_invalid"},
		{"basic beside a good cookie", map[string]string{"Authorization": "Basic YTpi", "Cookie": in.cookie}, 401, "token_invalid"},
		{"token without a scheme", map[string]string{"Authorization": in.access}, 401, "token_invalid"},
		{"two tokens", map[string]string{"Authorization": "Bearer " + in.access + " " + bob.access}, 401, "token_invalid"},
		{"cookie as bearer", map[string]string{"Authorization": "Bearer " + value}, 401, "token_invalid"},
		{"bearer as cookie", map[string]string{"Cookie": "coglex-_USERS=" + in.access}, 401, "token_invalid"},
		{"refresh token as bearer", map[string]string{"Authorization": "Bearer " + in.refresh}, 401, "token_invalid"},
		{"refresh token as cookie", map[string]string{"Cookie": "coglex-_USERS=" + in.refresh}, 401, "token_invalid"},
		{"API key as bearer", map[string]string{"Authorization": "Bearer " + apiKey}, 401, "token_invalid"},
		{"ended session by bearer", map[string]string{"Authorization": "Bearer " + gone.access}, 401, "session_expired"},
		{"ended session by cookie", map[string]string{"Cookie": gone.cookie}, 401, "session_expired"},
	}
	for _, test := range tests {
		for _, path := range []string{"/me", "/maybe", "/who", "/who/_USERS", "/devices", prefix + "/session", prefix + "/session/", prefix + "/session/_USERS", prefix + "/sessions"} {
			status, code := test.status, test.code
			if path == "/maybe" && code == "unauthenticated" {
				status, code = http.StatusOK, ""
			}
			a := g.do(request{method: http.MethodGet, path: path, key: strings.HasPrefix(path, prefix), header: test.header})
			if a.status != status || a.code() != code {
				t.Errorf("%s at %s: %d %q, want %d %q\n%s", test.name, path, a.status, a.code(), status, code, a.text)
			}
			if a.status == http.StatusUnauthorized && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s at %s: WWW-Authenticate = %q", test.name, path, a.header.Get("WWW-Authenticate"))
			}
		}
	}
}

func TestHandlersMountedAloneAreNeverOpen(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	for _, r := range []request{
		{method: http.MethodGet, path: "/who"},
		{method: http.MethodGet, path: "/who/_USERS"},
		{method: http.MethodGet, path: "/devices"},
		{method: http.MethodDelete, path: "/devices?scope=others"},
		{method: http.MethodDelete, path: "/devices/ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		{method: http.MethodPost, path: "/pass", body: `{"current":"correct horse","new":"another horse"}`},
	} {
		a := g.want(r, http.StatusUnauthorized, "unauthenticated")
		if a.header.Get("Content-Type") != service.MediaTypeProblem || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", r.path, a.header)
		}
	}
}

func TestEveryRouteNeedsTheKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	for _, route := range g.users.Routes() {
		path := strings.NewReplacer(":collection", "_USERS", ":key", "ada", ":id", "x").Replace(prefix + route.Path)
		for _, path := range []string{path, path + "/"} {
			g.want(request{method: route.Method, path: path, body: `{}`}, http.StatusUnauthorized, "api_key_invalid")
		}
	}
}

func TestTwoInstancesOfTheServiceDoNotShareUsers(t *testing.T) {
	t.Parallel()
	one, two := newGateway(t, fast()), newGateway(t, fast())
	one.signup("ada")
	in := one.signin("ada")
	// Same secret, another database: the token is genuine, the user unknown.
	two.want(request{method: http.MethodGet, path: "/me", bearer: in.access}, http.StatusUnauthorized, "session_expired")
	// A guard of one before a handler of two.
	two.echo.GET("/mixed", two.users.HandleSession, one.users.Authenticated())
	two.want(request{method: http.MethodGet, path: "/mixed", bearer: in.access}, http.StatusUnauthorized, "session_expired")
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	const host = "api.example.com"
	tests := []struct {
		name   string
		header map[string]string
		ok     bool
	}{
		{"no browser", nil, true},
		{"same origin", map[string]string{"Sec-Fetch-Site": "same-origin"}, true},
		{"typed in", map[string]string{"Sec-Fetch-Site": "none"}, true},
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		{"a sibling", map[string]string{"Sec-Fetch-Site": "same-site"}, false},
		{"another site that claims our origin", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, false},
		{"a trusted origin", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example.net"}, true},
		{"the base URL behind a proxy", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://" + host, "Host": "10.0.0.7"}, true},
		{"an old browser, same origin", map[string]string{"Origin": "https://" + host}, true},
		{"an old browser, another origin", map[string]string{"Origin": "https://evil.example"}, false},
		{"an old browser, null", map[string]string{"Origin": "null"}, false},
		{"an old browser, other scheme's sibling", map[string]string{"Origin": "https://" + host + ".evil.example"}, false},
	}
	o := fast()
	o.BaseURL = "https://" + host + "/gw/"
	o.TrustedOrigins = []string{"https://app.example.net"}
	g := newGateway(t, o)
	g.signup("ada")
	for _, test := range tests {
		for _, r := range []request{
			{method: http.MethodPost, path: "/me"},
			{method: http.MethodDelete, path: "/devices?scope=others"},
			{method: http.MethodPost, path: "/pass", body: `{"current":"correct horse","new":"correct horse"}`},
			{method: http.MethodGet, path: "/out"},
			{method: http.MethodPost, path: "/out"},
			{method: http.MethodPost, path: prefix + "/signout", key: true},
			{method: http.MethodGet, path: prefix + "/signout/_USERS", key: true},
		} {
			in := g.signin("ada")
			r.header = map[string]string{"Host": host}
			for name, value := range test.header {
				r.header[name] = value
			}
			r.cookie = in.cookie
			a := g.do(r)
			if test.ok && a.status >= 400 || !test.ok && a.code() != "cross_origin" {
				t.Errorf("%s: %s %s: %d %s", test.name, r.method, r.path, a.status, a.text)
			}
			if left := g.isIn(in.access); !test.ok && !left {
				t.Errorf("%s: %s %s: the session ended all the same", test.name, r.method, r.path)
			}
			// A bearer token is nothing that a browser sends by itself.
			if !g.isIn(in.access) {
				in = g.signin("ada")
			}
			r.cookie, r.bearer = "", in.access
			if a := g.do(r); a.status >= 400 {
				t.Errorf("%s: %s %s by bearer: %d %s", test.name, r.method, r.path, a.status, a.text)
			}
		}
		// Reading is fine: another origin cannot see the answer.
		in := g.signin("ada")
		g.want(request{method: http.MethodGet, path: "/me", cookie: in.cookie, header: test.header}, http.StatusOK, "")
	}
}

func TestCookieOnHTTPS(t *testing.T) {
	t.Parallel()
	o := fast()
	o.BaseURL = "https://api.example.com"
	g := newGateway(t, o)
	g.signup("ada")
	a := g.want(post("/in", signinBody("ada", pass)), http.StatusOK, "")
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	if cookie.Name != "__Host-coglex-_USERS" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie = %s", a.header.Get("Set-Cookie"))
	}
	g.want(request{method: http.MethodGet, path: "/me", cookie: cookie.Name + "=" + cookie.Value}, http.StatusOK, "")
	// A name without the prefix is one that a sibling's page could have set.
	g.want(request{method: http.MethodGet, path: "/me", cookie: "coglex-_USERS=" + cookie.Value}, http.StatusUnauthorized, "unauthenticated")
	out := g.want(request{method: http.MethodPost, path: "/out", cookie: cookie.Name + "=" + cookie.Value}, http.StatusOK, "")
	if got := out.header.Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-coglex-_USERS=;") || !strings.Contains(got, "Max-Age=0") || !strings.Contains(got, "Secure") {
		t.Errorf("cleared by %q", got)
	}
}

// A host may make its middlewares before the App tells where the gateway is.
func TestGuardsMadeBeforeTheServiceIsAdopted(t *testing.T) {
	t.Parallel()
	users, err := auth.New(dbtest.Database(t), secret, fast())
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"__Host-coglex-_USERS", "coglex-_USERS"}
	if diff := cmp.Diff(both, users.Cookies()); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
}

func TestAGuardForNobodySaysSo(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	opts := fast()
	opts.Collections = []string{"_USERS", "staff"}
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	users, err := auth.New(dbtest.Database(t), secret, opts)
	if err != nil {
		t.Fatal(err)
	}
	users.Authenticated()
	users.Identified("staff")
	if log.Len() > 0 {
		t.Fatalf("of guards that are right it logs %s", log.String())
	}
	users.Authenticated("staff", "_ADMINS")
	if !strings.Contains(log.String(), "collection=_ADMINS") {
		t.Errorf("it logs %q, want the collection that has no users", log.String())
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	ended := signalstest.Record[auth.SignedOut](t, g.bus)
	g.signup("ada")
	g.signup("bob")
	first := g.signin("ada")
	g.clock.Add(time.Minute)
	second, third, bob := g.signin("ada"), g.signin("ada"), g.signin("bob")

	all := list(t, g.want(request{method: http.MethodGet, path: prefix + "/sessions", key: true, bearer: second.access}, http.StatusOK, ""))
	if len(all) != 3 || all[0]["created"] != "2026-05-01T12:00:00Z" || all[0]["expires"] != "2026-05-09T12:00:00Z" || all[0]["address"] != "198.51.100.7" {
		t.Fatalf("sessions = %v", all)
	}
	sid := claims(t, second.access)["sid"]
	for _, s := range all {
		if current, _ := s["current"].(bool); current != (s["_id"] == sid) {
			t.Errorf("current of %v", s)
		}
		for name := range s {
			if !strings.Contains(" _id created expires address agent current ", " "+name+" ") {
				t.Errorf("a session shows %s", name)
			}
		}
	}
	one := g.want(request{method: http.MethodGet, path: "/who", bearer: second.access}, http.StatusOK, "")
	session, _ := one.fields["session"].(map[string]any)
	if session["_id"] != sid || session["current"] != nil {
		t.Errorf("session = %v", session)
	}

	firstID, _ := claims(t, first.access)["sid"].(string)
	bobID, _ := claims(t, bob.access)["sid"].(string)
	del := func(id, bearer string) request {
		return request{method: http.MethodDelete, path: "/devices/" + id, bearer: bearer}
	}
	g.want(del(firstID, bob.access), http.StatusNotFound, "session_unknown")
	g.want(del(bobID, second.access), http.StatusNotFound, "session_unknown")
	for _, id := range []string{"x", "_sessions", "$set", "a.b", "abcdefghijklmnopqrstuvwxyz", strings.Repeat("A", 26)} {
		g.want(del(id, second.access), http.StatusNotFound, "session_unknown")
	}
	g.want(del(firstID, second.access), http.StatusNoContent, "")
	g.want(del(firstID, second.access), http.StatusNotFound, "session_unknown")
	if g.isIn(first.access) || !g.isIn(second.access) || !g.isIn(third.access) || !g.isIn(bob.access) {
		t.Error("not the right session ended")
	}

	for _, query := range []string{"", "?scope=", "?scope=all", "?scope=others&scope=others", "?scope=others&x=1"} {
		g.want(request{method: http.MethodDelete, path: "/devices" + query, bearer: second.access}, http.StatusBadRequest, "invalid")
	}
	g.want(request{method: http.MethodDelete, path: prefix + "/sessions?scope=others", key: true, bearer: second.access}, http.StatusNoContent, "")
	if !g.isIn(second.access) || g.isIn(third.access) || !g.isIn(bob.access) {
		t.Error("not the right sessions ended")
	}
	g.refresh(second.refresh)

	own := g.want(del(sid.(string), second.access), http.StatusNoContent, "")
	if !strings.Contains(own.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie was not cleared: %q", own.header.Get("Set-Cookie"))
	}
	g.want(request{method: http.MethodGet, path: "/devices", bearer: second.access}, http.StatusUnauthorized, "session_expired")
	var ids []string
	for _, e := range ended.Events() {
		ids = append(ids, e.SessionID)
	}
	thirdID, _ := claims(t, third.access)["sid"].(string)
	if diff := cmp.Diff([]string{firstID, thirdID, sid.(string)}, ids); diff != "" {
		t.Errorf("SignedOut (-want +got):\n%s", diff)
	}
}

func TestSessionsGo(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	ctx := t.Context()
	g.signup("ada")
	grant, err := g.users.SignIn(ctx, auth.Credentials{Key: "ada", Password: pass})
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := g.users.Sessions(ctx, grant.User)
	if err != nil || len(sessions) != 1 || !sessions[0].Current {
		t.Fatalf("Sessions = %v, %v", sessions, err)
	}
	if err := g.users.EndSession(ctx, grant.User, sessions[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := g.users.EndOtherSessions(ctx, grant.User); !errors.Is(err, auth.ErrSessionExpired) {
		t.Errorf("EndOtherSessions of an ended session: %v", err)
	}
	if err := g.users.Delete(ctx, auth.Ref{ID: grant.User.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.users.Sessions(ctx, grant.User); !errors.Is(err, auth.ErrSessionExpired) {
		t.Errorf("Sessions of a deleted user: %v", err)
	}
	if _, err := g.users.Sessions(ctx, &auth.User{ID: "made up"}); err == nil {
		t.Error("Sessions of a made-up user")
	}
}

func TestCollections(t *testing.T) {
	t.Parallel()
	o := fast()
	o.Collections = []string{"users", "staff"}
	g := newGateway(t, o)
	in := map[string]tokens{}
	for _, name := range []string{"users", "staff", "_USERS"} {
		g.want(post(prefix+"/signup/"+name, signinBody("ada", pass)), http.StatusCreated, "")
		in[name] = tokensOf(g.want(post(prefix+"/signin/"+name, signinBody("ada", pass)), http.StatusOK, ""))
		if !strings.HasPrefix(in[name].cookie, "coglex-"+name+"=") {
			t.Errorf("cookie = %q", in[name].cookie)
		}
	}
	// The first is the default one, for routes and guards alike.
	g.want(post(prefix+"/signup", signinBody("ada", pass)), http.StatusConflict, "key_exists")
	def := g.signin("ada")
	if claims(t, def.access)["col"] != "users" {
		t.Error("signed in to another collection than the first")
	}
	for name, tk := range in {
		if got := g.isIn(tk.access); got != (name == "users") {
			t.Errorf("a token of %s opens Authenticated(): %t", name, got)
		}
		for _, other := range []string{"users", "staff", "_USERS"} {
			for _, path := range []string{prefix + "/session/" + other, "/who/" + other} {
				status, code := http.StatusUnauthorized, "token_invalid"
				if other == name {
					status, code = http.StatusOK, ""
				}
				g.want(request{method: http.MethodGet, path: path, key: true, bearer: tk.access}, status, code)
			}
		}
		g.want(request{method: http.MethodGet, path: prefix + "/session", key: true, bearer: tk.access}, http.StatusOK, "")
		if name != "users" {
			g.want(request{method: http.MethodGet, path: prefix + "/signout/users", key: true, bearer: tk.access}, http.StatusUnauthorized, "token_invalid")
		}
	}
	// A cookie of one collection does not stand in the way of another's.
	jar := in["users"].cookie + "; " + in["staff"].cookie
	for _, path := range []string{prefix + "/session/staff", "/who/staff"} {
		a := g.want(request{method: http.MethodGet, path: path, key: true, cookie: jar}, http.StatusOK, "")
		if !strings.Contains(a.text, claims(t, in["staff"].access)["sid"].(string)) {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	for _, name := range []string{"posts", "_LIMITS", "system.users", "Users", "%5FUSERSX", "users%00", "..", "a%2Fb"} {
		for _, r := range []request{
			post(prefix+"/signup/"+name, signinBody("eve", pass)),
			post(prefix+"/signin/"+name, signinBody("eve", pass)),
			{method: http.MethodGet, path: prefix + "/session/" + name, key: true, bearer: in["users"].access},
			{method: http.MethodGet, path: prefix + "/signout/" + name, key: true, bearer: in["users"].access},
			{method: http.MethodGet, path: prefix + "/users/ada?collection=" + name, key: true},
			{method: http.MethodDelete, path: prefix + "/users/ada?collection=" + name, key: true},
			{method: http.MethodPatch, path: prefix + "/users/ada?collection=" + name, key: true, body: `{"document":{"a":1}}`},
		} {
			if a := g.do(r); a.status != http.StatusNotFound {
				t.Errorf("%s %s: %d %s", r.method, r.path, a.status, a.text)
			}
		}
	}
	if !g.isIn(in["users"].access) {
		t.Error("a refused sign-out ended the session")
	}
	// An encoded name is decoded once.
	g.want(post(prefix+"/signin/%5FUSERS", signinBody("ada", pass)), http.StatusOK, "")
	g.want(request{method: http.MethodGet, path: prefix + "/users/ada?collection=staff", key: true}, http.StatusOK, "")
}
