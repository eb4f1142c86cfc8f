// Package e2e tests whole gateways from outside: programs that are built and
// started, and talk HTTP. Of the library its tests use only what stands in for
// others: places for bytes and their tests, the vendors' doubles; and where one
// function is called in three ways, the services side by side. It is a module of
// its own for the sake of heavy test servers, such as Stripe's own mock.
package e2e
