package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/event"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

func again(token string) request { return post("/again", `{"refresh_token":`+quote(token)+`}`) }

func (g *gateway) refresh(token string) tokens {
	g.t.Helper()
	return tokensOf(g.want(again(token), http.StatusOK, ""))
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	first := g.signin("ada")
	g.clock.Add(time.Hour)
	if g.isIn(first.access) {
		t.Error("an access token is good for longer than an hour")
	}
	a := g.want(post(prefix+"/refresh", `{"refresh_token":`+quote(first.refresh)+`}`), http.StatusOK, "")
	second := tokensOf(a)
	if !g.isIn(second.access) {
		t.Error("the new access token does not work")
	}
	if second.refresh == first.refresh || a.str("token_type") != "Bearer" || a.fields["user"] == nil {
		t.Errorf("answer = %s", a.text)
	}
	if !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=687600") { // 8 days less an hour
		t.Errorf("cookie = %s", a.header.Get("Set-Cookie"))
	}
	if n := g.sessionCount("ada"); n != 1 {
		t.Errorf("%d sessions, want the same one", n)
	}
}

func TestRefreshDoesNotProlongTheSession(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	for range 7 {
		g.clock.Add(24 * time.Hour)
		in = g.refresh(in.refresh)
	}
	g.clock.Add(24*time.Hour - 30*time.Minute)
	a := g.want(again(in.refresh), http.StatusOK, "")
	if a.fields["expires_in"] != 1800.0 {
		t.Errorf("expires_in = %v, beyond the session", a.fields["expires_in"])
	}
	g.clock.Add(30 * time.Minute)
	a = g.want(again(tokensOf(a).refresh), http.StatusUnauthorized, "session_expired")
	if !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie was not cleared: %q", a.header.Get("Set-Cookie"))
	}
	g.want(request{method: http.MethodGet, path: "/me", cookie: in.cookie}, http.StatusUnauthorized, "session_expired")
}

func TestFiftyRefreshesGetOneSuccessor(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	const n = 50
	answers := make([]answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { answers[i] = g.do(again(in.refresh)) })
	}
	wg.Wait()
	successors := map[string]int{}
	for _, a := range answers {
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.text)
		}
		successors[a.str("refresh_token")]++
	}
	if len(successors) != 1 {
		t.Errorf("%d different successors", len(successors))
	}
	next := tokensOf(answers[0])
	if !g.isIn(next.access) {
		t.Error("not in")
	}
	g.refresh(next.refresh)
}

func TestRefreshTokenComesAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		wait time.Duration
		// spend says whether the successor is used before its predecessor comes again.
		spend bool
		code  string
	}{
		{name: "at once", wait: 0},
		{name: "after 30 seconds", wait: 30 * time.Second},
		{name: "after more", wait: 30*time.Second + time.Millisecond, code: "refresh_token_reused"},
		{name: "at once, but its successor was used", spend: true, code: "refresh_token_reused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fast())
			reused := signalstest.Record[auth.RefreshTokenReused](t, g.bus)
			g.signup("ada")
			first, other := g.signin("ada"), g.signin("ada")
			last := g.refresh(first.refresh)
			second := last
			if test.spend {
				last = g.refresh(second.refresh)
			}
			g.clock.Add(test.wait)
			if test.code == "" {
				if got := g.refresh(first.refresh); got.refresh != second.refresh || !g.isIn(got.access) {
					t.Error("another successor")
				}
				reused.ExpectExactly()
				return
			}
			a := g.want(again(first.refresh), http.StatusUnauthorized, test.code)
			if !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
				t.Errorf("the cookie was not cleared: %q", a.header.Get("Set-Cookie"))
			}
			if g.isIn(last.access) {
				t.Error("the session goes on")
			}
			g.want(again(last.refresh), http.StatusUnauthorized, "session_expired")
			g.want(again(first.refresh), http.StatusUnauthorized, "session_expired")
			if !g.isIn(other.access) {
				t.Error("another session of the user ended, too")
			}
			reused.ExpectExactly(func(e auth.RefreshTokenReused) bool {
				return e.Collection == "_USERS" && len(e.SessionID) == 26 && e.UserID != "" && e.Client.Address == "198.51.100.7"
			})
		})
	}
}

