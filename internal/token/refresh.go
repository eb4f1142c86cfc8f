package token

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Prefix begins every refresh token, so that scanners for leaked secrets know one.
const Prefix = "cgr_"

// version is the first byte of what a refresh token says. Another layout gets
// another one.
const version = 1

// Refresh is what a refresh token says: which session it continues, and how often
// that was continued before.
type Refresh struct {
	Collection, Subject, Session string
	Generation                   int64
}

// Refresher makes and reads refresh tokens. A token authenticates itself, so
// that nobody can end another's session with a made-up one. It is safe for
// concurrent use.
type Refresher struct{ ring keyring }

// NewRefresher returns a refresher whose first key signs and all of whose keys
// verify. It fails without a key, and for one that is shorter than MinKeyBytes.
func NewRefresher(keys ...[]byte) (*Refresher, error) {
	ring, err := newKeyring(keys)
	if err != nil {
		return nil, err
	}
	return &Refresher{ring: ring}, nil
}

// Mint returns the token, always the same one for the same contents and first
// key. It is safe in URLs, cookies and JSON. It fails for a text that is empty, a
// negative generation, and where the token would pass 2 KiB.
func (r *Refresher) Mint(t Refresh) (string, error) {
	if t.Collection == "" || t.Subject == "" || t.Session == "" || t.Generation < 0 {
		return "", errors.New("token: a refresh token without collection, subject, session or generation")
	}
	data := binary.BigEndian.AppendUint64([]byte{version}, uint64(t.Generation))
	for _, s := range []string{t.Collection, t.Subject, t.Session} {
		if len(s) > math.MaxUint16 {
			return "", fmt.Errorf("token: longer than %d bytes", maxBytes)
		}
		data = binary.BigEndian.AppendUint16(data, uint16(len(s))) //nolint:gosec // checked above
		data = append(data, s...)
	}
	return r.ring.seal(Prefix + base64.RawURLEncoding.EncodeToString(data))
}

// Parse returns what a token says that one of the keys has signed, and else
// ErrInvalid.
func (r *Refresher) Parse(token string) (Refresh, error) {
	text, ok := r.ring.open(token)
	if !ok {
		return Refresh{}, ErrInvalid
	}
	text, ok = strings.CutPrefix(text, Prefix)
	data, err := decode(text)
	if !ok || err != nil || len(data) < 9 || data[0] != version {
		return Refresh{}, ErrInvalid
	}
	t := Refresh{Generation: int64(binary.BigEndian.Uint64(data[1:9]))} //nolint:gosec // negative ones are refused
	rest := data[9:]
	for _, s := range []*string{&t.Collection, &t.Subject, &t.Session} {
		if *s, rest = cutText(rest); *s == "" {
			return Refresh{}, ErrInvalid
		}
	}
	if len(rest) > 0 || t.Generation < 0 {
		return Refresh{}, ErrInvalid
	}
	return t, nil
}

// cutText returns the text at the beginning of data, whose length stands before
// it, and what follows; an empty text where there is none.
func cutText(data []byte) (text string, rest []byte) {
	if len(data) < 2 {
		return "", nil
	}
	end := 2 + int(binary.BigEndian.Uint16(data))
	if len(data) < end {
		return "", nil
	}
	return string(data[2:end]), data[end:]
}
