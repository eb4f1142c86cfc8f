// Package signals is how the services of a gateway tell of what they do, and how
// the gateway has its say, without either knowing the other. The Go type of an event
// is its topic: whoever can name the type can subscribe to it.
//
// # Usage
//
// There are two kinds of event. A fact has happened: its struct embeds [Fact], has a
// name in the past tense, and travels by value. An intent is about to happen: it
// embeds [Intent], is a present participle, and travels by pointer, so that it can
// be changed or refused.
//
//	cancel := signals.Subscribe(bus, func(ctx context.Context, e auth.SignedUp) error { … })
//	signals.Intercept(bus, func(ctx context.Context, e *auth.SigningUp) error { … })
//
// The side that tells asks first, writes, and tells at the end:
//
//	if err := signals.Ask(ctx, bus, &SigningUp{…}); err != nil {
//		return err
//	}
//	// … the write, until it is durable …
//	signals.Announce(ctx, bus, SignedUp{…})
//
// A third kind, [Inbox], is a fact that must not be lost: see Loss.
//
// # Synchrony
//
// [Publish], [Ask] and [Deliver] call their subscribers in the caller's goroutine and
// return when the last has returned. A slow subscriber slows the request that caused
// the event; [Options].Slow makes the bus name it, [Async] takes it out of the way.
// Subscribers get the caller's context; none is skipped because that context is done.
//
// # Order
//
// Subscribers of one type run in order of subscription, one at a time per event; the
// taps follow. Events published concurrently are handled concurrently, in no order
// among them: a subscriber must be safe for concurrent use. An asynchronous one sees
// one event at a time, in the order in which they were queued.
//
// # Errors and panics
//
// A fact cannot be undone by its subscribers. All of them run whatever the others
// do, and their errors come back joined; [Announce] logs them. With an intent, the
// first error is a veto: it ends the asking and is returned unchanged, so that the
// gateway may choose what the client sees.
//
// A panic in a subscriber, an interceptor or a tap stops there. It becomes a
// [*PanicError] and is treated like any error: joined, a veto, or logged. What a
// subscriber starts in goroutines of its own is its own affair.
//
// # Coming and going
//
// Subscribers are held until they are cancelled; nothing is weak. Subscribing and
// cancelling is allowed at any time, also during a publish of the same type and in a
// subscriber itself. A publish under way keeps to the subscribers that there were
// when it began: it does not reach a new one, and may reach one just cancelled.
//
// No lock is held while a subscriber runs, so it may publish and ask as it likes. One
// that publishes, without end, the type it listens to overflows the stack as any
// recursion does.
//
// # Loss
//
// Nothing is lost between a publisher and a synchronous subscriber, other than by the
// end of the process. [Async] loses an event when its queue is full, which the
// publisher is told, and what is queued when the process dies or Close gives up.
// [Bus.Dropped] counts what full queues and Close have lost.
//
// Where that is too much, as with a payment, the event embeds [Inbox] and its
// publisher stores each event before handling it. [Deliver] then runs those that are
// not yet done with it and says who is done now; the inbox stores the names and
// delivers again until there is no error. Subscribers of inbox events give themselves
// a name with [SubscribeNamed], and are spared the events they have handled. They
// still see one twice if the process dies before their name is stored, and anonymous
// ones whenever it is delivered again, so handling should be idempotent. Async of an
// inbox event does not compile.
//
// Events stay in the process they were published in. A bridge to other instances is a
// [Tap] that sends; where it publishes what it has received, it marks the context,
// so that its own tap does not send it back.
//
// # Close
//
// After [Bus.Close] every event is refused with [ErrClosed], those that asynchronous
// subscribers publish while their queues drain included. Inbox events are delivered
// after the restart. Close waits for queues and not for synchronous subscribers, who
// end with their callers: close the bus after the services have stopped.
//
// # Testing
//
// Package signalstest has a bus that ends with its test, and recorders of events.
package signals