func TestForgedRefreshTokensHarmNobody(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	first := g.signin("ada")
	now := g.refresh(g.refresh(first.refresh).refresh)
	dot := strings.LastIndexByte(first.refresh, '.')
	for name, token := range map[string]string{
		"garbage":             "cgr_garbage",
		"empty":               "",
		"no MAC":              first.refresh[:dot],
		"empty MAC":           first.refresh[:dot+1],
		"changed MAC":         first.refresh[:dot+1] + strings.Repeat("A", 43),
		"changed contents":    "cgr_AQ" + first.refresh[6:7] + "B" + first.refresh[8:],
		"access token":        now.access,
		"cookie":              strings.TrimPrefix(now.cookie, "coglex-_USERS="),
		"with a space":        first.refresh + " ",
		"twice":               first.refresh + first.refresh,
		"a very long token":   strings.Repeat("x", 5000),
		"another's MAC on it": first.refresh[:dot] + now.refresh[strings.LastIndexByte(now.refresh, '.'):],
	} {
		g.want(again(token), http.StatusUnauthorized, "token_invalid")
		if !g.isIn(now.access) {
			t.Fatalf("%s ended the session", name)
		}
	}
	for _, body := range []string{`{}`, `{"refresh_token":null}`, `{"refresh_token":{"$ne":1}}`, `{"refresh_token":1}`, `{"refresh_token":"x","x":1}`} {
		g.want(post("/again", body), http.StatusBadRequest, "invalid")
	}
	g.refresh(now.refresh)
}

func TestRefreshTokenOfAnotherGateway(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	other, err := auth.New(g.db, secret+"another", fast())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Refresh(t.Context(), in.refresh, auth.Client{}); err != auth.ErrTokenInvalid { //nolint:errorlint // exactly it
		t.Errorf("Refresh with another secret: %v", err)
	}
}

func TestRefreshAfterTheEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context, *gateway, tokens) error{
		"signed out": func(ctx context.Context, g *gateway, in tokens) error { return g.users.SignOut(ctx, in.access) },
		"deleted": func(ctx context.Context, g *gateway, _ tokens) error {
			return g.users.Delete(ctx, auth.Ref{Key: "ada"})
		},
		"password set": func(ctx context.Context, g *gateway, _ tokens) error {
			return g.users.SetPassword(ctx, auth.Ref{Key: "ada"}, "another horse")
		},
		"banned": func(ctx context.Context, g *gateway, _ tokens) error { return g.users.Ban(ctx, auth.Ref{Key: "ada"}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fast())
			g.signup("ada")
			in := g.signin("ada")
			if err := end(t.Context(), g, in); err != nil {
				t.Fatal(err)
			}
			g.want(again(in.refresh), http.StatusUnauthorized, "session_expired")
			g.want(request{method: http.MethodGet, path: "/me", bearer: in.access}, http.StatusUnauthorized, "session_expired")
			g.want(request{method: http.MethodGet, path: "/me", cookie: in.cookie}, http.StatusUnauthorized, "session_expired")
		})
	}
}

// A database that was set back to a backup knows less than the tokens do.
func TestRefreshTokenFromTheFuture(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	next := g.refresh(in.refresh)
	sid, _ := claims(t, in.access)["sid"].(string)
	set := bson.M{"$set": bson.M{"_sessions." + sid + ".generation": int64(0)}}
	if _, err := g.db.Collection("_USERS").UpdateOne(t.Context(), bson.M{"_key": "ada"}, set); err != nil {
		t.Fatal(err)
	}
	g.want(again(next.refresh), http.StatusUnauthorized, "token_invalid")
	if !g.isIn(in.access) {
		t.Error("the session ended")
	}
	g.refresh(in.refresh)
}

// between connects to the tests' server with a client that calls do once, between
// a request's reading of the user and its writing.
func between(t *testing.T, name string, do func()) *mongo.Database {
	t.Helper()
	var once sync.Once
	var armed atomic.Bool
	monitor := &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		if armed.Load() && e.CommandName == "findAndModify" {
			once.Do(do)
		}
		if e.CommandName == "find" {
			armed.Store(true)
		}
	}}
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(dbtest.URI(t)).SetMonitor(monitor))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	return client.Database(name)
}

// A rotation must not write to a session that has changed or ended since it was read.
func TestRefreshIsOvertaken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		overtake func(*gateway, tokens)
		code     string
		sessions int
	}{
		{name: "by a sign-out", overtake: func(g *gateway, in tokens) {
			g.want(request{method: http.MethodPost, path: "/out", bearer: in.access}, http.StatusOK, "")
		}, code: "session_expired"},
		{name: "by the same refresh", overtake: func(g *gateway, in tokens) { g.refresh(in.refresh) }, sessions: 1},
		{name: "by two refreshes", overtake: func(g *gateway, in tokens) {
			g.refresh(g.refresh(in.refresh).refresh)
		}, code: "refresh_token_reused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fast())
			g.signup("ada")
			in := g.signin("ada")
			slow, err := auth.New(between(t, g.db.Name(), func() { test.overtake(g, in) }), secret, &auth.Options{Now: g.clock.Now, Cost: 4})
			if err != nil {
				t.Fatal(err)
			}
			_, err = slow.Refresh(t.Context(), in.refresh, auth.Client{})
			want := map[string]error{"session_expired": auth.ErrSessionExpired, "refresh_token_reused": auth.ErrRefreshTokenReused}[test.code]
			if !errors.Is(err, want) {
				t.Errorf("Refresh = %v, want %v", err, want)
			}
			if n := g.sessionCount("ada"); n != test.sessions {
				t.Errorf("%d sessions, want %d", n, test.sessions)
			}
		})
	}
}
