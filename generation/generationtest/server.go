package generationtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a [Gemini] at an address of its own.
type Server struct {
	*Gemini

	server *http.Server
	url    string
	cancel context.CancelFunc
	done   chan struct{}
}

// Start gives a new [Gemini] an address on the loopback interface. A nil opts means
// all defaults. Close ends it, and so does the end of ctx.
func Start(ctx context.Context, opts *Options) (*Server, error) {
	g, err := New(opts)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("generationtest: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Server{
		Gemini: g, url: "http://" + listener.Addr().String(), cancel: cancel, done: make(chan struct{}),
		server: &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }},
	}
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() })
	go func() {
		defer close(s.done)
		defer stop()
		_ = s.server.Serve(listener) // until Close
	}()
	return s, nil
}

// URL returns the base URL, for genai.HTTPOptions.BaseURL: without a path, and
// without a slash at its end.
func (s *Server) URL() string { return s.url }

// Close breaks every connection, hanging answers too, and frees the address. It is
// idempotent.
func (s *Server) Close() error {
	s.cancel()
	err := s.server.Close()
	<-s.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
