package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// relay stands between the clients and the engine. Each client's connection has one of its own to the engine and two
// goroutines: one reads the requests, the other carries a request over, then its answer back. Commands that may write
// wait for one another there, because the engine reads a document, changes it and writes it back without holding it in
// between.
type relay struct {
	ln      net.Listener
	dial    func(context.Context) (net.Conn, error)
	logger  *slog.Logger
	writing chan struct{}      // holds one token while a command that may write is with the engine
	indexes indexer            // belongs to who holds the token
	stop    context.CancelFunc // ends the context that start hands down
	wg      sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]net.Conn // client to engine
}

// answerTime is how long a client may take to read an answer once the relay is stopping.
const answerTime = 5 * time.Second

func newRelay(ln net.Listener, dial func(context.Context) (net.Conn, error), dir string, logger *slog.Logger) *relay {
	return &relay{
		ln:      ln,
		dial:    dial,
		logger:  logger,
		writing: make(chan struct{}, 1),
		indexes: indexer{dir, map[namespace]bool{}},
		conns:   map[net.Conn]net.Conn{},
	}
}

// start lets the relay run until it is drained, be ctx over before or not.
func (r *relay) start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.wg.Go(func() { r.accept(ctx) })
}

// accept takes clients in until the listener is closed.
func (r *relay) accept(ctx context.Context) {
	for {
		client, err := r.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			r.logger.Warn("embedded: accept", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Millisecond): // out of file descriptors, most likely
			}
			continue
		}
		r.wg.Go(func() { r.serve(ctx, client) })
	}
}

// serve carries the messages of one client until either side ends or fails.
func (r *relay) serve(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }()
	engine, err := r.dial(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.logger.Warn("embedded: no connection to the engine", "error", err)
		}
		return
	}
	defer func() { _ = engine.Close() }()
	if !r.add(ctx, client, engine) {
		return
	}
	defer r.remove(client)
	present, left := context.WithCancel(ctx)
	defer left()
	requests := make(chan message)
	r.wg.Go(func() {
		defer left()
		defer close(requests)
		receive(present, client, requests)
	})
	var reply bytes.Buffer
	for m := range requests {
		needed := present
		if m.noReply() {
			needed = ctx // its sender need not stay
		}
		answer, err := r.exchange(needed, engine, m, &reply)
		if err != nil {
			r.logger.Debug("embedded: connection closed", "error", err)
			return
		}
		if m.noReply() {
			continue
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

// receive reads the messages of a client until it ends or ctx does, one ahead of the one that is being answered: so it
// is known when the client leaves meanwhile. A message is valid until the next one is received.
func receive(ctx context.Context, client io.Reader, requests chan<- message) {
	var buffers [2]bytes.Buffer
	for i := 0; ; i = 1 - i {
		m, err := readMessage(client, &buffers[i])
		if err != nil {
			return
		}
		select {
		case requests <- m:
		case <-ctx.Done():
			return
		}
	}
}

// exchange answers a request. A command that may write is dropped if ctx ends before its turn.
func (r *relay) exchange(ctx context.Context, engine io.ReadWriter, m message, buf *bytes.Buffer) (message, error) {
	cmd, err := parseCommand(m)
	if err != nil {
		return nil, err
	}
	if refused := check(cmd); refused != nil {
		return newAnswer(m, refused.document()), nil
	}
	if readOnly(cmd.name) {
		return ask(engine, narrowRead(cmd, m), buf)
	}
	return r.write(ctx, engine, cmd, m, buf)
}

// ask sends a request to the engine and waits for its answer, be the client still there or not: only then is the
// command over and may the next one that writes begin.
func ask(engine io.ReadWriter, m message, buf *bytes.Buffer) (message, error) {
	if _, err := engine.Write(m); err != nil {
		return nil, fmt.Errorf("to the engine: %w", err)
	}
	answer, err := readMessage(engine, buf)
	if err != nil {
		return nil, fmt.Errorf("from the engine: %w", err)
	}
	return answer, nil
}

// written looks after what a command that may write leaves behind, and returns the answer for the client.
func (r *relay) written(ctx context.Context, cmd command, request, answer message) message {
	body, ok := answerBody(answer)
	if !ok {
		return answer
	}
	if ranOut(body) {
		return newAnswer(request, expired().document())
	}
	if doc := duplicate(cmd, body); doc != nil {
		return newAnswer(request, doc)
	}
	if succeeded(body) {
		if err := r.indexes.after(context.WithoutCancel(ctx), cmd); err != nil {
			r.logger.Warn("embedded: no index on _id", "database", cmd.db, "collection", cmd.coll, "error", err)
		}
	}
	return answer
}

// add remembers a pair of connections, or reports false when the relay is stopping.
func (r *relay) add(ctx context.Context, client, engine net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	r.conns[client] = engine
	return true
}

func (r *relay) remove(client net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, client)
}

// drain takes no more clients and no more requests; those with the engine are still answered.
func (r *relay) drain() {
	_ = r.ln.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	now := time.Now() //nolint:forbidigo // deadlines of connections are times of the clock
	for client := range r.conns {
		_ = client.SetReadDeadline(now)
		_ = client.SetWriteDeadline(now.Add(answerTime))
	}
}

// cut closes all connections at once.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for client, engine := range r.conns {
		_ = client.Close()
		_ = engine.Close()
	}
}

// wait returns when the last goroutine of the relay has ended.
func (r *relay) wait() { r.wg.Wait() }

// readOnly tells whether a command changes no document and no collection, so that any number of such may be with the
// engine at once. All others, also those the relay has never heard of, go one at a time.
func readOnly(command string) bool {
	switch command {
	case "aggregate", "buildInfo", "buildinfo", "collStats", "connectionStatus", "count", "currentOp", "dataSize",
		"dbStats", "dbstats", "distinct", "endSessions", "explain", "find", "getCmdLineOpts", "getLog", "getMore",
		"getParameter", "hello", "hostInfo", "isMaster", "ismaster", "killCursors", "listCollections", "listCommands",
		"listDatabases", "listIndexes", "ping", "serverStatus", "validate", "whatsmyuri":
		return true
	default:
		return false
	}
}
