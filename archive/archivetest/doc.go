// Package archivetest helps to test what has to do with package archive.
//
// Who writes an [archive.Store] lets [TestStore] say whether it keeps its
// promises:
//
//	func TestStore(t *testing.T) {
//		archivetest.TestStore(t, func(t *testing.T) archive.Store {
//			return mystore.New(t.TempDir())
//		})
//	}
//
// Who tests a gateway gives it [Memory], a Store that needs no disk, or
// [Faulty], one that fails when it is told to.
package archivetest
