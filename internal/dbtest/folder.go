package dbtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// folder makes a folder for the files of a server that outlives its test, and
// locks it for as long as this process or a child that inherits the lock lives.
// A process may die without a word, so each new one removes what others left.
func folder() (dir string, held *os.File, err error) {
	cache, err := cache()
	if err != nil {
		return "", nil, err
	}
	parent := filepath.Join(cache, "test-data")
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", nil, err
	}
	// Held by all who look at the locks of the folders: none is seen before it
	// is locked, or twice.
	alone, err := lock(parent + ".lock")
	if err != nil {
		return "", nil, err
	}
	defer alone.Close() //nolint:errcheck // closing gives the lock back, whatever it says
	if err := sweep(parent); err != nil {
		return "", nil, err
	}
	dir, err = os.MkdirTemp(parent, "")
	if err != nil {
		return "", nil, err
	}
	held, err = lock(dir + ".lock")
	return dir, held, err
}

// sweep removes the folders whose locks nobody holds any more.
func sweep(parent string) error {
	locks, err := filepath.Glob(filepath.Join(parent, "*.lock"))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range locks {
		free, err := tryLock(path)
		if free == nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, os.RemoveAll(strings.TrimSuffix(path, ".lock")), os.Remove(path), free.Close())
	}
	return errors.Join(errs...)
}
