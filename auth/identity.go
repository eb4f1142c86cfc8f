package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"
)

// maxKeyBytes is the length of the longest address of RFC 5321, section
// 4.5.3.1, and its "@".
const maxKeyBytes = 320

// isReservedKey reports whether a key is a segment of our own routes, those to
// come included, or what URL libraries remove from a path: a user of that name
// could not be reached.
func isReservedKey(key string) bool {
	switch strings.ToLower(key) {
	case "signup", "signin", "signout", "refresh", "session", "sessions", "users", "password",
		"verification", "recovery", "otp", "oauth", ".", "..":
		return true
	}
	return false
}

// identityOf returns the form of a key by which accounts are unique: trimmed,
// and in lower case where it looks like an e-mail address.
func identityOf(key string) string {
	key = strings.TrimSpace(key)
	if strings.Contains(key, "@") {
		return strings.ToLower(key)
	}
	return key
}

// unreachable returns the identity of a stored user whose _key is no key. It
// begins with a space, so that no key that anyone types is ever equal to it.
func unreachable(id bson.RawValue) string { return " " + subject(id) }

// storedIdentity returns the identity of a user that another program stored.
func storedIdentity(user bson.Raw) string {
	if key := user.Lookup("_key"); key.Type == bson.TypeString {
		if identity := identityOf(key.StringValue()); identity != "" {
			return identity
		}
	}
	return unreachable(user.Lookup("_id"))
}

// checkKey returns a new key as it is stored, or an error that says what is
// wrong with it.
func checkKey(key string) (string, error) {
	key = strings.TrimSpace(key)
	identity := identityOf(key)
	if key == "" || len(key) > maxKeyBytes || len(identity) > maxKeyBytes {
		return "", &KeyError{Reason: "must have 1 to 320 bytes"}
	}
	if !utf8.ValidString(key) || strings.ContainsFunc(key, isHidden) {
		return "", &KeyError{Reason: "must not have control or formatting characters"}
	}
	if isReservedKey(key) {
		return "", ErrKeyReserved
	}
	return key, nil
}

// isHidden reports whether a character shows nothing: a control character, or one
// that only joins, separates or turns others, so that two keys could look alike.
func isHidden(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }
