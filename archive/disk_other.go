//go:build !windows

package archive

import (
	"errors"
	"os"
	"syscall"
)

// fullDisk reports whether the file system, a quota or the limit of the size
// of files ends what may be written.
func fullDisk(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// syncFolder makes the names in a folder durable.
func syncFolder(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a file system that has nothing to sync here
	}
	return errors.Join(err, f.Close())
}
