package storage

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// wantsLines reports whether a client asks for a document a line rather than for
// an array (RFC 9110, section 12.5.1): it must name application/x-ndjson, and must
// not like application/json as much by name, or better in any way. Who accepts
// neither gets an array.
func wantsLines(h http.Header) bool {
	lines, array, wildcard := -1.0, -1.0, -1.0
	for part := range strings.SplitSeq(strings.Join(h.Values(echo.HeaderAccept), ","), ",") {
		media, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case mediaTypeNDJSON:
			lines = quality(params)
		case echo.MIMEApplicationJSON:
			array = quality(params)
		case "application/*", "*/*":
			wildcard = max(wildcard, quality(params))
		}
	}
	if array >= 0 {
		return lines > array
	}
	return lines > 0 && lines >= wildcard
}

// quality returns the weight among the parameters of a media range, 1 where there
// is none, and 0 where it is malformed.
func quality(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
