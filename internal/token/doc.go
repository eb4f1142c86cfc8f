// Package token makes and reads the signed texts that say who is calling: the
// access token and the cookie, which are JSON Web Tokens (RFC 7519), and the
// refresh token.
//
// Every kind has keys of its own ([Derive]), so that one can never pass for
// another, and the API key signs nothing. Whatever is presented, its MAC is
// checked before a byte of it is read; what is read is then held to exactly
// what this package writes. Nothing but the kind of failure comes out.
package token
