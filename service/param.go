package service

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// Param returns a path parameter, decoded exactly once: "a%2Fb" is "a/b". A
// parameter at the end of a route may swallow further segments in echo, be
// empty, or be malformed (a bad escape, no UTF-8): all are a 404, for there is no
// such route. A service still checks the value: it may hold any character. A
// route that has no parameter of this name at all is a mistake of who placed the
// handler: an error that is a 500 and in the log.
func Param(c echo.Context, name string) (string, error) {
	if !slices.Contains(c.ParamNames(), name) {
		return "", fmt.Errorf("service: the route %s has no parameter :%s, which its handler reads", c.Path(), name)
	}
	value := c.Param(name)
	if value == "" || strings.Contains(value, "/") {
		return "", NoRoute()
	}
	// net/url sets RawPath, by which echo then routes, only where encoding the
	// decoded path again would give something else; without it the parameter is
	// decoded already.
	if c.Request().URL.RawPath != "" {
		decoded, err := url.PathUnescape(value)
		if err != nil {
			return "", NoRoute()
		}
		value = decoded
	}
	if !utf8.ValidString(value) {
		return "", NoRoute()
	}
	return value, nil
}

// NoRoute returns the 404 of a path that no route has.
func NoRoute() *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "There is no such route."}
}
