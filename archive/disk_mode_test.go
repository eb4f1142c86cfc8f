//go:build !windows

package archive_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/imadelakhaldev/coglex/archive/archivetest"
)

func TestDiskIsForItsUserOnly(t *testing.T) {
	t.Parallel()
	store, folder := newDisk(t)
	key := archivetest.Key()
	if err := store.Create(t.Context(), key, bytes.NewReader([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		".": 0o700, "partial": 0o700, key[:2]: 0o700, key[:2] + "/" + key[2:4]: 0o700,
		key[:2] + "/" + key[2:4] + "/" + key: 0o600,
	} {
		info, err := os.Lstat(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}
