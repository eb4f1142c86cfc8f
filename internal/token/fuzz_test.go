package token_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/imadelakhaldev/coglex/internal/token"
)

// FuzzVerify gives any header and payload the right MAC, for what has none is
// refused at once. What is accepted then must be what Sign could have written.
func FuzzVerify(f *testing.F) {
	s := signer(f, accessKey)
	f.Fuzz(func(t *testing.T, header, payload string) {
		text := forge(header, payload, sha256.New, accessKey)
		c, err := s.Verify(text, token.Access, now)
		switch {
		case errors.Is(err, token.ErrInvalid):
			if c != (token.Claims{}) {
				t.Fatalf("Verify: %+v beside %v", c, err)
			}
			return
		case err != nil && !errors.Is(err, token.ErrExpired):
			t.Fatalf("Verify: %v", err)
		case errors.Is(err, token.ErrExpired) != !now.Before(c.Expires):
			t.Fatalf("Verify: %v for a token that ends at %s", err, c.Expires)
		}
		again, err2 := s.Verify(sign(t, s, c), token.Access, now)
		if again != c || !errors.Is(err2, err) {
			t.Fatalf("Verify: %+v, %v; signed again: %+v, %v", c, err, again, err2)
		}
		for what, text := range map[string]string{"unsealed": header + "." + payload, "under a foreign key": forge(header, payload, sha256.New, secret)} {
			if _, err := s.Verify(text, token.Access, now); !errors.Is(err, token.ErrInvalid) {
				t.Fatalf("Verify, %s: %v", what, err)
			}
		}
	})
}

// FuzzParse gives any content the right MAC. What is accepted must be, to the
// byte, what Mint writes.
func FuzzParse(f *testing.F) {
	r := refresher(f, refreshKey)
	f.Fuzz(func(t *testing.T, data []byte) {
		text := seal(token.Prefix+b64(string(data)), sha256.New, refreshKey)
		got, err := r.Parse(text)
		if err != nil {
			if !errors.Is(err, token.ErrInvalid) || got != (token.Refresh{}) {
				t.Fatalf("Parse: %+v, %v", got, err)
			}
			return
		}
		if again := mint(t, r, got); again != text {
			t.Fatalf("Parse: %+v, which is minted as %s", got, again)
		}
		if _, err := r.Parse(string(data)); !errors.Is(err, token.ErrInvalid) {
			t.Fatalf("Parse of the bare content: %v", err)
		}
	})
}
