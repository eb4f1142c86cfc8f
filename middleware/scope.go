package middleware

import "context"

type scopesKey struct{}

// WithScopes returns a context that carries the scopes which the caller's API key
// was granted. [Protected] puts them into the request's context; tests do by this.
func WithScopes(ctx context.Context, scopes ...string) context.Context {
	return context.WithValue(ctx, scopesKey{}, scopes)
}

// Granted reports whether the caller's API key was granted the scope, exactly, by
// "name:*" or by [AllScopes], and whether there is a key at all. Without one, as at
// a handler that only Authenticated guards, nothing was granted.
func Granted(ctx context.Context, scope string) (granted, keyed bool) {
	scopes, keyed := ctx.Value(scopesKey{}).([]string)
	return keyed && grants(scopes, scope), keyed
}
