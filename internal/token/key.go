package token

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MinKeyBytes is the least length of a key, and of a secret that keys are
// derived from: that of the hash (RFC 7518, section 3.2).
const MinKeyBytes = sha256.Size

// maxBytes bounds every token. Cookies may have 4096 bytes in all (RFC 6265).
const maxBytes = 2048

// What is wrong with a presented token.
var (
	// ErrInvalid is every token that is not ours or not for this purpose.
	ErrInvalid = errors.New("token: invalid")
	// ErrExpired is a genuine token that is too old.
	ErrExpired = errors.New("token: expired")
)

// Derive returns a key of 32 bytes for one purpose, by HKDF-SHA256 (RFC 5869).
// The label names purpose and version: "coglex/auth/access/v1". Who learns the
// key learns neither the secret nor the key of another label. A secret under
// MinKeyBytes gives nil, which the constructors refuse.
func Derive(secret []byte, label string) []byte {
	if len(secret) < MinKeyBytes {
		return nil
	}
	key, err := hkdf.Key(sha256.New, secret, nil, label, sha256.Size)
	if err != nil {
		return nil
	}
	return key
}

// keyring signs with its first key and verifies with all.
type keyring [][]byte

func newKeyring(keys [][]byte) (keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("token: a key is needed")
	}
	ring := make(keyring, len(keys))
	for i, key := range keys {
		if len(key) < MinKeyBytes {
			return nil, fmt.Errorf("token: key %d of %d has %d bytes, and needs %d or more", i+1, len(keys), len(key), MinKeyBytes)
		}
		ring[i] = slices.Clone(key)
	}
	return ring, nil
}

// seal appends the MAC of a text, as a JSON Web Signature does (RFC 7515).
func (r keyring) seal(text string) (string, error) {
	sealed := text + "." + mac(r[0], text)
	if len(sealed) > maxBytes {
		return "", fmt.Errorf("token: longer than %d bytes", maxBytes)
	}
	return sealed, nil
}

// open returns the text that one of the keys has sealed. It compares encoded
// MACs, of which there is one each, so that no second spelling passes.
func (r keyring) open(sealed string) (text string, ok bool) {
	dot := strings.LastIndexByte(sealed, '.')
	if dot < 0 || len(sealed) > maxBytes {
		return "", false
	}
	text, presented := sealed[:dot], []byte(sealed[dot+1:])
	for _, key := range r {
		if hmac.Equal(presented, []byte(mac(key, text))) {
			return text, true
		}
	}
	return "", false
}

func mac(key []byte, text string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// decode reads base64url without padding, in its one spelling: Go's decoder would
// skip line breaks.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, ErrInvalid
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}
