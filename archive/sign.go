package archive

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/imadelakhaldev/coglex/internal/token"
)

// The labels under which keys are derived from a secret: what is signed as a link
// can never pass for a ticket, or for anything that another service signs.
const (
	labelLink   = "coglex/archive/link/v1"
	labelTicket = "coglex/archive/ticket/v1"
)

// maxTokenBytes is how long a signed text may be.
const maxTokenBytes = 4096

// signer signs texts with its first key and verifies those of all. A token is
//
//	key id . payload . HMAC-SHA256 of both
//
// each in base64url, of which only this one spelling passes.
type signer struct{ keys []signingKey }

// signingKey is a key and what it is called by.
type signingKey struct {
	id  string
	key []byte
}

// newSigner returns a signer, or nil where there is no secret.
func newSigner(label, secret string, old []string) *signer {
	if secret == "" {
		return nil
	}
	s := &signer{}
	for _, secret := range append([]string{secret}, old...) {
		key := token.Derive([]byte(secret), label)
		// The id is the hash of a key that nobody can compute back to.
		sum := sha256.Sum256(append([]byte("id:"), key...))
		s.keys = append(s.keys, signingKey{id: hex.EncodeToString(sum[:4]), key: key})
	}
	return s
}

// sign returns the token of a payload.
func (s *signer) sign(payload any) (string, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("archive: signing: %w", err)
	}
	body := s.keys[0].id + "." + base64.RawURLEncoding.EncodeToString(text)
	signed := body + "." + s.keys[0].mac(body)
	if len(signed) > maxTokenBytes {
		return "", &OptionError{Field: "Name, Types and Metadata", Reason: "make the address too long"}
	}
	return signed, nil
}

// verify reads the payload of a token that one of the keys has signed, or returns
// errLinkInvalid. Nothing of a token is read before its signature holds, apart from
// the id of the key.
func (s *signer) verify(signed string, payload any) error {
	id, _, ok := strings.Cut(signed, ".")
	end := strings.LastIndexByte(signed, '.')
	if !ok || len(signed) > maxTokenBytes || end <= len(id) {
		return errLinkInvalid
	}
	for _, key := range s.keys {
		if key.id != id || !hmac.Equal([]byte(signed[end+1:]), []byte(key.mac(signed[:end]))) {
			continue
		}
		text, err := base64.RawURLEncoding.DecodeString(signed[len(id)+1 : end])
		if err == nil && json.Unmarshal(text, payload) == nil {
			return nil
		}
	}
	return errLinkInvalid
}

// mac returns the MAC of a text, encoded: these have one spelling each.
func (k signingKey) mac(text string) string {
	h := hmac.New(sha256.New, k.key)
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
