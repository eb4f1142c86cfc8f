package execution

import (
	"encoding/json"
	"net/http"

	"github.com/imadelakhaldev/coglex/service"
)

// Scopes that an API key needs for the routes, where keys have any. A function may
// need one of its own besides: [FuncOptions].Scope.
const (
	ScopeRead = "execution:read"
	ScopeCall = "execution:call"
)

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return []service.Route{
		{
			Name: "execute", Method: http.MethodPost, Path: "/execute/:function", Scope: ScopeCall, Need: service.KeyMaybeUser,
			Handler: s.HandleExecute, Summary: "Executes a function.", Request: json.RawMessage{}, Response: json.RawMessage{}, Doc: docExecute(),
		},
		{
			Name: "functions", Method: http.MethodGet, Path: "/functions", Scope: ScopeRead,
			Handler: s.HandleFunctions, Summary: "Lists the functions, with the schemas of what they take and return.",
			Response: []description{}, Doc: docFunctions(),
		},
	}
}
