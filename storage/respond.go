package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// writeGrace is how long a client may take for what is sent at once, and how
	// much later than its rate says it may be in all.
	writeGrace = 30 * time.Second
	// answerRate is how many bytes of an array or a document a second a client must
	// take: the answer is held in memory until it has.
	answerRate = 64 << 10
)

// respond answers with JSON that is whole. A client that takes it too slowly
// finds its connection broken, before its end.
func (s *Service) respond(c echo.Context, status int, text []byte) error {
	res := c.Response()
	res.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	res.Header().Set(echo.HeaderContentLength, strconv.Itoa(len(text)))
	control := http.NewResponseController(res.Writer)
	p := pace{rate: answerRate}
	err := p.send(control, len(text), func() error {
		res.WriteHeader(status)
		if c.Request().Method == http.MethodHead {
			return nil
		}
		if _, err := res.Write(text); err != nil {
			return err
		}
		// What is left in buffers is sent while there is a deadline.
		return supported(control.Flush())
	})
	if err != nil {
		return s.broken(c, err)
	}
	p.end(control)
	return nil
}

// pace is the time that a client takes for an answer. Only the time of writing
// counts: that the database is slow is no fault of the client's.
type pace struct {
	rate  int // bytes a second
	sent  int
	spent time.Duration
}

// allowed returns how long the client has for so many more bytes.
func (p *pace) allowed(size int) time.Duration {
	earned := time.Duration(p.sent+size) * time.Second / time.Duration(p.rate)
	left := writeGrace + earned - p.spent
	if p.sent == 0 {
		return left
	}
	return min(left, writeGrace)
}

// send calls write, which writes so many bytes, with a deadline. Its errors are
// an errClient.
func (p *pace) send(control *http.ResponseController, size int, write func() error) error {
	began := time.Now() //nolint:forbidigo // the connection's clock
	if err := supported(control.SetWriteDeadline(began.Add(p.allowed(size)))); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	if err := write(); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	p.sent += size
	p.spent += time.Since(began)
	return nil
}

// end takes the deadline away: the connection may serve other requests.
func (p *pace) end(control *http.ResponseController) { _ = control.SetWriteDeadline(time.Time{}) }

// errClient says that it is the client who did not take an answer.
var errClient = errors.New("storage: the client does not take the answer")

// supported passes over that a response can not be flushed or given a deadline.
func supported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// broken ends an answer that failed midway: it breaks the connection, so that
// what was sent never looks whole.
func (s *Service) broken(c echo.Context, err error) error {
	if !c.Response().Committed {
		return err
	}
	logger := s.log()
	if logger == nil {
		logger = slog.Default()
	}
	ctx := c.Request().Context()
	level := slog.LevelError
	if ctx.Err() != nil || errors.Is(err, errClient) {
		level = slog.LevelDebug
	}
	logger.LogAttrs(ctx, level, "answer broke off",
		slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)), slog.String("error", err.Error()))
	if !c.Request().ProtoAtLeast(1, 1) {
		reset(c.Response().Writer)
	}
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to break a connection
}

// reset breaks a connection in such a way that the client sees an error. Before
// HTTP/1.1 an answer of unknown length ends where the connection does (RFC 1945,
// section 7.2.2), and a connection that is merely closed looks like a whole one.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secured.NetConn() // whose end would say that all was sent
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
