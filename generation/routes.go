package generation

import (
	"encoding/json"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// Scopes that an API key needs for the routes, where keys have any.
const (
	ScopeGenerate = "generation:generate"
)

// The bodies of requests and answers.
type (
	fileAnswer struct {
		FileData fileData `json:"fileData"`
	}
	fileData struct {
		URI      string `json:"fileUri"`
		MIMEType string `json:"mimeType"`
	}
	converseBody struct {
		Contents  jsontext.Value `json:"contents"`
		System    string         `json:"system"`
		Tools     jsontext.Value `json:"tools"`
		Model     string         `json:"model"`
		Key       string         `json:"key"`
		Config    jsontext.Value `json:"config"`
		Functions []string       `json:"functions"`
	}
)

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return []service.Route{
		{
			Name: "file", Method: http.MethodPost, Path: "/file", Scope: ScopeGenerate, Need: service.KeyMaybeUser, Handler: s.HandleFile, Streams: true,
			Summary: "Sends a file to Gemini.", Response: fileAnswer{},
		},
		{
			Name: "converse", Method: http.MethodPost, Path: "/converse", Scope: ScopeGenerate, Need: service.KeyMaybeUser, Handler: s.HandleConverse, Streams: true,
			Summary: "Asks Gemini and returns the parts of its answer.", Request: converseBody{}, Response: []json.RawMessage{},
		},
	}
}
