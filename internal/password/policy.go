package password

import (
	"strings"
	"unicode/utf8"
)

// Bounds of a new password, in bytes. Bcrypt reads no further than MaxBytes, so
// a longer one would be open to everyone who knows its beginning.
const (
	MinBytes = 8
	MaxBytes = 72
)

// Reason says what a password lacks.
type Reason string

// What a password may lack.
const (
	TooShort Reason = "too_short" // under MinBytes
	TooLong  Reason = "too_long"  // over MaxBytes
	NotUTF8  Reason = "not_utf8"
	HasNUL   Reason = "has_nul" // some implementations of bcrypt stop there
)

// WeakError refuses a password. It never holds the password.
type WeakError struct {
	// Reasons are all that is wrong, at least one.
	Reasons []Reason
}

// Error lists the reasons.
func (e *WeakError) Error() string {
	words := make([]string, len(e.Reasons))
	for i, r := range e.Reasons {
		words[i] = string(r)
	}
	return "password: refused: " + strings.Join(words, ", ")
}

// Check returns a *WeakError for what may not become a password: fewer than
// MinBytes or more than MaxBytes bytes, invalid UTF-8, or a NUL. It is for new
// passwords only; those of before the rules are verified as they are.
func Check(password string) error {
	var reasons []Reason
	if len(password) < MinBytes {
		reasons = append(reasons, TooShort)
	}
	if len(password) > MaxBytes {
		reasons = append(reasons, TooLong)
	}
	if !utf8.ValidString(password) {
		reasons = append(reasons, NotUTF8)
	}
	if strings.Contains(password, "\x00") {
		reasons = append(reasons, HasNUL)
	}
	if len(reasons) == 0 {
		return nil
	}
	return &WeakError{Reasons: reasons}
}
