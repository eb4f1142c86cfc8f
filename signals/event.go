package signals

// Fact is embedded by an event that has happened: its name is in the past
// tense (SignedUp, DocumentInserted), it is published by value, and nothing a
// subscriber does can undo it.
//
//	type SignedUp struct {
//		signals.Fact
//		UserID string
//	}
type Fact struct{}

func (Fact) fact()      {}
func (Fact) mayBeLost() {}

// Inbox is embedded in place of [Fact] by an event that must not be lost. Its
// publisher records each event before handling it and calls [Deliver] until
// every subscriber is done. Inbox events can do all that facts can, except
// wait in memory: [Async] of one does not compile.
type Inbox struct{}

func (Inbox) fact()  {}
func (Inbox) inbox() {}

// Intent is embedded by an event that is about to happen: its name is a present
// participle (SigningUp, DeletingDocument), and it is passed by pointer so that
// an interceptor can change it or veto it.
type Intent struct{}

func (Intent) intent() {}

// FactOf constrains E to a struct that embeds [Fact] or [Inbox]. P is always
// inferred; asking for the method of *E rather than of E is what makes a fact
// passed by pointer a compile error, where it would otherwise be a topic of its
// own that nobody listens to.
type FactOf[E any] interface {
	*E
	fact()
}

// LossyOf constrains E to a struct that embeds [Fact] and not [Inbox].
type LossyOf[E any] interface {
	*E
	fact()
	mayBeLost()
}

// InboxOf constrains E to a struct that embeds [Inbox].
type InboxOf[E any] interface {
	*E
	fact()
	inbox()
}

// IntentOf constrains E to a struct that embeds [Intent].
type IntentOf[E any] interface {
	*E
	intent()
}
