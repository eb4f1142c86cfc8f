package coglex_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/middleware"
)

// anyKey is a KeyVerifier that takes every key.
type anyKey struct{}

func (*anyKey) VerifyKey(context.Context, string) ([]string, error) { return []string{"one:read"}, nil }

func TestNewNamesEveryMistake(t *testing.T) {
	t.Parallel()
	var nobody *people
	var noKeys *anyKey
	rows := map[string]struct {
		key  string
		opts *coglex.Options
		want []string
	}{
		"no key":                       {"", nil, []string{"SERVER_SECRET", "0 bytes"}},
		"a short key":                  {"short-secret", nil, []string{"SERVER_SECRET", "12 bytes"}},
		"a short old key":              {apiKey, &coglex.Options{OldKeys: []string{"short-secret"}}, []string{"SERVER_SECRET", "2 of 2"}},
		"a key and a verifier":         {apiKey, &coglex.Options{Keys: new(anyKey)}, []string{"not both"}},
		"old keys and a verifier":      {"", &coglex.Options{Keys: new(anyKey), OldKeys: []string{apiKey}}, []string{"not both"}},
		"a verifier that is nil":       {"", &coglex.Options{Keys: noKeys}, []string{"Options.Keys"}},
		"users that are nil":           {apiKey, &coglex.Options{Users: nobody}, []string{"Options.Users", "people"}},
		"a base URL without a scheme":  {apiKey, &coglex.Options{BaseURL: "api.example.com"}, []string{"Options.BaseURL"}},
		"a base URL of another scheme": {apiKey, &coglex.Options{BaseURL: "ftp://api.example.com"}, []string{"Options.BaseURL"}},
		"a base URL without a host":    {apiKey, &coglex.Options{BaseURL: "https:///x"}, []string{"Options.BaseURL"}},
		"a base URL with a query":      {apiKey, &coglex.Options{BaseURL: "https://example.com?x=1"}, []string{"Options.BaseURL"}},
		"a base URL with a fragment":   {apiKey, &coglex.Options{BaseURL: "https://example.com#x"}, []string{"Options.BaseURL"}},
		"a base URL with a password":   {apiKey, &coglex.Options{BaseURL: "https://a:short-secret@example.com"}, []string{"Options.BaseURL"}},
		"a base URL that is no URL":    {apiKey, &coglex.Options{BaseURL: "https://exa mple.com"}, []string{"Options.BaseURL"}},
		"a negative drain timeout":     {apiKey, &coglex.Options{DrainTimeout: -time.Second}, []string{"Options.DrainTimeout", "-1s"}},
		"four mistakes, all told":      {"short-secret", &coglex.Options{Users: nobody, BaseURL: "x", DrainTimeout: -1}, []string{"SERVER_SECRET", "Users", "BaseURL", "DrainTimeout"}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, err := coglex.New(row.key, row.opts)
			if err == nil || app != nil {
				t.Fatal("want an error and no App")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %v, want it to name %s", err, want)
				}
			}
			if strings.Contains(err.Error(), "short-secret") || strings.Contains(err.Error(), apiKey) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestNewTakesACopyOfTheOptions(t *testing.T) {
	t.Parallel()
	opts := &coglex.Options{OldKeys: []string{strings.Repeat("o", 40)}, BaseURL: "https://api.example.com/"}
	app := newApp(t, opts)
	opts.BaseURL, opts.OldKeys[0] = "https://evil.example.com", "changed"
	s := &fake{name: "one"}
	if err := app.Add(s); err != nil {
		t.Fatal(err)
	}
	if got := s.host(t).BaseURL; got != "https://api.example.com" {
		t.Errorf("base URL = %q, want the first, without its slash", got)
	}
}

func TestAppGuards(t *testing.T) {
	t.Parallel()
	app := newApp(t, &coglex.Options{Users: new(people), OldKeys: []string{strings.Repeat("o", 40)}})
	without := newApp(t, nil)
	scoped := newApp(t, &coglex.Options{Keys: new(anyKey)})
	ok := func(c echo.Context) error { return c.String(200, "ok") }
	e := newEcho()
	e.GET("/key", ok, app.Protected())
	e.GET("/user", ok, app.Authenticated())
	e.GET("/staff", ok, app.Authenticated("staff"))
	e.GET("/maybe", ok, app.Identified())
	e.GET("/nobody", ok, without.Authenticated())
	e.GET("/nobody/maybe", ok, without.Identified())
	e.GET("/scoped", ok, scoped.Protected("one:read"))
	e.GET("/forbidden", ok, scoped.Protected("one:write"))
	rows := map[string]struct {
		path    string
		headers []string
		want    int
	}{
		"the key":                       {"/key", nil, 200},
		"an old key":                    {"/key", []string{"X-API-Key", strings.Repeat("o", 40)}, 200},
		"a wrong key":                   {"/key", []string{"X-API-Key", strings.Repeat("x", 40)}, 401},
		"a user":                        {"/user", []string{"Authorization", "Bearer ann"}, 200},
		"the key is no user":            {"/user", nil, 401},
		"a user of another collection":  {"/staff", []string{"Authorization", "Bearer ann"}, 401},
		"nobody, where that is fine":    {"/maybe", nil, 200},
		"a bad token, where none is":    {"/maybe", []string{"Authorization", "Bearer bad"}, 401},
		"a user without Options.Users":  {"/nobody", []string{"Authorization", "Bearer ann"}, 401},
		"nobody without Options.Users":  {"/nobody/maybe", nil, 200},
		"a token without Options.Users": {"/nobody/maybe", []string{"Authorization", "Bearer ann"}, 401},
		"a scope that was granted":      {"/scoped", nil, 200},
		"a scope that was not":          {"/forbidden", nil, 403},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rec := send(e, "GET", row.path, row.headers...); rec.Code != row.want {
				t.Errorf("GET %s = %d, want %d", row.path, rec.Code, row.want)
			}
		})
	}
}

// trouble is a verifier and an Authenticator that cannot tell.
type trouble struct{ people }

func (*trouble) VerifyKey(context.Context, string) ([]string, error) { return nil, errBroken }
func (*trouble) Authenticate(context.Context, middleware.Credential) (middleware.Identity, error) {
	return nil, errBroken
}

func TestAppGuardsLogWithItsLogger(t *testing.T) {
	t.Parallel()
	log := newLines()
	app := newApp(t, &coglex.Options{Keys: new(trouble), Users: new(trouble), Logger: log.logger()})
	e := newEcho()
	ok := func(c echo.Context) error { return c.String(200, "ok") }
	e.GET("/key", ok, app.Protected())
	e.GET("/user", ok, app.Authenticated())
	for _, path := range []string{"/key", "/user"} {
		if rec := send(e, "GET", path, "Authorization", "Bearer ann"); rec.Code != 500 {
			t.Errorf("GET %s = %d, want 500", path, rec.Code)
		}
		if line := log.next("request failed"); line["error"] != errBroken.Error() || line["route"] != path {
			t.Errorf("log = %v, want the cause", line)
		}
	}
}
