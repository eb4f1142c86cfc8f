package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// DefaultAddr is where a server listens unless told otherwise: a free port of the loopback interface.
const DefaultAddr = "127.0.0.1:0"

// Options are the optional settings of [StartWith]. The zero value and nil mean the defaults.
type Options struct {
	// Addr is the TCP address to listen on. The server asks nobody for a password:
	// whoever reaches the address reads and writes everything.
	//
	// Defaults to [DefaultAddr].
	Addr string

	// Logger receives the few messages of the server: failures of its own, never a document or a command.
	//
	// Defaults to slog.Default().
	Logger *slog.Logger
}

// Server is a running database. Its methods may be called from several goroutines at once.
type Server struct {
	uri    string
	relay  *relay
	engine *engine
	lock   io.Closer

	stopOnce sync.Once
	stopped  chan struct{} // closed when everything has ended
}

// Start runs a server over the files in the folder dir, which is created if need be, with the default [Options].
// See [StartWith].
func Start(ctx context.Context, dir string) (*Server, error) {
	return StartWith(ctx, dir, nil)
}

// StartWith runs a server over the files in the folder dir. The folder is created, for its owner only, if it does not
// exist. When StartWith returns, the server answers. It runs until [Server.Stop]; ctx bounds the start only.
//
// The error is [ErrInUse] when another server, in this process or another, has the folder.
func StartWith(ctx context.Context, dir string, opts *Options) (*Server, error) {
	o := withDefaults(opts)
	dir, err := prepareDir(dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := repairFiles(ctx, dir); err != nil {
		lock.Close()
		return nil, fmt.Errorf("embedded: %w", err)
	}
	eng, err := startEngine(ctx, dir, o.Logger)
	if err != nil {
		lock.Close()
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		eng.stop()
		lock.Close()
		return nil, fmt.Errorf("embedded: %w", err)
	}
	s := &Server{
		uri:     "mongodb://" + ln.Addr().String() + "/",
		relay:   newRelay(ctx, ln, eng.dial, dir, o.Logger),
		engine:  eng,
		lock:    lock,
		stopped: make(chan struct{}),
	}
	s.relay.start()
	return s, nil
}

// URI returns the connection string, such as "mongodb://127.0.0.1:40213/".
func (s *Server) URI() string { return s.uri }

// Stop ends the server: it accepts no more requests, answers those under way, closes every connection and the
// files, and frees the folder. When ctx ends first, connections are cut, and Stop returns the error of ctx while the
// rest of the work goes on behind. Stop may be called again, to wait for the same end.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.relay.drain()
		go func() {
			defer close(s.stopped)
			s.relay.wait()
			s.engine.stop()
			s.lock.Close()
		}()
	})
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		s.relay.cut()
		return ctx.Err()
	}
}

// withDefaults returns a copy of opts in which no field is empty.
func withDefaults(opts *Options) Options {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Addr == "" {
		o.Addr = DefaultAddr
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// prepareDir makes the folder and returns its absolute name.
//
// FerretDB puts the name into an SQLite URI without escaping it and looks for its files there with a glob pattern.
// A character that means something to either would make it miss the files, so such names are refused.
func prepareDir(dir string) (string, error) {
	if dir == "" {
		return "", fmt.Errorf("embedded: the name of the folder is empty")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("embedded: %w", err)
	}
	if strings.ContainsAny(abs, `?#%*[]`) {
		return "", fmt.Errorf("embedded: the folder %q has one of ? # %% * [ ] in its name", abs)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return "", fmt.Errorf("embedded: %w", err)
	}
	return abs, nil
}

// engine is FerretDB, listening on a Unix socket that only this process's relay uses.
type engine struct {
	socket string // path of the socket
	cancel context.CancelFunc
	done   chan struct{} // closed when FerretDB has ended
}

// newMu guards ferretdb.New, which writes a variable of a package of its own.
var newMu sync.Mutex

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
		f.Run(runCtx) // always returns nil
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
		return path, func() { os.Remove(path) }, nil
	}
	tmp, err := os.MkdirTemp("", "coglexdb-")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(tmp, "s"), func() { os.RemoveAll(tmp) }, nil
}

// dial connects to the engine.
func (e *engine) dial() (net.Conn, error) { return net.Dial("unix", e.socket) }

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
