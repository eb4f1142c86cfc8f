package archive

import (
	"net/http"

	"github.com/imadelakhaldev/coglex/service"
)

// Scopes that an API key needs for the routes, where keys have any.
const (
	ScopeRead  = "archive:read"
	ScopeWrite = "archive:write"
)

// deleteAnswer is what a deletion is answered.
type deleteAnswer struct {
	Deleted int64 `json:"deleted"`
}

// Routes returns the route table. Links and tickets are on it where there is an
// Options.Secret.
func (s *Service) Routes() []service.Route {
	routes := []service.Route{
		{
			Name: "upload", Method: http.MethodPost, Path: "/", Scope: ScopeWrite, Handler: s.HandleUpload, Streams: true,
			Summary: "Keeps a file.", Request: uploadForm{}, Response: File{}, Doc: docUpload(),
		},
		{
			Name: "upload-into", Method: http.MethodPost, Path: "/upload/:collection", Scope: ScopeWrite, Handler: s.HandleUpload, Streams: true,
			Summary: "Keeps a file in a collection.", Request: uploadForm{}, Response: File{}, Doc: docUpload(),
		},
		{
			Name: "list", Method: http.MethodGet, Path: "/", Scope: ScopeRead, Handler: s.HandleList,
			Summary: "Lists files.", Response: []File{}, Doc: docList(),
		},
		{
			Name: "download", Method: http.MethodGet, Path: "/:id", Scope: ScopeRead, Handler: s.HandleDownload, Streams: true,
			Summary: "Returns the bytes of a file.", Doc: docDownload(),
		},
		{
			Name: "download-head", Method: http.MethodHead, Path: "/:id", Scope: ScopeRead, Handler: s.HandleDownload,
			Summary: "Answers as download does, without the body.", Doc: docDownload(),
		},
		{
			Name: "download-from", Method: http.MethodGet, Path: "/download/:collection/:id", Scope: ScopeRead, Handler: s.HandleDownload, Streams: true,
			Summary: "Returns the bytes of a file of a collection.", Doc: docDownload(),
		},
		{
			Name: "download-from-head", Method: http.MethodHead, Path: "/download/:collection/:id", Scope: ScopeRead, Handler: s.HandleDownload,
			Summary: "Answers as download-from does, without the body.", Doc: docDownload(),
		},
		{
			Name: "metadata", Method: http.MethodGet, Path: "/:id/metadata", Scope: ScopeRead, Handler: s.HandleMetadata,
			Summary: "Returns the record of a file.", Response: File{}, Doc: docMetadata(),
		},
		{
			Name: "delete", Method: http.MethodDelete, Path: "/:id", Scope: ScopeWrite, Handler: s.HandleDelete,
			Summary: "Deletes a file.", Response: deleteAnswer{}, Doc: docDelete(),
		},
		{
			Name: "delete-from", Method: http.MethodDelete, Path: "/delete/:collection/:id", Scope: ScopeWrite, Handler: s.HandleDelete,
			Summary: "Deletes a file of a collection.", Response: deleteAnswer{}, Doc: docDelete(),
		},
	}
	if s.links == nil {
		return routes
	}
	return append(routes, s.signedRoutes()...)
}

// signedRoutes returns the routes of links and tickets.
func (s *Service) signedRoutes() []service.Route {
	return []service.Route{
		{
			Name: "link", Method: http.MethodPost, Path: "/:id/link", Scope: ScopeRead, Handler: s.HandleLink,
			Summary: "Makes an address that opens a file without the API key.", Request: linkBody{}, Response: Link{}, Doc: docLink(),
		},
		{
			Name: "linked", Method: http.MethodGet, Path: "/links/:id", Need: service.Public, Handler: s.HandleLinked, Streams: true,
			Summary: "Returns the bytes of a file to who has a link.", Doc: docLinked(),
		},
		{
			Name: "linked-head", Method: http.MethodHead, Path: "/links/:id", Need: service.Public, Handler: s.HandleLinked,
			Summary: "Answers as linked does, without the body.", Doc: docLinked(),
		},
		{
			Name: "ticket", Method: http.MethodPost, Path: "/tickets", Scope: ScopeWrite, Handler: s.HandleTicket,
			Summary: "Makes an address that takes one upload without the API key.", Request: ticketBody{}, Response: Ticket{}, Doc: docTicket(),
		},
		{
			Name: "ticketed", Method: http.MethodPost, Path: "/tickets/:id", Need: service.Public, Handler: s.HandleTicketed, Streams: true,
			Summary: "Keeps a file of who has a ticket.", Request: uploadForm{}, Response: File{}, Doc: docTicketed(),
		},
	}
}

// uploadForm is the multipart form of an upload.
type uploadForm struct {
	File     []byte         `json:"file"`
	Metadata map[string]any `json:"metadata,omitempty"`
}
