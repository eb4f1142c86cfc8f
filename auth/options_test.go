package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
)

func TestNewTellsAllMistakes(t *testing.T) {
	t.Parallel()
	_, err := auth.New(nil, "short", &auth.Options{
		Collections:    []string{"a.b", "users", "users", auth.LimitsCollection, "$x", ""},
		Settable:       []string{"name", "_role", "a.b", "$set", ""},
		SigningKey:     "short",
		OldSigningKeys: []string{"short"},
		AccessLifetime: -1, SessionLifetime: -1, MaxSessions: -1, Cost: 3, HashPlaces: -1, HashWait: -1, AddressAtOnce: -1,
		Limiter: &recorder{}, NoLimits: true,
		AddressLimit:   middleware.Policy{Burst: 1},
		PairLimit:      middleware.Policy{Burst: 1, Window: time.Second, MinDelay: 2, MaxDelay: 1},
		AccountLimit:   middleware.Policy{Burst: 1, Window: time.Second, MinDelay: 1, MaxDelay: time.Minute},
		SweepInterval:  -1,
		TrustedOrigins: []string{"app.example.com", "https://app.example.com/path"},
		BaseURL:        "api.example.com",
		Timeout:        -1,
	})
	if err == nil {
		t.Fatal("New took it")
	}
	for _, want := range []string{
		"database is nil", "SERVER_SECRET",
		`Collections[0] is "a.b"`, "Collections[2] repeats", "Collections[3]", "Collections[4]", "Collections[5]",
		"Settable[1]", "Settable[2]", "Settable[3]", "Settable[4]",
		"JWT_SECRET_KEY", "OldSigningKeys[0]", "AccessLifetime", "SessionLifetime", "MaxSessions", "Cost", "HashPlaces", "HashWait",
		"NoLimits", "AddressAtOnce", "AddressLimit", "PairLimit", "AccountLimit", "SweepInterval", "TrustedOrigins[0]", "TrustedOrigins[1]", "BaseURL", "Timeout",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "short") {
		t.Errorf("the error shows a secret:\n%v", err)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	other := strings.Repeat("k", 32)
	for _, test := range []struct {
		name, secret string
		opts         auth.Options
		ok           bool
	}{
		{"32 bytes", strings.Repeat("s", 32), auth.Options{}, true},
		{"31 bytes", strings.Repeat("s", 31), auth.Options{}, false},
		{"none", "", auth.Options{}, false},
		{"signing key", secret, auth.Options{SigningKey: other, OldSigningKeys: []string{other + "1"}}, true},
		{"signing key is the secret", secret, auth.Options{SigningKey: secret}, false},
		{"old signing key is the secret", secret, auth.Options{OldSigningKeys: []string{secret}}, false},
		{"signing key too short", secret, auth.Options{SigningKey: other[1:]}, false},
	} {
		if _, err := auth.New(db, test.secret, &test.opts); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// What the caller does with the options afterwards is of no effect.
func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	o := fast()
	o.Collections, o.Settable = []string{"users"}, []string{"name"}
	g := newGateway(t, o)
	users, err := auth.New(g.db, secret, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Collections[0], o.Settable[0] = "posts", "role"
	if got := users.Collections()[0].Collection; got != "users" {
		t.Errorf("Collections()[0] = %q", got)
	}
}
