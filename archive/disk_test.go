package archive_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
)

func TestDisk(t *testing.T) {
	t.Parallel()
	archivetest.TestStore(t, func(t *testing.T) archive.Store {
		t.Helper()
		return archive.Disk(filepath.Join(t.TempDir(), "new", "folder"))
	})
}

// newDisk returns a Store that is ready, and its folder.
func newDisk(t *testing.T) (archive.Store, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "bytes")
	store := archive.Disk(folder)
	if err := store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store, folder
}

func TestDiskReturnsTheFileItself(t *testing.T) {
	t.Parallel()
	store, _ := newDisk(t)
	key := archivetest.Key()
	if err := store.Create(t.Context(), key, bytes.NewReader([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	r, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, ok := r.(*os.File); !ok {
		t.Errorf("Open returns a %T, which the kernel cannot send by itself", r)
	}
}

func TestDiskDoesNotLeaveItsFolder(t *testing.T) {
	t.Parallel()
	store, folder := newDisk(t)
	outside := t.TempDir()
	key := archivetest.Key()
	secret := filepath.Join(outside, key[2:4], key)
	if err := errors.Join(os.Mkdir(filepath.Dir(secret), 0o700), os.WriteFile(secret, []byte("secret"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, key[:2])); err != nil {
		t.Fatal(err)
	}
	if r, err := store.Open(t.Context(), key); err == nil {
		r.Close()
		t.Error("Open follows a link out of the folder")
	}
	if err := store.Delete(t.Context(), key); err == nil {
		t.Error("Delete follows a link out of the folder")
	}
	other := key[:31] + string("01"[key[31]%2]) // another last digit
	if err := store.Create(t.Context(), other, bytes.NewReader(nil)); err == nil {
		t.Error("Create follows a link out of the folder")
	}
	for e := range store.List(t.Context()) {
		t.Errorf("List follows a link out of the folder: %v", e)
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != "secret" {
		t.Errorf("the file outside: %q, %v", b, err)
	}
	if names, err := os.ReadDir(filepath.Dir(secret)); err != nil || len(names) != 1 {
		t.Errorf("outside: %v, %v", names, err)
	}
}

func TestDiskLeavesOtherFilesAlone(t *testing.T) {
	t.Parallel()
	store, folder := newDisk(t)
	key := archivetest.Key()
	for _, name := range []string{"lost+found", key, "partial/notes", "partial/" + key[:2], key[:2]} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"readme", "lost+found/" + key, key + "/" + key, key[:2] + "/" + key, "partial/readme"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range store.List(t.Context()) {
		t.Errorf("List yields %v, %v", e, err)
	}
}

// Where the disk is not mounted, no file is missing: the archive must not
// forget them all.
func TestDiskWithoutItsFolder(t *testing.T) {
	t.Parallel()
	store, folder := newDisk(t)
	if err := os.Rename(folder, folder+"-unmounted"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), archivetest.Key()); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open: %v, want an error that is not fs.ErrNotExist", err)
	}
	if err := store.Delete(t.Context(), archivetest.Key()); err == nil {
		t.Error("Delete of who knows what went well")
	}
	n := 0
	for _, err := range store.List(t.Context()) {
		if n++; err == nil {
			t.Error("List yields an entry of nothing")
		}
	}
	if n != 1 {
		t.Errorf("List yields %d times, want one error", n)
	}
}

func TestDiskThatCannotBeWrittenIsNotReady(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := archive.Disk(folder).Ready(t.Context()); err == nil {
		t.Error("a file is ready to be a folder")
	}
	if err := archive.Disk(filepath.Join(folder, "below")).Ready(t.Context()); err == nil {
		t.Error("a folder below a file is ready")
	}
}

func TestDiskListsWhatACrashLeft(t *testing.T) {
	t.Parallel()
	store, folder := newDisk(t)
	key := archivetest.Key()
	if err := os.WriteFile(filepath.Join(folder, "partial", key), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range store.List(t.Context()) {
		if n++; err != nil || e.Key != archive.PartialPrefix+key || e.Size != 4 || !e.Partial || e.Modified.IsZero() {
			t.Errorf("List yields %+v, %v", e, err)
		}
		if err := store.Delete(t.Context(), e.Key); err != nil {
			t.Error(err)
		}
	}
	if names, err := os.ReadDir(filepath.Join(folder, "partial")); n != 1 || err != nil || len(names) != 0 {
		t.Errorf("%d entries; left: %v, %v", n, names, err)
	}
}
