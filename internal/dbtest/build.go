package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// errAbsent says that the embedded server's module is not part of this checkout.
var errAbsent = errors.New("dbtest: the embedded server is not in this checkout")

// buildTimeout bounds a cold build of the embedded server.
const buildTimeout = 10 * time.Minute

// build builds the embedded server to one stable path, so that only the first
// test of a machine waits for it.
var build = sync.OnceValues(func() (string, error) {
	module, err := module()
	if err != nil {
		return "", err
	}
	cache, err := cache()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(cache, "coglexdb-test")
	held, err := lock(binary + ".lock")
	if err != nil {
		return "", err
	}
	defer held.Close() //nolint:errcheck // closing gives the lock back, whatever it says
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/coglexdb")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("dbtest: building the embedded server: %w\n%s", err, out)
	}
	return binary, nil
})

// cache returns the folder of the user's where the server and its files are kept.
func cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "coglex")
	return dir, os.MkdirAll(dir, 0o700)
}

// module returns the folder of the embedded server's module: beside the package
// under test, or above it. Source paths would not do, as -trimpath hides them.
func module() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		embedded := filepath.Join(dir, "embedded")
		if _, err := os.Stat(filepath.Join(embedded, "cmd", "coglexdb")); err == nil {
			return embedded, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errAbsent
		}
		dir = parent
	}
}
