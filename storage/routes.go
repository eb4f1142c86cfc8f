package storage

import (
	"net/http"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/service"
)

// Scopes that an API key needs for the routes, where keys have any.
const (
	ScopeRead  = "storage:read"
	ScopeWrite = "storage:write"
)

// The bodies of requests and answers.
type (
	// insertBody has one of the two.
	insertBody struct {
		Documents extjson.Array    `json:"documents"`
		Document  extjson.Document `json:"document"`
	}
	insertAnswer struct {
		IDs []any `json:"ids"`
	}
	patchOneBody struct {
		Document extjson.Document `json:"document"`
	}
	// patchManyBody may have its query in the URL instead.
	patchManyBody struct {
		Document extjson.Document `json:"document"`
		Query    extjson.Document `json:"query"`
	}
	// deleteManyBody may have its query in the URL instead.
	deleteManyBody struct {
		Query extjson.Document `json:"query"`
	}
	deleteAnswer struct {
		Deleted int64 `json:"deleted"`
	}
	aggregateBody struct {
		Pipeline extjson.Array `json:"pipeline"`
	}
)

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return []service.Route{
		{
			Name: "find", Method: http.MethodGet, Path: "/:collection", Scope: ScopeRead, Handler: s.HandleFind, Streams: true,
			Summary: "Lists documents, as an array or a document a line.", Response: []extjson.Document{}, Doc: docFind(),
		},
		{
			Name: "find-one", Method: http.MethodGet, Path: "/:collection/:id", Scope: ScopeRead, Handler: s.HandleFindOne,
			Summary: "Returns one document.", Response: extjson.Document{}, Doc: docFindOne(),
		},
		{
			Name: "find-head", Method: http.MethodHead, Path: "/:collection", Scope: ScopeRead, Handler: s.HandleFind, Streams: true,
			Summary: "Answers as find does, without the body.", Response: []extjson.Document{}, Doc: docFind(),
		},
		{
			Name: "find-one-head", Method: http.MethodHead, Path: "/:collection/:id", Scope: ScopeRead, Handler: s.HandleFindOne,
			Summary: "Answers as find-one does, without the body.", Response: extjson.Document{}, Doc: docFindOne(),
		},
		{
			Name: "insert", Method: http.MethodPost, Path: "/:collection", Scope: ScopeWrite, Handler: s.HandleInsert,
			Summary: "Inserts one or several documents.", Request: insertBody{}, Response: insertAnswer{}, Doc: docInsert(),
		},
		{
			Name: "patch-one", Method: http.MethodPatch, Path: "/:collection/:id", Scope: ScopeWrite, Handler: s.HandlePatchOne,
			Summary: "Changes one document.", Request: patchOneBody{}, Response: PatchResult{}, Doc: docPatchOne(),
		},
		{
			Name: "patch-many", Method: http.MethodPatch, Path: "/:collection", Scope: ScopeWrite, Handler: s.HandlePatchMany,
			Summary: "Changes all documents that match a query.", Request: patchManyBody{}, Response: PatchResult{}, Doc: docPatchMany(),
		},
		{
			Name: "delete-one", Method: http.MethodDelete, Path: "/:collection/:id", Scope: ScopeWrite, Handler: s.HandleDeleteOne,
			Summary: "Deletes one document.", Response: deleteAnswer{}, Doc: docDeleteOne(),
		},
		{
			Name: "delete-many", Method: http.MethodDelete, Path: "/:collection", Scope: ScopeWrite, Handler: s.HandleDeleteMany,
			Summary: "Deletes all documents that match a query.", Request: deleteManyBody{}, Response: deleteAnswer{}, Doc: docDeleteMany(),
		},
		{
			Name: "aggregate", Method: http.MethodPost, Path: "/:collection/aggregate", Scope: ScopeRead, Handler: s.HandleAggregate, Streams: true,
			Summary: "Runs an aggregation pipeline.", Request: aggregateBody{}, Response: []extjson.Document{}, Doc: docAggregate(),
		},
	}
}
