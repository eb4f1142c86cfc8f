package token

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Kind is what a token may be used as, its "typ" claim.
type Kind string

// The kinds: sent as a bearer token, or kept by a browser as a cookie.
const (
	Access Kind = "access"
	Cookie Kind = "cookie"
)

// header begins every token: {"alg":"HS256","typ":"JWT"}, as the library writes
// it. Nothing else that a header may say (crit, kid, jwk, b64 …) is looked at.
const header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."

// Claims is what a token says. It holds nothing about the person.
type Claims struct {
	// Issuer is the signer's; Sign fills it in.
	Issuer string
	// Subject is the user's id, Session the session's, both as text.
	Subject, Session string
	// Collection is where the user lives.
	Collection string
	// ID is the token's own.
	ID string
	// Kind is what it may be used as.
	Kind Kind
	// IssuedAt and Expires have whole seconds.
	IssuedAt, Expires time.Time
}

// Signer signs and verifies tokens by HMAC-SHA256, and by nothing else. It is
// safe for concurrent use.
type Signer struct {
	issuer string
	key    []byte                 // signs
	keys   jwt.VerificationKeySet // verify
}

// NewSigner returns a signer for an issuer. The first key signs, all of them
// verify, so that a key can be replaced without an outage. It fails without an
// issuer, without a key, and for one that is shorter than MinKeyBytes.
func NewSigner(issuer string, keys ...[]byte) (*Signer, error) {
	if issuer == "" {
		return nil, errors.New("token: an issuer is needed")
	}
	ring, err := newKeyring(keys)
	if err != nil {
		return nil, err
	}
	s := &Signer{issuer: issuer, key: ring[0]}
	for _, key := range ring {
		s.keys.Keys = append(s.keys.Keys, key)
	}
	return s, nil
}

// Sign returns the token of the claims, in which the issuer is the signer's and
// fractions of a second are dropped. It fails for claims that Verify would
// refuse at the time of issue, and where the token would pass 2 KiB.
func (s *Signer) Sign(c Claims) (string, error) {
	p := &payload{
		Issuer: s.issuer, Subject: c.Subject, Session: c.Session, Collection: c.Collection,
		Kind: c.Kind, ID: c.ID, IssuedAt: c.IssuedAt.Unix(), Expires: c.Expires.Unix(),
	}
	if err := p.Validate(); err != nil {
		return "", err
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, p).SignedString(s.key)
	if err != nil {
		return "", errors.New("token: a claim is not valid UTF-8")
	}
	if len(token) > maxBytes {
		return "", fmt.Errorf("token: longer than %d bytes", maxBytes)
	}
	return token, nil
}

// Verify returns the claims of a token of a kind that this signer, or one with
// the same keys and issuer, has signed. Every claim has to be there, with its
// type and nothing beside. It returns ErrExpired, with the claims, for a token
// that ends now or ended before and is genuine otherwise, so that one can sign
// out with it; ErrInvalid for all else, without a reason.
func (s *Signer) Verify(token string, kind Kind, now time.Time) (Claims, error) {
	p, err := s.parse(token, now)
	expired := errors.Is(err, jwt.ErrTokenExpired)
	if expired { // and maybe wrong in another way too: was it good when it was issued?
		p, err = s.parse(token, time.Unix(p.IssuedAt, 0))
	}
	switch {
	case err != nil || p.Kind != kind:
		return Claims{}, ErrInvalid
	case expired:
		return p.claims(), ErrExpired
	}
	return p.claims(), nil
}

// parse reads a token as of a time. The library's decoder skips line breaks, which
// would be a second spelling. Our header and Validate leave nothing to do for
// WithValidMethods and WithExpirationRequired; they are there should these change.
func (s *Signer) parse(token string, at time.Time) (*payload, error) {
	if len(token) > maxBytes || !strings.HasPrefix(token, header) || strings.ContainsAny(token, "\r\n") {
		return nil, ErrInvalid
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(s.issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithTimeFunc(func() time.Time { return at }),
	)
	p := new(payload)
	_, err := parser.ParseWithClaims(token, p, func(*jwt.Token) (any, error) { return s.keys, nil })
	return p, err
}
