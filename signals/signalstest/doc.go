// Package signalstest helps to test what publishes events, and what subscribes to
// them.
//
//	bus := signalstest.NewBus(t)
//	recorder := signalstest.Record[auth.SignedUp](t, bus)
//	// … sign up …
//	recorder.ExpectExactly(func(e auth.SignedUp) bool { return e.User.Key == "ada@example.com" })
//
// Expectations look at what has been recorded so far and never wait. That is enough
// for synchronous publishers; for others, close the bus or call synctest.Wait first.
package signalstest
