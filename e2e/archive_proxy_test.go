package e2e_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// cutter is a network that breaks: a proxy that closes connections in the
// middle of what they carry, as often as it is told, and then no more.
type cutter struct {
	URL     string
	carried atomic.Int64 // bytes in the direction that is cut
	busy    atomic.Int32 // connections that carried more than a head

	target string
	after  int64        // how many bytes a connection carries before it is cut
	up     bool         // counts what clients send, not what they get
	cuts   atomic.Int32 // how many are to come
}

// newCutter starts a cutter before a gateway.
func newCutter(t *testing.T, g *gateway, cuts int32, after int64, up bool) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cutter{URL: "http://" + l.Addr().String(), target: strings.TrimPrefix(g.URL, "http://"), after: after, up: up}
	c.cuts.Store(cuts)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(client)
		}
	}()
	return c
}

// serve carries one connection.
func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	defer server.Close()
	from, to := server, client
	if c.up {
		from, to = client, server
	}
	go func() {
		_, _ = io.Copy(from, to)
		_ = from.(*net.TCPConn).CloseWrite()
	}()
	c.carry(to, from)
}

// carry copies until the end, or the cut.
func (c *cutter) carry(to io.Writer, from io.Reader) {
	b := make([]byte, 16<<10)
	for sum := int64(0); ; {
		n, err := from.Read(b)
		if sum < int64(len(b)) && sum+int64(n) >= int64(len(b)) {
			c.busy.Add(1)
		}
		sum += int64(n)
		if sum > c.after && c.cuts.Add(-1) >= 0 {
			return
		}
		c.carried.Add(int64(n))
		if _, failed := to.Write(b[:n]); err != nil || failed != nil {
			return
		}
	}
}
