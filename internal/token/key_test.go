package token_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/imadelakhaldev/coglex/internal/token"
)

// secret stands for an API key of 32 bytes.
var secret = []byte("an API key of exactly 32 letters")

func TestDerive(t *testing.T) {
	t.Parallel()
	key := token.Derive(secret, "coglex/auth/access/v1")
	// By hand: PRK = HMAC(32 zero bytes, secret), OKM = HMAC(PRK, label | 0x01).
	if got := hex.EncodeToString(key); got != "fe25db66ef83c88353af05242d4f462ddc6e8dde37204dd7efa5594045cf1583" {
		t.Errorf("Derive: %s", got)
	}
	if bytes.Equal(key, token.Derive(secret, "coglex/auth/cookie/v1")) {
		t.Error("two labels have one key")
	}
	if bytes.Contains(key, secret[:8]) {
		t.Error("the secret is in the key")
	}
}

// A short secret, or none because of a mistake in the settings, must not give a
// key that looks like any other.
func TestDeriveFromShortSecret(t *testing.T) {
	t.Parallel()
	for _, short := range [][]byte{nil, {}, secret[:31]} {
		key := token.Derive(short, "label")
		if key != nil {
			t.Errorf("Derive from %d bytes: %d bytes", len(short), len(key))
		}
		if _, err := token.NewSigner("https://example.com", key); err == nil {
			t.Error("NewSigner takes it")
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	good := token.Derive(secret, "good")
	for name, tc := range map[string]struct {
		keys [][]byte
		ok   bool
	}{
		"none":                     {nil, false},
		"one":                      {[][]byte{good}, true},
		"one of 31 bytes":          {[][]byte{good[:31]}, false},
		"an empty one behind good": {[][]byte{good, {}}, false},
		"several":                  {[][]byte{good, secret}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := token.NewSigner("https://example.com", tc.keys...); (err == nil) != tc.ok {
				t.Errorf("NewSigner: %v", err)
			}
			if _, err := token.NewRefresher(tc.keys...); (err == nil) != tc.ok {
				t.Errorf("NewRefresher: %v", err)
			}
		})
	}
}

func TestSignerNeedsIssuer(t *testing.T) {
	t.Parallel()
	if _, err := token.NewSigner("", secret); err == nil {
		t.Error("NewSigner without an issuer")
	}
}

// What the caller does with its key afterwards has no effect.
func TestKeysAreCopied(t *testing.T) {
	t.Parallel()
	key := bytes.Clone(secret)
	r, err := token.NewRefresher(key)
	if err != nil {
		t.Fatal(err)
	}
	before := mint(t, r, someRefresh)
	clear(key)
	if mint(t, r, someRefresh) != before {
		t.Error("the key changed under the refresher")
	}
}
