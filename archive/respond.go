package archive

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

const (
	// writeGrace is how long a client may take for what is sent at once, however
	// little that is.
	writeGrace = 30 * time.Second
	// writeRate is how many bytes a second a client must take besides.
	writeRate = 16 << 10

	// cachePrivate is for files and their records: every use asks whether they are
	// there still.
	cachePrivate = "private, no-cache"
	// cacheNone is for addresses that open something.
	cacheNone = "no-store"
)

// respond answers with a value as JSON.
func respond(c echo.Context, status int, cache string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return wrap("encoding the answer", err)
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	header.Set(echo.HeaderContentLength, strconv.Itoa(len(text)))
	header.Set(echo.HeaderCacheControl, cache)
	allow(c, len(text))
	defer allowAll(c)
	c.Response().WriteHeader(status)
	// A client that does not take it is gone; nothing else can be told to it.
	_, _ = c.Response().Write(text)
	return nil
}

// allow gives the client so much time for so many bytes, where the connection takes
// deadlines.
func allow(c echo.Context, size int) {
	limit := writeGrace + time.Duration(size)*time.Second/writeRate
	_ = http.NewResponseController(c.Response().Writer).SetWriteDeadline(time.Now().Add(limit)) //nolint:forbidigo // the connection's clock
}

// allowAll takes the deadline away: the connection may serve other requests.
func allowAll(c echo.Context) {
	_ = http.NewResponseController(c.Response().Writer).SetWriteDeadline(time.Time{})
}

// refuseBody refuses a body where there is no use for one.
func refuseBody(r *http.Request) error {
	if r.ContentLength > 0 {
		return service.Invalid("body", "must be empty")
	}
	return nil
}
