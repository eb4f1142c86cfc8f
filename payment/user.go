package payment

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imadelakhaldev/coglex/middleware"
)

// DefaultUsers is the collection of a user who names none.
const DefaultUsers = "_USERS"

// Bounds of a [User], so that Stripe's metadata can hold one.
const (
	maxUserID         = 256
	maxUserCollection = 120
)

// User names who pays: a user of package auth, or of whatever the gateway keeps its
// users in. The zero value is nobody.
type User struct {
	// ID is the user's _id as text, 256 bytes at most.
	ID string `json:"id"`
	// Collection is where the user lives, without a slash, 120 bytes at most. Defaults
	// to DefaultUsers.
	Collection string `json:"collection,omitempty"`
}

// UserFrom returns the signed-in user of a request's context, and whether there is
// one.
func UserFrom(ctx context.Context) (User, bool) {
	id, ok := middleware.FromContext(ctx)
	if !ok {
		return User{}, false
	}
	return User{ID: id.UserID(), Collection: id.Collection()}.normal(), true
}

// IsZero reports whether it is nobody.
func (u User) IsZero() bool { return u == User{} }

// normal returns the user with a collection.
func (u User) normal() User {
	if u.ID != "" {
		u.Collection = cmp.Or(u.Collection, DefaultUsers)
	}
	return u
}

// key is how the user is called in our records, and at Stripe.
func (u User) key() string {
	u = u.normal()
	return u.Collection + "/" + u.ID
}

// userOf is the inverse of key.
func userOf(key string) User {
	collection, id, _ := strings.Cut(key, "/")
	return User{ID: id, Collection: collection}
}

// check says what is wrong with a user who is not nobody, nil for nothing.
func (u User) check() error {
	switch u = u.normal(); {
	case u.ID == "":
		return errors.New("payment: the user has no id")
	case len(u.ID) > maxUserID || len(u.Collection) > maxUserCollection:
		return errors.New("payment: the user's id or collection is too long")
	case strings.Contains(u.Collection, "/") || !clean(u.ID) || !clean(u.Collection):
		return errors.New("payment: the user's id or collection has characters that it must not have")
	}
	return nil
}

// clean reports whether a text is UTF-8 without control characters.
func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
