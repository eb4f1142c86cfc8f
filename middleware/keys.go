package middleware

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
)

// MinKeyBytes is the least length of an API key. Thirty-two bytes of a random
// text are beyond guessing.
const MinKeyBytes = 32

// AllScopes is the scope that grants every other one.
const AllScopes = "*"

// ErrUnknownKey is what a [KeyVerifier] returns for a key that is not, or no
// longer, valid.
var ErrUnknownKey = errors.New("middleware: unknown API key")

// KeyVerifier decides about API keys. It must be safe for concurrent use and
// take the same time for every wrong key.
type KeyVerifier interface {
	// VerifyKey returns the scopes granted to a presented key: exact ones such
	// as "storage:read", "storage:*", or AllScopes. It returns ErrUnknownKey for
	// a wrong key; any other error means that it could not tell.
	VerifyKey(ctx context.Context, presented string) (scopes []string, err error)
}

// Keys is a [KeyVerifier] for a few keys that may do everything.
type Keys struct {
	sums   [][sha256.Size]byte
	scopes []string // shared by all answers, which nobody may change
}

var _ KeyVerifier = (*Keys)(nil)

// NewKeys returns a verifier of the given keys. To replace a key without an
// outage, give both for a while. It fails without a key, for one that is shorter
// than MinKeyBytes, and for one that no request could present because a header
// cannot carry it; all mistakes are returned at once. It keeps hashes only.
func NewKeys(keys ...string) (*Keys, error) {
	if len(keys) == 0 {
		return nil, errors.New("middleware: an API key is needed")
	}
	var errs []error
	k := &Keys{sums: make([][sha256.Size]byte, len(keys)), scopes: []string{AllScopes}}
	for i, key := range keys {
		if err := checkShape(key); err != nil {
			errs = append(errs, fmt.Errorf("middleware: API key %d of %d %w", i+1, len(keys), err))
		}
		k.sums[i] = sha256.Sum256([]byte(key))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return k, nil
}

// checkShape says what is wrong with a key, without repeating it.
func checkShape(key string) error {
	if len(key) < MinKeyBytes {
		return fmt.Errorf("has %d bytes, and needs %d or more", len(key), MinKeyBytes)
	}
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	if strings.TrimSpace(key) != key || strings.ContainsFunc(key, control) {
		return errors.New("begins or ends with white space or has a control character, which no header can carry")
	}
	return nil
}

// VerifyKey compares the presented key with every known one, in constant time.
func (k *Keys) VerifyKey(_ context.Context, presented string) ([]string, error) {
	sum := sha256.Sum256([]byte(presented))
	found := 0
	for i := range k.sums {
		found |= subtle.ConstantTimeCompare(sum[:], k.sums[i][:])
	}
	if found == 0 {
		return nil, ErrUnknownKey
	}
	return k.scopes, nil
}
