package payment

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// headerSignature is where Stripe's signature is: "t=1712000000,v1=5257a869…".
const headerSignature = "Stripe-Signature"

const (
	// maxSignatureBytes is how long the header may be. Stripe's has 150 bytes, and
	// 75 more for each further secret while they are being replaced.
	maxSignatureBytes = 4 << 10
	// maxSignatures is how many signatures it may have.
	maxSignatures = 16
	// maxTimestampDigits reaches to the year 5138.
	maxTimestampDigits = 11
)

// signature is what the header says. Other schemes than v1 are passed over, as
// Stripe asks for: v0 is for tests of theirs, and is no proof.
type signature struct {
	timestamp string // as it was signed
	signed    time.Time
	macs      [][]byte
}

// parseSignature reads the header, of which there must be one.
func parseSignature(h http.Header) (sig signature, err error) {
	values := h.Values(headerSignature)
	if len(values) != 1 || len(values[0]) > maxSignatureBytes {
		return sig, fmt.Errorf("%w: not one header of at most %d bytes", ErrSignature, maxSignatureBytes)
	}
	for item := range strings.SplitSeq(values[0], ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		switch name {
		case "t":
			if err := sig.setTimestamp(value); err != nil {
				return sig, err
			}
		case "v1":
			mac, err := hex.DecodeString(value)
			if err != nil || len(mac) != sha256.Size || len(sig.macs) == maxSignatures {
				return sig, fmt.Errorf("%w: a malformed signature, or more than %d", ErrSignature, maxSignatures)
			}
			sig.macs = append(sig.macs, mac)
		}
	}
	if sig.timestamp == "" || len(sig.macs) == 0 {
		return sig, fmt.Errorf("%w: no timestamp or no signature", ErrSignature)
	}
	return sig, nil
}

// setTimestamp sets the one timestamp.
func (sig *signature) setTimestamp(value string) error {
	seconds, err := strconv.ParseUint(value, 10, 63)
	if err != nil || sig.timestamp != "" || len(value) > maxTimestampDigits {
		return fmt.Errorf("%w: a malformed timestamp, or two", ErrSignature)
	}
	sig.timestamp, sig.signed = value, time.Unix(int64(seconds), 0)
	return nil
}

// verify returns nil if one of the secrets has signed the body within the
// tolerance. It works on the bytes as they came, before anything reads them.
//
// The SDK's own check accepts a signature from the future and one made with an empty
// secret, and takes one secret; so this is ours.
func (s *Service) verify(sig signature, body []byte) error {
	if !sig.genuine(s.secrets, body) {
		return fmt.Errorf("%w: no secret made it", ErrSignature)
	}
	if age := s.opts.Now().Sub(sig.signed).Abs(); age > s.opts.Tolerance {
		return fmt.Errorf("%w: by %s", ErrTolerance, age)
	}
	return nil
}

// genuine reports whether one of the secrets made one of the signatures. Every
// signature is compared with every secret's, each in constant time.
func (sig signature) genuine(secrets [][]byte, body []byte) bool {
	found := false
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(sig.timestamp + "."))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, got := range sig.macs {
			found = hmac.Equal(got, want) || found
		}
	}
	return found
}
