package archive_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
)

// plainCreate is what Disk is measured against: the file is written and synced,
// and given its name. It checks nothing and syncs no folder.
func plainCreate(folder, key string, r io.Reader) error {
	f, err := os.OpenFile(filepath.Join(folder, key+".tmp"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(folder, key))
}

func BenchmarkDiskCreate(b *testing.B) {
	for name, size := range map[string]int{"4KiB": 4 << 10, "1MiB": 1 << 20, "64MiB": 64 << 20} {
		content := make([]byte, size)
		run := func(name string, create func(key string, r io.Reader) error) {
			b.Run(name, func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					// No WriterTo, as a body has none.
					if err := create(archivetest.Key(), struct{ io.Reader }{bytes.NewReader(content)}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		store := archive.Disk(b.TempDir())
		if err := store.Ready(b.Context()); err != nil {
			b.Fatal(err)
		}
		run(name+"/Disk", func(key string, r io.Reader) error { return store.Create(b.Context(), key, r) })
		folder := b.TempDir()
		run(name+"/plain", func(key string, r io.Reader) error { return plainCreate(folder, key, r) })
	}
}

func BenchmarkDiskOpen(b *testing.B) {
	folder, key := b.TempDir(), archivetest.Key()
	store := archive.Disk(folder)
	if err := store.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := store.Create(b.Context(), key, bytes.NewReader([]byte("x"))); err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(folder, key[:2], key[2:4], key)
	run := func(name string, open func() (io.Closer, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := open()
				if err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
	}
	run("Disk", func() (io.Closer, error) { return store.Open(b.Context(), key) })
	run("plain", func() (io.Closer, error) { return os.Open(name) })
}
