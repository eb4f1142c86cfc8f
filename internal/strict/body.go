package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/service"
)

// MaxBody is the usual limit of a body: 1 MiB.
const MaxBody = 1 << 20

// maxDepth bounds the nesting of a body. A list of documents of the greatest
// depth that has its own, better named error comes to 104: the body, the list,
// and a type wrapper of two levels around the deepest value.
const maxDepth = extjson.MaxDepth + 28

// HasBody reports whether a request came with a body, for routes where one is
// optional. A body of unknown length counts, even if it turns out to be empty.
func HasBody(r *http.Request) bool { return r.ContentLength != 0 }

// Body decodes the body of the request, of at most limit bytes, into the struct
// that dst points to. What is wrong with it comes back as a *[service.Problem];
// dst may be half filled then. An error of another type means that the client
// left before its body was read.
func Body(c echo.Context, limit int64, dst any) error {
	if err := checkType(c.Request().Header); err != nil {
		return err
	}
	data, err := read(c, limit)
	if err != nil {
		return err
	}
	return decode(data, dst)
}

// checkType accepts JSON in UTF-8 as it is.
func checkType(h http.Header) error {
	media, params, err := mime.ParseMediaType(h.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON && !strings.HasSuffix(media, "+json") {
		return unsupported("The body must be application/json.")
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupported("The body must be in UTF-8.")
	}
	if coding := h.Get(echo.HeaderContentEncoding); coding != "" && !strings.EqualFold(coding, "identity") {
		return unsupported("The body must not have a content encoding.")
	}
	return nil
}

func unsupported(detail string) error {
	return &service.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: detail}
}

// read returns the body. What the client says of its length is believed up to
// 64 KiB only: memory is for bytes that came.
func read(c echo.Context, limit int64) ([]byte, error) {
	r := c.Request()
	if r.ContentLength > limit {
		return nil, tooLarge(c, limit)
	}
	size := min(max(r.ContentLength, 0), 64<<10)
	buf := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1))
	if n > limit || isTooLarge(err) {
		return nil, tooLarge(c, limit)
	}
	if err != nil && r.Context().Err() != nil {
		return nil, fmt.Errorf("strict: reading the body: %w", err)
	}
	if err != nil {
		return nil, &service.Problem{Status: http.StatusBadRequest, Code: "invalid", Detail: "The body ends too early.", Err: err}
	}
	return buf.Bytes(), nil
}

// isTooLarge reports whether a limit that the host has set refused the body.
func isTooLarge(err error) bool {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return true
	}
	he, ok := errors.AsType[*echo.HTTPError](err)
	return ok && he.Code == http.StatusRequestEntityTooLarge
}

// tooLarge refuses the body, and has the connection closed rather than the rest
// of it read. [http.MaxBytesReader] would do so too, but only where no
// middleware has wrapped the response.
func tooLarge(c echo.Context, limit int64) error {
	if c.Request().ProtoMajor == 1 {
		c.Response().Header().Set("Connection", "close")
	}
	return &service.Problem{
		Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Detail: fmt.Sprintf("The body must not be larger than %d bytes.", limit),
	}
}

// options hold a cache by type, and so are made once. They never change.
//
//nolint:gochecknoglobals // see above
var options = json.JoinOptions(
	json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.UnmarshalFromFunc(refuseNull)),
)

// refuseNull comes before the decoding of every value, for the decoder by itself
// takes null for the zero value. Types with a method of their own see it there.
func refuseNull(dec *jsontext.Decoder, dst any) error {
	if dec.PeekKind() != 'n' {
		return json.SkipFunc
	}
	switch dst.(type) {
	case *any, *jsontext.Value, json.UnmarshalerFrom:
		return json.SkipFunc
	}
	return &nullError{reflect.TypeOf(dst)}
}

// decode decodes one JSON object strictly.
func decode(data []byte, dst any) error {
	switch text := bytes.TrimLeft(data, " \t\r\n"); {
	case len(text) == 0:
		return service.Invalid("body", "must not be empty")
	case tooDeep(text):
		return service.Invalid("body", fmt.Sprintf("is nested more than %d levels deep", maxDepth))
	case text[0] != '{':
		return service.Invalid("body", "must be an object")
	}
	if err := json.Unmarshal(data, dst, options); err != nil {
		return describe(err)
	}
	return nil
}

// tooDeep reports whether brackets outside of strings nest beyond the bound. It
// takes any text, and comes before the decoder, which would recurse into fields
// of type any.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
			if c == '\\' {
				i++
			}
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
