package storage

import (
	"net/http"

	"github.com/imadelakhaldev/coglex/service"
)

// Scopes of API keys that the routes ask for.
const (
	ScopeRead  = "storage:read"
	ScopeWrite = "storage:write"
)

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return []service.Route{
		{
			Name: "insert", Method: http.MethodPost, Path: "/:collection", Scope: ScopeWrite, Handler: s.HandleInsert,
			Summary: "Inserts one or several documents.", Request: insertBody{},
		},
	}
}
