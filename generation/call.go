package generation

import (
	"context"
	"encoding/json"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// call is what one call of Gemini needs. A conversation with functions makes
// several, each with more contents.
type call struct {
	model        string // "models/x"
	key          string
	ownKey       bool // the caller's
	user         string
	contents     []Content
	system       string
	declarations []Declaration
	serverTools  []json.RawMessage
	config       *Config
	// noFunctions lets Gemini know the functions, and call none any more.
	noFunctions bool

	// For the loop.
	toolset   Toolset
	functions []string
}

// answer is what one call brings, or one event of a stream.
type answer struct {
	parts  []Part // as they came
	finish string
	model  string
	usage  Usage // of a stream: so far
}

// keyOf returns the key for a request, and whether it is the caller's own.
func (s *Service) keyOf(given string) (key string, own bool, err error) {
	switch {
	case given == "" && s.key == "":
		return "", false, ErrNoKey
	case given == "":
		return s.key, false, nil
	case s.opts.NoRequestKeys:
		return "", true, service.Invalid("key", "is not allowed here")
	case !isKey(given):
		return "", true, service.Invalid("key", "is not a key")
	}
	return given, true, nil
}

// userOf returns the signed-in user, or "".
func userOf(ctx context.Context) string {
	if id, ok := middleware.FromContext(ctx); ok {
		return id.UserID()
	}
	return ""
}

// body returns the request in Gemini's words.
func (c *call) body() map[string]any {
	body := map[string]any{"contents": c.contents}
	if c.system != "" {
		body["systemInstruction"] = map[string]any{"parts": []Part{Text(c.system)}}
	}
	if tools := c.tools(); len(tools) > 0 {
		body["tools"] = tools
	}
	if c.config != nil {
		config := *c.config
		config.FunctionCalling = nil
		if config.ResponseJSONSchema != nil && config.ResponseMIMEType == "" {
			config.ResponseMIMEType = "application/json"
		}
		body["generationConfig"] = config
	}
	if f := c.functionCalling(); f != nil {
		body["toolConfig"] = map[string]any{"functionCallingConfig": f}
	}
	return body
}

// tools returns what Gemini may use.
func (c *call) tools() []any {
	var tools []any
	if len(c.declarations) > 0 {
		tools = append(tools, map[string]any{"functionDeclarations": c.declarations})
	}
	for _, t := range c.serverTools {
		tools = append(tools, t)
	}
	return tools
}

func (c *call) functionCalling() *FunctionCalling {
	switch {
	case c.noFunctions && len(c.declarations) > 0:
		return &FunctionCalling{Mode: "NONE"}
	case c.config == nil:
		return nil
	}
	return c.config.FunctionCalling
}

// sdk returns the settings under which the SDK makes the call.
func (c *call) sdk() *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{
		AutomaticContinuation: new(bool), // a loop without an end, billed each time
		HTTPOptions:           sendAs(c.body()),
	}
}

// sendAs has the SDK send a body as it is: what the SDK's own types do not know
// would be lost in them.
func sendAs(body map[string]any) *genai.HTTPOptions {
	return &genai.HTTPOptions{ExtrasRequestProvider: func(map[string]any) map[string]any { return body }}
}
