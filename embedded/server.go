package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	s, err := serve(ctx, dir, lock, o)
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	return s, nil
}

// serve runs a server over a folder that is locked. The lock is the server's unless there is an error.
func serve(ctx context.Context, dir string, lock io.Closer, o Options) (*Server, error) {
	if err := repairFiles(ctx, dir); err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	eng, err := startEngine(ctx, dir, o.Logger)
	if err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		eng.stop()
		return nil, fmt.Errorf("embedded: %w", err)
	}
	s := &Server{
		uri:     "mongodb://" + ln.Addr().String() + "/",
		relay:   newRelay(ln, eng.dial, dir, o.Logger),
		engine:  eng,
		lock:    lock,
		stopped: make(chan struct{}),
	}
	s.relay.start(ctx)
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
			_ = s.lock.Close()
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
		return "", errors.New("embedded: the name of the folder is empty")
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
