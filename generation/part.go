package generation

import (
	"encoding/json"
	"errors"
)

// The roles of a content.
const (
	// RoleUser is the one who asks, and the results of functions.
	RoleUser = "user"
	// RoleModel is the one who answers.
	RoleModel = "model"
)

// Content is one turn of a conversation.
type Content struct {
	// Role is RoleUser, which "" means too, or RoleModel.
	Role string `json:"role"`
	// Parts are what is said, at least one.
	Parts []Part `json:"parts"`
}

// Part is one part of a [Content], or of an answer: a JSON object in Gemini's own
// words ("text", "fileData", "functionCall" …). It is kept as it came, so that a
// thought signature, and whatever else Gemini sends, goes back unchanged with the
// next turn. A Part must not be changed in place.
type Part json.RawMessage

// MarshalJSON returns the part as it is.
func (p Part) MarshalJSON() ([]byte, error) {
	if len(p) == 0 {
		return nil, errors.New("generation: a part is empty")
	}
	return p, nil
}

// UnmarshalJSON keeps the part as it is.
func (p *Part) UnmarshalJSON(text []byte) error {
	*p = append((*p)[:0:0], text...)
	return nil
}

// partFields are the members of a part that this package looks at.
type partFields struct {
	Text         string        `json:"text,omitempty"`
	Thought      bool          `json:"thought,omitempty"`
	FunctionCall *FunctionCall `json:"functionCall,omitempty"`
}

// Text returns the text of a part, "" where it has none or is a thought.
func (p Part) Text() string {
	var f partFields
	if json.Unmarshal(p, &f) != nil || f.Thought {
		return ""
	}
	return f.Text
}

// FunctionCall is Gemini's wish that a function be called.
type FunctionCall struct {
	// ID is Gemini's name for this call, or "".
	ID string `json:"id,omitempty"`
	// Name is the function's.
	Name string `json:"name"`
	// Args is a JSON object, or nil.
	Args json.RawMessage `json:"args,omitempty"`
}

// FunctionCall returns the call in a part, and whether there is one.
func (p Part) FunctionCall() (FunctionCall, bool) {
	var f partFields
	if json.Unmarshal(p, &f) != nil || f.FunctionCall == nil {
		return FunctionCall{}, false
	}
	if string(f.FunctionCall.Args) == "null" {
		f.FunctionCall.Args = nil
	}
	return *f.FunctionCall, true
}

// Text returns a part that is text.
func Text(text string) Part { return must(map[string]any{"text": text}) }

// Bytes returns a part that is a small file, such as a picture, inside the request.
func Bytes(mimeType string, data []byte) Part {
	return must(map[string]any{"inlineData": map[string]any{"mimeType": mimeType, "data": data}})
}

// FunctionResponse returns a part that tells Gemini what came of a call. The
// response must be a JSON object; Gemini looks for "output" or "error" in it.
func FunctionResponse(call FunctionCall, response json.RawMessage) Part {
	f := map[string]any{"name": call.Name, "response": response}
	if call.ID != "" {
		f["id"] = call.ID
	}
	return must(map[string]any{"functionResponse": f})
}

// User returns a turn of the user with the given parts.
func User(parts ...Part) Content { return Content{Role: RoleUser, Parts: parts} }

// must returns the JSON of a value, and an empty part, which is refused when it is
// sent, where it holds malformed JSON.
func must(v any) Part {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return text
}
