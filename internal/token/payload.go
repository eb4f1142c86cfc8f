package token

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
)

// leeway is how far the clocks of two instances may be apart: a token from so
// far in the future is accepted. Expiry has none.
const leeway = time.Minute

// payload is the claims on the wire; times are seconds since 1970. It is a
// [jwt.ClaimsValidator].
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

// members is a payload without its methods.
type members payload

// MarshalJSON refuses text that is not UTF-8.
func (p *payload) MarshalJSON() ([]byte, error) { return json.Marshal((*members)(p)) }

// UnmarshalJSON refuses repeated and unknown names, names in another case, text
// that is not UTF-8, and what encoding/json would have escaped: signed again, that
// could be too long.
func (p *payload) UnmarshalJSON(data []byte) error {
	if bytes.ContainsAny(data, "<>&\u2028\u2029") {
		return errors.New("token: not escaped")
	}
	return json.Unmarshal(data, (*members)(p), json.RejectUnknownMembers(true))
}

// Validate reports claims that are missing or that no signer writes. The issuer is
// compared by the library.
func (p *payload) Validate() error {
	if p.Subject == "" || p.Session == "" || p.Collection == "" || p.ID == "" ||
		p.Kind != Access && p.Kind != Cookie || p.IssuedAt <= 0 || p.Expires <= p.IssuedAt {
		return fmt.Errorf("token: claims are missing or wrong in a token of kind %q", p.Kind)
	}
	return nil
}

// GetIssuedAt is earlier than what the token says, by the leeway: the library's own
// would prolong the token as well.
func (p *payload) GetIssuedAt() (*jwt.NumericDate, error) {
	return &jwt.NumericDate{Time: time.Unix(p.IssuedAt, 0).Add(-leeway)}, nil
}

// GetExpirationTime does without jwt.NewNumericDate, whose precision a host can
// change.
func (p *payload) GetExpirationTime() (*jwt.NumericDate, error) {
	return &jwt.NumericDate{Time: time.Unix(p.Expires, 0)}, nil
}

func (p *payload) GetIssuer() (string, error)              { return p.Issuer, nil }
func (p *payload) GetSubject() (string, error)             { return p.Subject, nil }
func (p *payload) GetAudience() (jwt.ClaimStrings, error)  { return nil, nil }
func (p *payload) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }

func (p *payload) claims() Claims {
	return Claims{
		Issuer: p.Issuer, Subject: p.Subject, Session: p.Session, Collection: p.Collection, ID: p.ID, Kind: p.Kind,
		IssuedAt: time.Unix(p.IssuedAt, 0).UTC(), Expires: time.Unix(p.Expires, 0).UTC(),
	}
}
