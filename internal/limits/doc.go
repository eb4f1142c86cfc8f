// Package limits is a [middleware.Limiter] that keeps its counts in MongoDB, so
// that all instances of a gateway share them.
//
// There is one document for each key, whose _id is a hash of the key: no address
// and no account name is stored in clear. (A hash of an address can be guessed
// by trying them all; who may read the collection should still be trusted.) A
// document has a time from which on it counts no more, and which [Limiter.Sweep]
// goes by; nothing relies on the sweep but the size of the collection.
//
// # How a place is taken
//
// By one atomic increment, whose result tells whether it was in time: however
// many try at once, those who come too late read a number that is too high. So
// nobody has to compare and try again, and the time does not grow with the
// number of racers. A place is asked for only where a look at the document says
// that it may be free, so that an attack causes reads, not writes.
//
// A document whose time is over is not reset, which racers could do twice: the
// next places are counted in its next era, under another name.
//
// Every read and write of a key goes by its _id alone. The embedded database has
// an index for that and for nothing else.
package limits
