package coglex_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
)

// pipes is a listener whose connections are in memory, so that their deadlines
// go by the clock of a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial serves h and returns a client's connection to it.
func dial(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	client, conn := net.Pipe()
	l.conns <- conn
	t.Cleanup(func() {
		client.Close()
		server.Close()
		<-ended
	})
	return client
}

func TestABodyThatStopsIsCut(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]echo.HandlerFunc{
		"a handler that reads": func(c echo.Context) error {
			_, err := io.Copy(io.Discard, c.Request().Body)
			return err
		},
		"a handler that does not": func(c echo.Context) error { return c.NoContent(http.StatusUnauthorized) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				app, e := newApp(t, nil), echo.New()
				e.POST("/", handler)
				conn := dial(t, app.Handler(e))
				began := time.Now()
				fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx")
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > coglex.BodyGrace+2*time.Second {
					t.Errorf("the connection was cut after %s", took)
				}
			})
		})
	}
}

func TestABodyThatKeepsComingIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const parts, part = 100, 2 * coglex.MinBodyRate
		app, e := newApp(t, nil), echo.New()
		e.POST("/", func(c echo.Context) error {
			n, err := io.Copy(io.Discard, c.Request().Body)
			if err != nil {
				return err
			}
			// The client is there for as long as this takes.
			select {
			case <-time.After(time.Hour):
			case <-c.Request().Context().Done():
				return errors.New("the request was cancelled")
			}
			return c.String(http.StatusOK, fmt.Sprint(n))
		})
		conn := dial(t, app.Handler(e))
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", parts*part)
		for range parts {
			time.Sleep(time.Second) // of the bubble: it takes no time
			fmt.Fprint(conn, strings.Repeat("x", part))
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		if want := fmt.Sprint(parts * part); string(text) != want {
			t.Errorf("the handler answered %q, want %s", text, want)
		}
	})
}
