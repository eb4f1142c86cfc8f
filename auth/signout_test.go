package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

func TestSignout(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		bring func(in tokens) request
		wait  time.Duration
	}{
		{name: "bearer", bring: func(in tokens) request { return request{bearer: in.access} }},
		{name: "expired bearer", bring: func(in tokens) request { return request{bearer: in.access} }, wait: 2 * time.Hour},
		{name: "cookie", bring: func(in tokens) request { return request{cookie: in.cookie} }},
		{name: "expired cookie", bring: func(in tokens) request { return request{cookie: in.cookie} }, wait: 9 * 24 * time.Hour},
		{name: "refresh token", bring: func(in tokens) request { return request{body: `{"refresh_token":` + quote(in.refresh) + `}`} }},
		{name: "all of them", bring: func(in tokens) request {
			return request{bearer: in.access, cookie: in.cookie, body: `{"refresh_token":` + quote(in.refresh) + `}`}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fast())
			out := signalstest.Record[auth.SignedOut](t, g.bus)
			g.signup("ada")
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				for _, path := range []string{"/out", "/out/_USERS", prefix + "/signout", prefix + "/signout/", prefix + "/signout/_USERS"} {
					in, other := g.signin("ada"), g.signin("ada")
					g.clock.Add(test.wait)
					r := test.bring(in)
					r.method, r.path, r.key = method, path, strings.HasPrefix(path, prefix)
					for range 2 {
						a := g.want(r, http.StatusOK, "")
						if a.fields["signed_out"] != true || !strings.Contains(a.header.Get("Set-Cookie"), "coglex-_USERS=; Path=/; Max-Age=0") {
							t.Errorf("%s %s: %s, cookie %q", method, path, a.text, a.header.Get("Set-Cookie"))
						}
					}
					g.clock.Add(-test.wait)
					if g.isIn(in.access) {
						t.Errorf("%s %s: the token lives on", method, path)
					}
					g.want(again(in.refresh), http.StatusUnauthorized, "session_expired")
					g.want(request{method: http.MethodGet, path: "/me", cookie: in.cookie}, http.StatusUnauthorized, "session_expired")
					if !g.isIn(other.access) {
						t.Errorf("%s %s: another session ended", method, path)
					}
				}
			}
			if n := len(out.Events()); n != 10 {
				t.Errorf("%d events, want one for each session that ended", n)
			}
		})
	}
}

func TestSignoutRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	value := strings.TrimPrefix(in.cookie, "coglex-_USERS=")
	for name, r := range map[string]request{
		"forged bearer":           {bearer: in.access[:len(in.access)-2] + "xx"},
		"forged cookie":           {cookie: in.cookie[:len(in.cookie)-2] + "xx"},
		"forged refresh token":    {body: `{"refresh_token":` + quote(in.refresh[:len(in.refresh)-2]+"xx") + `}`},
		"forged beside genuine":   {bearer: in.access, body: `{"refresh_token":"cgr_x"}`},
		"bad bearer, good cookie": {bearer: "bad", cookie: in.cookie},
		"cookie as bearer":        {bearer: value},
		"bearer as refresh token": {body: `{"refresh_token":` + quote(in.access) + `}`},
		"refresh token as bearer": {bearer: in.refresh},
	} {
		r.method, r.path = http.MethodPost, "/out"
		a := g.do(r)
		if a.status != http.StatusUnauthorized || a.code() != "token_invalid" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	for _, body := range []string{`[]`, `{"refresh_token":null}`, `{"token":"x"}`, `x`} {
		g.want(request{method: http.MethodPost, path: "/out", body: body, bearer: in.access}, http.StatusBadRequest, "invalid")
	}
	g.want(request{method: http.MethodGet, path: "/out?all=1", bearer: in.access}, http.StatusBadRequest, "invalid")
	if !g.isIn(in.access) {
		t.Error("a refused sign-out ended the session")
	}
	// Who brings nothing is signed out.
	g.want(request{method: http.MethodPost, path: "/out"}, http.StatusOK, "")
	g.want(request{method: http.MethodPost, path: "/out", body: `{}`}, http.StatusOK, "")
}

// A browser may be signed in as a user of several collections, and have a cookie
// that is no good any more.
func TestSignoutOfSeveralCollections(t *testing.T) {
	t.Parallel()
	o := fast()
	o.Collections = []string{"staff", "people"}
	g := newGateway(t, o)
	signin := func(collection string) tokens {
		g.do(post(prefix+"/signup/"+collection, signinBody("ada", pass)))
		return tokensOf(g.want(post(prefix+"/signin/"+collection, signinBody("ada", pass)), http.StatusOK, ""))
	}
	who := func(collection, cookie string) int {
		return g.do(request{method: http.MethodGet, path: prefix + "/session/" + collection, key: true, cookie: cookie}).status
	}
	const bad = "coglex-_USERS=forged"
	for _, path := range []string{"/out", prefix + "/signout"} {
		staff, people := signin("staff"), signin("people")
		both := bad + "; " + staff.cookie + "; " + people.cookie
		if who("staff", both) != http.StatusOK || who("people", both) != http.StatusOK || who("_USERS", both) != http.StatusUnauthorized {
			t.Fatal("each collection's session goes by its own cookie")
		}
		a := g.want(request{method: http.MethodPost, path: path + "/people", cookie: both, key: true}, http.StatusOK, "")
		if who("staff", both) != http.StatusOK || who("people", both) != http.StatusUnauthorized || len(a.header["Set-Cookie"]) != 1 {
			t.Errorf("%s/people: cookies %q", path, a.header["Set-Cookie"])
		}
		people = signin("people")
		both = bad + "; " + staff.cookie + "; " + people.cookie
		a = g.want(request{method: http.MethodPost, path: path, cookie: both, key: true}, http.StatusOK, "")
		if who("staff", both) != http.StatusUnauthorized || who("people", both) != http.StatusUnauthorized {
			t.Errorf("%s: a session lives on", path)
		}
		cleared := strings.Join(a.header["Set-Cookie"], "\n")
		if !strings.Contains(cleared, "coglex-staff=;") || !strings.Contains(cleared, "coglex-people=;") {
			t.Errorf("%s: cookies %q", path, cleared)
		}
		g.want(request{method: http.MethodPost, path: path, cookie: bad, key: true}, http.StatusUnauthorized, "token_invalid")
	}
}

func TestSignOutGo(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	for name, pick := range map[string]func(tokens) string{
		"access":  func(in tokens) string { return in.access },
		"refresh": func(in tokens) string { return in.refresh },
		"cookie":  func(in tokens) string { return strings.TrimPrefix(in.cookie, "coglex-_USERS=") },
	} {
		in := g.signin("ada")
		for range 2 {
			if err := g.users.SignOut(t.Context(), pick(in)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if g.isIn(in.access) {
			t.Errorf("%s: still in", name)
		}
	}
	if err := g.users.SignOut(t.Context(), "x"); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("SignOut(x) = %v", err)
	}
}
