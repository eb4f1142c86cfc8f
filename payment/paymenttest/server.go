package paymenttest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a [Stripe] that listens. Make it with [Start].
type Server struct {
	*Stripe

	url    string
	server *http.Server
	done   chan struct{}
}

// Start makes a Stripe and serves it on the loopback interface, until Close.
func Start(opts *Options) (*Server, error) {
	o := Options{}
	if opts != nil {
		o = *opts
	}
	o.fill()
	listener, err := net.Listen("tcp", o.Addr) //nolint:noctx // it does not wait
	if err != nil {
		return nil, fmt.Errorf("paymenttest: Options.Addr: %w", err)
	}
	s := &Server{Stripe: New(&o), url: "http://" + listener.Addr().String(), done: make(chan struct{})}
	s.state.base = s.url
	s.server = &http.Server{Handler: s.Stripe, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener) // always http.ErrServerClosed, or a listener that broke
	}()
	return s, nil
}

// URL is where it serves, as "http://127.0.0.1:41234": the base of Stripe's API
// for the SDK.
func (s *Server) URL() string { return s.url }

// Close ends the requests and the webhooks that are under way and waits for them.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.done
	s.Stripe.Close()
	return err
}

// Close ends the webhooks that are under way and waits for them. Those not sent
// are given up.
func (s *Stripe) Close() { s.mail.close() }

// Settle waits until no webhook is under way or due, or ctx is done. Held ones and
// those that failed are not due.
func (s *Stripe) Settle(ctx context.Context) error {
	s.mail.run(ctx, s)
	return s.mail.settle(ctx)
}
