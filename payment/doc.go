// Package payment takes money through Stripe, and reacts to what Stripe reports:
// each webhook is stored before it is answered, and handled once.
package payment
