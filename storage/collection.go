package storage

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// maxNameBytes is how long the name of a collection may be.
const maxNameBytes = 64

// collectionOf returns the collection that a request names in its path, once it
// is clear that HTTP may reach it.
func (s *Service) collectionOf(c echo.Context) (string, error) {
	name, err := service.Param(c, "collection")
	if err != nil {
		return "", err
	}
	return name, s.checkCollection(name)
}

// checkCollection returns the problem of a name that HTTP may not reach: 403 for
// reserved ones, 400 for what no collection can be called. It is asked for paths
// and for the collections that a pipeline joins.
func (s *Service) checkCollection(name string) error {
	switch {
	case strings.HasPrefix(name, "_"), strings.HasPrefix(name, "system."), slices.Contains(s.opts.Reserved, name):
		return collectionReserved()
	case !isName(name):
		return collectionInvalid()
	}
	reserved := s.host.Load().Reserved
	if reserved != nil && reserved(service.Namespace{Database: s.db.Name(), Collection: name}) {
		return collectionReserved()
	}
	return nil
}

// isName reports whether a name matches ^[A-Za-z][A-Za-z0-9_-]{0,63}$.
func isName(name string) bool {
	if name == "" || len(name) > maxNameBytes {
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

func collectionReserved() *service.Problem {
	return &service.Problem{
		Status: http.StatusForbidden, Code: "collection_reserved",
		Detail: "This collection is reserved, and not reachable through storage.",
	}
}

func collectionInvalid() *service.Problem {
	return &service.Problem{
		Status: http.StatusBadRequest, Code: "collection_invalid",
		Detail: "A collection is called by a letter and up to 63 letters, digits, underscores and hyphens.",
	}
}
