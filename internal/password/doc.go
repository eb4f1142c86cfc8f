// Package password decides which new passwords are good enough, and makes and
// checks their bcrypt hashes through a gate, so that a crowd of sign-ins cannot
// take the machine.
//
// A sign-in must not tell whether an account exists. [Hasher.Verify] therefore
// does the same work whatever is stored: what is no bcrypt hash, the empty text
// of an unknown account included, is answered after the work of a hash of the
// configured cost.
package password
