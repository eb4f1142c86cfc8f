// Package limits is a [middleware.Limiter] that keeps its counts in MongoDB, so
// that all instances of a gateway share them.
//
// There is one document for each key, whose _id is a hash of the key: no address
// and no account name is stored in clear. (A hash of an address can be guessed
// by trying them all; who may read the collection should still be trusted.) A
// document has a time after which it counts no more, and which [Limiter.Sweep]
// goes by; nothing relies on the sweep but the size of the collection.
//
// A place is taken by one conditional update, so that however many try at once,
// there are never more places than the policy gives. On the embedded database
// an update with conditions beside the _id reads the whole collection, whose
// size is what the time of Take depends on there.
package limits
