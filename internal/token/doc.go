// Package token makes and reads the signed texts that say who is calling: the
// access token and the cookie, which are JSON Web Tokens (RFC 7519), and the
// refresh token.
//
// Every kind has keys of its own ([Derive]), so that one can never pass for
// another, and the API key signs nothing. Web tokens are signed and verified by
// golang-jwt, which decodes one before it checks the MAC; so this package bounds
// the length and the header first. Of a refresh token nothing is read before its
// MAC is checked. What is read is held to exactly what this package writes, and
// nothing but the kind of failure comes out.
package token
