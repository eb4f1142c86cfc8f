package token_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/internal/token"
)

const issuer = "https://example.com"

var (
	accessKey = token.Derive(secret, "coglex/auth/access/v1")
	now       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alice     = token.Claims{
		Issuer: issuer, Subject: "65f0c0ffee65f0c0ffee65f0", Session: "s1", Collection: "_USERS", ID: "j1",
		Kind: token.Access, IssuedAt: now, Expires: now.Add(time.Hour),
	}
)

func signer(tb testing.TB, keys ...[]byte) *token.Signer {
	tb.Helper()
	s, err := token.NewSigner(issuer, keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func sign(tb testing.TB, s *token.Signer, c token.Claims) string {
	tb.Helper()
	text, err := s.Sign(c)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// with returns the claims of alice, changed.
func with(change func(*token.Claims)) token.Claims {
	c := alice
	change(&c)
	return c
}

func TestSignedVerifies(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	for _, kind := range []token.Kind{token.Access, token.Cookie} {
		want := with(func(c *token.Claims) { c.Kind = kind })
		// What Sign drops and fills in, in a zone of its own.
		in := want
		in.Issuer = ""
		in.IssuedAt = now.Add(999 * time.Millisecond).In(time.FixedZone("", 3600))
		got, err := s.Verify(sign(t, s, in), kind, now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// Whoever has the key reads our tokens by the library alone, and ours reads what
// the library wrote of the same claims.
func TestTokensAreJSONWebTokens(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	var theirs jwt.MapClaims
	key := func(*jwt.Token) (any, error) { return accessKey, nil }
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(func() time.Time { return now }))
	if _, err := parser.ParseWithClaims(sign(t, s, alice), &theirs, key); err != nil {
		t.Fatal(err)
	}
	want := jwt.MapClaims{
		"iss": issuer, "sub": alice.Subject, "sid": "s1", "col": "_USERS", "typ": "access", "jti": "j1",
		"iat": float64(now.Unix()), "exp": float64(now.Add(time.Hour).Unix()),
	}
	if diff := cmp.Diff(want, theirs); diff != "" {
		t.Errorf("what is in a token: %s", diff)
	}

	want["iat"], want["exp"] = now.Unix(), now.Add(time.Hour).Unix()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, want).SignedString(accessKey)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Verify(text, token.Access, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alice, got); diff != "" {
		t.Error(diff)
	}
}

// The library escapes for HTML; what comes out is what went in.
func TestTextIsKept(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	want := with(func(c *token.Claims) { c.Collection = "<R&D> \u2028\u2029 \"日本\" \\ \x00" })
	if got, err := s.Verify(sign(t, s, want), token.Access, now); err != nil || got != want {
		t.Errorf("Verify: %+v, %v", got, err)
	}
}

func TestOldKeysVerifyAndDoNotSign(t *testing.T) {
	t.Parallel()
	fresh := token.Derive(secret, "another")
	before, during, after := signer(t, accessKey), signer(t, fresh, accessKey), signer(t, fresh)
	old := sign(t, before, alice)
	if _, err := during.Verify(old, token.Access, now); err != nil {
		t.Errorf("an old token while both keys are known: %v", err)
	}
	if _, err := after.Verify(sign(t, during, alice), token.Access, now); err != nil {
		t.Errorf("a new token: %v", err)
	}
	if _, err := after.Verify(old, token.Access, now); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("an old token when its key is gone: %v", err)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	text := sign(t, s, alice)
	for name, tc := range map[string]struct {
		at   time.Time
		want error
	}{
		"at once":                       {now, nil},
		"a second before the end":       {alice.Expires.Add(-time.Second), nil},
		"a nanosecond before the end":   {alice.Expires.Add(-1), nil},
		"at the end":                    {alice.Expires, token.ErrExpired},
		"a second after the end":        {alice.Expires.Add(time.Second), token.ErrExpired},
		"years after the end":           {alice.Expires.AddDate(10, 0, 0), token.ErrExpired},
		"by a clock a minute behind":    {now.Add(-time.Minute), nil},
		"by a clock further behind":     {now.Add(-time.Minute - time.Second), token.ErrInvalid},
		"in another zone, at the end":   {alice.Expires.In(time.FixedZone("", -5*3600)), token.ErrExpired},
		"in another zone, before it":    {alice.Expires.Add(-1).In(time.FixedZone("", 9*3600)), nil},
		"at the zero time, as a defect": {time.Time{}, token.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.Verify(text, token.Access, tc.at)
			if !errors.Is(err, tc.want) {
				t.Fatalf("Verify: %v, want %v", err, tc.want)
			}
			want := alice // those of an old one too, to sign out with
			if errors.Is(err, token.ErrInvalid) {
				want = token.Claims{}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	s := signer(t, accessKey)
	for name, change := range map[string]func(*token.Claims){
		"no subject":                func(c *token.Claims) { c.Subject = "" },
		"no session":                func(c *token.Claims) { c.Session = "" },
		"no collection":             func(c *token.Claims) { c.Collection = "" },
		"no id":                     func(c *token.Claims) { c.ID = "" },
		"no kind":                   func(c *token.Claims) { c.Kind = "" },
		"an unknown kind":           func(c *token.Claims) { c.Kind = "refresh" },
		"no time of issue":          func(c *token.Claims) { c.IssuedAt = time.Time{} },
		"no end":                    func(c *token.Claims) { c.Expires = time.Time{} },
		"an end at the issue":       func(c *token.Claims) { c.Expires = c.IssuedAt },
		"text that is not UTF-8":    func(c *token.Claims) { c.Subject = "\xff" },
		"more than a token can say": func(c *token.Claims) { c.Subject = strings.Repeat("x", 2048) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text, err := s.Sign(with(change)); err == nil {
				t.Errorf("Sign: %q", text)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	s := signer(b, accessKey)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Sign(alice); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s := signer(b, accessKey)
	text := sign(b, s, alice)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(text, token.Access, now); err != nil {
			b.Fatal(err)
		}
	}
}

// What the library takes for the same token with claims of its own.
func BenchmarkVerifyByGolangJWT(b *testing.B) {
	text := sign(b, signer(b, accessKey), alice)
	key := func(*jwt.Token) (any, error) { return accessKey, nil }
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(func() time.Time { return now }))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parser.ParseWithClaims(text, &jwt.RegisteredClaims{}, key); err != nil {
			b.Fatal(err)
		}
	}
}
