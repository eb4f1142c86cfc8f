package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/imadelakhaldev/coglex/archive/internal/steps"
)

const (
	diskStep    = 256 << 10 // bytes held for each Create: more is no faster
	diskPartial = "partial"
)

// Disk returns a Store in a folder of the local file system, which Ready makes
// where it is missing. Only the user that runs the program may read what is in
// it (folders 0700, files 0600), and nothing outside of it is ever touched, not
// even through a symbolic link.
//
// The bytes of a key are the file ab/cd/abcd…, named by the key; unfinished
// ones are in the folder partial, which has to be on the same file system.
// Create writes through to the disk: the file, then the folders that lead to it.
// What Open returns is an *os.File. Other files in the folder are left alone.
//
// It is for one machine: where several gateways share a folder, that has to be
// a file system that keeps the promises of a local one.
func Disk(folder string) Store {
	return &disk{folder: folder, buffers: sync.Pool{New: func() any { b := make([]byte, diskStep); return &b }}}
}

type disk struct {
	folder  string
	buffers sync.Pool // of *[]byte, diskStep long
}

// diskPath is where the bytes of a whole key are.
func diskPath(key string) string { return path.Join(key[:2], key[2:4], key) }

func (d *disk) Ready(context.Context) error {
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return fmt.Errorf("archive: making the folder for bytes: %w", err)
	}
	return d.within(func(root *os.Root) error {
		if err := makeFolder(root, diskPartial); err != nil {
			return err
		}
		const probe = diskPartial + "/probe"
		f, err := root.OpenFile(probe, os.O_WRONLY|os.O_CREATE, 0o600)
		if fullDisk(err) {
			return nil // what is there can still be read
		}
		if err != nil {
			return err
		}
		return errors.Join(f.Close(), ignore(root.Remove(probe), fs.ErrNotExist))
	})
}

func (d *disk) Create(ctx context.Context, key string, r io.Reader) error {
	if !ValidKey(key) {
		return invalidKey(key)
	}
	return d.within(func(root *os.Root) error {
		// Whoever made the unfinished file, and nobody else, may make the
		// whole one: so there is no race between looking and renaming.
		unfinished := path.Join(diskPartial, key)
		f, err := root.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		err = d.fill(ctx, f, r)
		if err == nil {
			err = finish(root, unfinished, key)
		}
		if err != nil {
			return errors.Join(err, ignore(root.Remove(unfinished), fs.ErrNotExist))
		}
		return nil
	})
}

// fill writes what r yields to f, down to the disk, and closes it.
func (d *disk) fill(ctx context.Context, f *os.File, r io.Reader) (err error) {
	defer func() { err = errors.Join(err, f.Close()) }()
	buffer, _ := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buffer)
	for {
		n, end, err := steps.Read(ctx, r, *buffer)
		if err != nil {
			return err
		}
		if _, err := f.Write((*buffer)[:n]); err != nil {
			return err
		}
		if end {
			return f.Sync()
		}
	}
}

// finish gives an unfinished file its place, durably.
func finish(root *os.Root, unfinished, key string) error {
	whole := diskPath(key)
	if _, err := root.Lstat(whole); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	outer := path.Dir(path.Dir(whole))
	if err := errors.Join(makeFolder(root, outer), makeFolder(root, path.Dir(whole))); err != nil {
		return err
	}
	if err := root.Rename(unfinished, whole); err != nil {
		return err
	}
	if err := syncFolders(root, path.Dir(whole)); err != nil {
		return errors.Join(err, root.Remove(whole))
	}
	return nil
}

func (d *disk) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	if !ValidKey(key) {
		return nil, invalidKey(key)
	}
	var f *os.File
	err := d.within(func(root *os.Root) (err error) {
		f, err = root.Open(diskPath(key))
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d *disk) Delete(_ context.Context, key string) error {
	whole, partial := strings.CutPrefix(key, PartialPrefix)
	if !ValidKey(whole) {
		return invalidKey(key)
	}
	file := diskPath(whole)
	if partial {
		file = path.Join(diskPartial, whole)
	}
	return d.within(func(root *os.Root) error {
		if err := root.Remove(file); err != nil {
			return ignore(err, fs.ErrNotExist)
		}
		return syncFolder(root, path.Dir(file))
	})
}

func (d *disk) List(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := d.within(func(root *os.Root) error { return walk(ctx, root.FS(), yield) })
		if err != nil && !errors.Is(err, fs.SkipAll) {
			yield(Entry{}, err)
		}
	}
}

// walk yields the entries of each folder, one folder at a time, and
// fs.SkipAll where yield wants no more.
func walk(ctx context.Context, files fs.FS, yield func(Entry, error) bool) error {
	return fs.WalkDir(files, ".", func(name string, item fs.DirEntry, err error) error {
		if err != nil {
			return ignore(err, fs.ErrNotExist) // deleted meanwhile
		}
		key := item.Name()
		partial := name == path.Join(diskPartial, key)
		if !item.Type().IsRegular() || !ValidKey(key) || (!partial && name != diskPath(key)) {
			return ctx.Err()
		}
		info, err := item.Info()
		if err != nil {
			return ignore(err, fs.ErrNotExist)
		}
		entry := Entry{Key: key, Size: info.Size(), Modified: info.ModTime(), Partial: partial}
		if partial {
			entry.Key = PartialPrefix + key
		}
		if !yield(entry, nil) {
			return fs.SkipAll
		}
		return ctx.Err()
	})
}

// within opens the folder for one operation, so that a Store holds nothing
// that would have to be closed.
func (d *disk) within(do func(*os.Root) error) error {
	root, err := os.OpenRoot(d.folder)
	if err != nil {
		// Its absence must not be taken for that of the bytes.
		return errors.New("archive: the folder for bytes: " + err.Error())
	}
	defer func() { _ = root.Close() }()
	err = do(root)
	if err == nil || errors.Is(err, fs.SkipAll) {
		return err
	}
	if fullDisk(err) {
		err = errors.Join(ErrNoSpace, err)
	}
	return fmt.Errorf("archive: bytes on disk, in %s: %w", d.folder, err)
}

// makeFolder makes a folder unless it is there.
func makeFolder(root *os.Root, name string) error {
	return ignore(root.Mkdir(name, 0o700), fs.ErrExist)
}

// syncFolders makes the names in a folder durable, and the folder itself. It
// does so even where the folder is not new: another Create may have made it
// and not have come as far as this.
func syncFolders(root *os.Root, name string) error {
	for ; ; name = path.Dir(name) {
		if err := syncFolder(root, name); err != nil || name == "." {
			return err
		}
	}
}

// ignore returns err unless it is what.
func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}
