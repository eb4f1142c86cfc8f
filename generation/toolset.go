package generation

import (
	"context"
	"encoding/json"
)

// Toolset is functions that Gemini may call. It must be safe for concurrent use.
type Toolset interface {
	// Names returns the names of the functions.
	Names() []string
	// Describe returns what a function does, and the JSON Schemas of its input and
	// its output.
	Describe(name string) (description string, input, output json.RawMessage)
	// Call calls a function with a JSON object and returns its output.
	Call(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error)
}
