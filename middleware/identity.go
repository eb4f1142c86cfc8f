package middleware

import "context"

// Identity is a signed-in user, as far as every service needs to know one.
type Identity interface {
	// UserID returns the user's _id in its text form.
	UserID() string
	// Collection returns the collection that the user lives in.
	Collection() string
	// SessionID returns the id of the session the request belongs to.
	SessionID() string
}

type identityKey struct{}

// NewContext returns a context that carries the identity.
func NewContext(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// FromContext returns the identity of the caller, and whether there is one.
func FromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(Identity)
	return id, ok
}
