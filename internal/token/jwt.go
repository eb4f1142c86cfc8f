package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Kind is what a token may be used as, its "typ" claim.
type Kind string

// The kinds: sent as a bearer token, or kept by a browser as a cookie.
const (
	Access Kind = "access"
	Cookie Kind = "cookie"
)

// leeway is how far the clocks of two instances may be apart: a token from so
// far in the future is accepted. Expiry has none.
const leeway = time.Minute

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
	ring   keyring
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
	return &Signer{issuer: issuer, ring: ring}, nil
}

// header is the JOSE header (RFC 7515). Others that a header may have (crit, kid,
// jwk, b64 …) are refused.
type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
}

var hs256 = header{Algorithm: "HS256", Type: "JWT"}

// payload is the claims on the wire; times are seconds since 1970.
type payload struct {
	Issuer     string `json:"iss"`
	Subject    string `json:"sub"`
	Session    string `json:"sid"`
	Collection string `json:"col"`
	Kind       Kind   `json:"typ"`
	ID         string `json:"jti"`
	IssuedAt   int64  `json:"iat"`
	Expires    int64  `json:"exp"`
}

// Sign returns the token of the claims, in which the issuer is the signer's and
// fractions of a second are dropped. It fails for claims that Verify would
// refuse at the time of issue, and where the token would pass 2 KiB.
func (s *Signer) Sign(c Claims) (string, error) {
	p := payload{
		Issuer: s.issuer, Subject: c.Subject, Session: c.Session, Collection: c.Collection,
		Kind: c.Kind, ID: c.ID, IssuedAt: c.IssuedAt.Unix(), Expires: c.Expires.Unix(),
	}
	if !p.complete() || c.Kind != Access && c.Kind != Cookie {
		return "", fmt.Errorf("token: claims are missing or wrong in a token of kind %q", c.Kind)
	}
	head, err := encode(hs256)
	if err != nil {
		return "", err
	}
	body, err := encode(p)
	if err != nil {
		return "", err
	}
	return s.ring.seal(head + "." + body)
}

// Verify returns the claims of a token of a kind that this signer, or one with
// the same keys and issuer, has signed. Every claim has to be there, with its
// type and nothing beside. It returns ErrExpired, with the claims, for a token
// that ends now or ended before and is genuine otherwise, so that one can sign
// out with it; ErrInvalid for all else, without a reason.
func (s *Signer) Verify(token string, kind Kind, now time.Time) (Claims, error) {
	text, ok := s.ring.open(token)
	if !ok {
		return Claims{}, ErrInvalid
	}
	head, body, _ := strings.Cut(text, ".")
	var h header
	var p payload
	if unmarshal(head, &h) != nil || h != hs256 || unmarshal(body, &p) != nil {
		return Claims{}, ErrInvalid
	}
	c := p.claims()
	if !p.complete() || c.Issuer != s.issuer || c.Kind != kind || c.IssuedAt.After(now.Add(leeway)) {
		return Claims{}, ErrInvalid
	}
	if !now.Before(c.Expires) {
		return c, ErrExpired
	}
	return c, nil
}

// complete reports whether every claim is there.
func (p *payload) complete() bool {
	return p.Issuer != "" && p.Subject != "" && p.Session != "" && p.Collection != "" && p.ID != "" && p.Kind != "" &&
		p.IssuedAt > 0 && p.Expires > p.IssuedAt
}

func (p *payload) claims() Claims {
	return Claims{
		Issuer: p.Issuer, Subject: p.Subject, Session: p.Session, Collection: p.Collection, ID: p.ID, Kind: p.Kind,
		IssuedAt: time.Unix(p.IssuedAt, 0).UTC(), Expires: time.Unix(p.Expires, 0).UTC(),
	}
}

func encode(part any) (string, error) {
	data, err := json.Marshal(part)
	if err != nil {
		return "", errors.New("token: a claim is not valid UTF-8")
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

// unmarshal reads a part of a token. It refuses repeated and unknown names,
// names in another case, and text that is not UTF-8.
func unmarshal(text string, part any) error {
	data, err := decode(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, part, json.RejectUnknownMembers(true))
}
