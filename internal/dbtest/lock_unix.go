//go:build unix

package dbtest

import (
	"errors"
	"os"
	"syscall"
)

// lock waits for the lock of a file and takes it. It lasts as long as a process
// has the file open: this one, or a child that inherited it.
func lock(path string) (*os.File, error) { return flock(path, syscall.LOCK_EX) }

// tryLock takes the lock of a file, or returns nil where another has it.
func tryLock(path string) (*os.File, error) {
	f, err := flock(path, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil //nolint:nilnil // the answer is no
	}
	return f, err
}

func flock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
