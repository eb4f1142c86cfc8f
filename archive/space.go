package archive

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// maxSpaceBytes is how long the name of a collection may be.
const maxSpaceBytes = 64

// spaceRule says how a collection is called.
const spaceRule = "must be a letter and up to 63 letters, digits, underscores and hyphens"

// isSpace reports whether a name matches ^[A-Za-z][A-Za-z0-9_-]{0,63}$.
func isSpace(name string) bool {
	if name == "" || len(name) > maxSpaceBytes {
		return false
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		other := c >= '0' && c <= '9' || c == '_' || c == '-'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return true
}

// checkSpace returns the problem of a name that no collection may have over HTTP.
func checkSpace(name string) error {
	switch {
	case strings.HasPrefix(name, "_"), strings.HasPrefix(name, "system."):
		return &service.Problem{Status: http.StatusForbidden, Code: "collection_reserved", Detail: "This collection is reserved."}
	case !isSpace(name):
		return &service.Problem{
			Status: http.StatusBadRequest, Code: "collection_invalid",
			Detail: "A collection is called by a letter and up to 63 letters, digits, underscores and hyphens.",
		}
	}
	return nil
}

// spaceOf returns the name space that a request names in its path; the default one
// where its route has no parameter for that.
func spaceOf(c echo.Context) (string, error) {
	for _, name := range c.ParamNames() {
		if name == paramCollection {
			space, err := service.Param(c, paramCollection)
			if err != nil {
				return "", err
			}
			return space, checkSpace(space)
		}
	}
	return "", nil
}

// The parameters of paths.
const (
	paramCollection = "collection"
	paramID         = "id"
)

// idOf returns the id that a request names in its path, or ErrNotFound for what is
// none: it never reaches the database.
func idOf(c echo.Context) (string, error) {
	id, err := service.Param(c, paramID)
	if err != nil {
		return "", err
	}
	if !isID(id) {
		return "", ErrNotFound
	}
	return id, nil
}
