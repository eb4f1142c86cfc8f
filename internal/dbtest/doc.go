// Package dbtest gives each test a database of its own on a real server over a
// real connection: the server that COGLEX_TEST_MONGODB_URI names, else the
// embedded one, built from this repository and run as a child process, so that
// the library's module does not require it.
package dbtest
