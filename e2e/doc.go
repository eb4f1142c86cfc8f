// Package e2e tests whole gateways from outside: programs that are built and
// started, and talk HTTP. It imports nothing of the library.
package e2e
