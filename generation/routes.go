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
	ScopeRead     = "generation:read"
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
	tokensBody struct {
		Contents jsontext.Value `json:"contents"`
		System   string         `json:"system"`
		Tools    jsontext.Value `json:"tools"`
		Model    string         `json:"model"`
		Key      string         `json:"key"`
	}
	tokensAnswer struct {
		Tokens int64 `json:"tokens"`
	}
	embedBody struct {
		Texts      []string `json:"texts"`
		Task       string   `json:"task"`
		Dimensions int32    `json:"dimensions"`
		Model      string   `json:"model"`
		Key        string   `json:"key"`
	}
	embedAnswer struct {
		Embeddings [][]float32 `json:"embeddings"`
	}
)

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return []service.Route{
		{
			Name: "file", Method: http.MethodPost, Path: "/file", Scope: ScopeGenerate, Need: service.KeyMaybeUser, Handler: s.HandleFile, Streams: true,
			Summary: "Sends a file to Gemini.", Response: fileAnswer{}, Doc: docFile(),
		},
		{
			Name: "converse", Method: http.MethodPost, Path: "/converse", Scope: ScopeGenerate, Need: service.KeyMaybeUser, Handler: s.HandleConverse, Streams: true,
			Summary: "Asks Gemini and returns the parts of its answer.", Request: converseBody{}, Response: []json.RawMessage{}, Doc: docConverse(),
		},
		{
			Name: "tokens", Method: http.MethodPost, Path: "/tokens", Scope: ScopeGenerate, Need: service.KeyMaybeUser, Handler: s.HandleTokens,
			Summary: "Counts the tokens of a request.", Request: tokensBody{}, Response: tokensAnswer{}, Doc: docTokens(),
		},
		{
			Name: "embed", Method: http.MethodPost, Path: "/embed", Scope: ScopeGenerate, Need: service.KeyMaybeUser, Handler: s.HandleEmbed,
			Summary: "Makes vectors of texts.", Request: embedBody{}, Response: embedAnswer{}, Doc: docEmbed(),
		},
		{
			Name: "models", Method: http.MethodGet, Path: "/models", Scope: ScopeRead, Handler: s.HandleModels,
			Summary: "Lists the models that the gateway's key may use.", Response: []Model{}, Doc: docModels(),
		},
		{
			Name: "usage", Method: http.MethodGet, Path: "/usage", Scope: ScopeRead, Need: service.KeyMaybeUser, Handler: s.HandleUsage,
			Summary: "Tells how many tokens were used on a day.", Response: Account{}, Doc: docUsage(),
		},
	}
}
