//go:build !unix

package dbtest

// lock takes none where there is no flock: two first builds at once may then
// do the work twice.
func lock(string) (unlock func(), err error) { return func() {}, nil }
