package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// engine is FerretDB, listening on a Unix socket that only this process's relay uses.
type engine struct {
	socket string // path of the socket
	cancel context.CancelFunc
	done   chan struct{} // closed when FerretDB has ended
}

// newMu guards ferretdb.New, which writes a variable of a package of its own.
var newMu sync.Mutex //nolint:gochecknoglobals // what it guards is global, too

// startEngine runs FerretDB over the folder dir.
func startEngine(ctx context.Context, dir string, logger *slog.Logger) (*engine, error) {
	socket, free, err := socketPath(dir)
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	e := &engine{socket: socket, done: make(chan struct{})}
	newMu.Lock()
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: e.socket},
		Logger:    slog.New(quiet{logger.Handler()}),
		Handler:   "sqlite",
		SQLiteURL: "file:" + filepath.ToSlash(dir) + "/?_pragma=synchronous(full)",
	})
	newMu.Unlock()
	if err != nil {
		free()
		return nil, fmt.Errorf("embedded: %w", err)
	}
	// The engine outlives the start; stop ends it.
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	go func() {
		defer close(e.done)
		defer free()
		_ = f.Run(runCtx) // always nil
	}()
	return e, nil
}

// maxSocketPath is how long the path of a Unix socket may be on every system.
const maxSocketPath = 100

// socketPath returns where the engine's socket goes and what to do when it is no longer used: into the folder, where
// the next server removes what a kill has left, or into a temporary one if the path is too long for a socket.
func socketPath(dir string) (path string, free func(), err error) {
	path = filepath.Join(dir, "coglexdb.sock")
	if len(path) <= maxSocketPath {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
		return path, func() { _ = os.Remove(path) }, nil
	}
	tmp, err := os.MkdirTemp("", "coglexdb-")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(tmp, "s"), func() { _ = os.RemoveAll(tmp) }, nil
}

// dial connects to the engine.
func (e *engine) dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", e.socket)
}

// stop ends FerretDB and waits for it. Its connections must be closed before, or it waits some seconds for them.
func (e *engine) stop() {
	e.cancel()
	<-e.done
}

// quiet is a slog.Handler that lets only errors through: FerretDB's warnings repeat whole messages.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
