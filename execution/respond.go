package execution

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// writeGrace is how long a client may take for any answer.
	writeGrace = 30 * time.Second
	// answerRate is how many bytes a second it must take besides: the answer is held
	// in memory until it has.
	answerRate = 64 << 10
)

// respond answers with JSON. A client that takes it too slowly finds its connection
// broken before the end, as it finds by the length.
func (s *Service) respond(c echo.Context, text []byte) error {
	res := c.Response()
	res.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	res.Header().Set(echo.HeaderCacheControl, "no-store")
	res.Header().Set(echo.HeaderContentLength, strconv.Itoa(len(text)))
	// Some writers know no deadlines and no flush, and have no slow clients.
	control := http.NewResponseController(res.Writer)
	within := writeGrace + time.Duration(len(text))*time.Second/answerRate
	_ = control.SetWriteDeadline(time.Now().Add(within)) //nolint:forbidigo // the connection's clock
	res.WriteHeader(http.StatusOK)
	if _, err := res.Write(text); err != nil {
		s.logger().LogAttrs(c.Request().Context(), slog.LevelDebug, "execution: a client did not take its answer", slog.Any("error", err))
		return nil
	}
	_ = control.Flush() // while there is a deadline
	_ = control.SetWriteDeadline(time.Time{})
	return nil
}
