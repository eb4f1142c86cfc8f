package generation

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// mediaTypeEvents is the type of a stream of events.
const mediaTypeEvents = "text/event-stream"

// wantsEvents reports whether a client asks for a stream (RFC 9110, section 12.5.1):
// it must name the type, and must not like JSON better.
func wantsEvents(h http.Header) bool {
	events, whole := 0.0, 0.0
	for part := range strings.SplitSeq(strings.Join(h.Values(echo.HeaderAccept), ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, ok := params["q"]; ok {
			weight, _ = strconv.ParseFloat(q, 64) // 0 where it is malformed
		}
		switch media {
		case mediaTypeEvents:
			events = weight
		case echo.MIMEApplicationJSON:
			whole = weight
		}
	}
	return events > 0 && events >= whole
}
