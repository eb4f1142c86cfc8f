package generationtest

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
)

// The roles of contents.
const (
	roleUser  = "user"
	roleModel = "model"
)

// ask is a request for content, as far as it is looked at; that there are other
// members than these is an error, as it is with Google.
type ask struct {
	Contents          []content       `json:"contents"`
	SystemInstruction *content        `json:"systemInstruction"`
	Tools             []tool          `json:"tools"`
	ToolConfig        json.RawMessage `json:"toolConfig"`
	SafetySettings    json.RawMessage `json:"safetySettings"`
	GenerationConfig  config          `json:"generationConfig"`
	CachedContent     string          `json:"cachedContent"`
	ContinuationToken []byte          `json:"continuationToken"`
	Model             string          `json:"model"`
	Store             *bool           `json:"store"`
	ServiceTier       string          `json:"serviceTier"`
}

// content is a turn of a conversation.
type content struct {
	Role  string    `json:"role"`
	Parts []askPart `json:"parts"`
}

// askPart is a part of a content.
type askPart struct {
	Text                string            `json:"text"`
	Thought             bool              `json:"thought"`
	ThoughtSignature    string            `json:"thoughtSignature"`
	FunctionCall        *functionCall     `json:"functionCall"`
	FunctionResponse    *functionResponse `json:"functionResponse"`
	FileData            *fileData         `json:"fileData"`
	InlineData          json.RawMessage   `json:"inlineData"`
	ExecutableCode      json.RawMessage   `json:"executableCode"`
	CodeExecutionResult json.RawMessage   `json:"codeExecutionResult"`
	ToolCall            json.RawMessage   `json:"toolCall"`
	ToolResponse        json.RawMessage   `json:"toolResponse"`
	VideoMetadata       json.RawMessage   `json:"videoMetadata"`
	MediaResolution     json.RawMessage   `json:"mediaResolution"`
	PartMetadata        json.RawMessage   `json:"partMetadata"`
}

type functionCall struct {
	ID   string         `json:"id"`
	Name string         `json:"name"`
	Args map[string]any `json:"args"`
}

type functionResponse struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Response     map[string]any  `json:"response"`
	Parts        json.RawMessage `json:"parts"`
	WillContinue *bool           `json:"willContinue"`
	Scheduling   string          `json:"scheduling"`
}

type fileData struct {
	FileURI     string `json:"fileUri"`
	MIMEType    string `json:"mimeType"`
	DisplayName string `json:"displayName"`
}

// tool is what the model may use. Of those of Google's own only the name is known.
type tool struct {
	FunctionDeclarations  []declaration   `json:"functionDeclarations"`
	GoogleSearch          json.RawMessage `json:"googleSearch"`
	GoogleSearchRetrieval json.RawMessage `json:"googleSearchRetrieval"`
	GoogleMaps            json.RawMessage `json:"googleMaps"`
	CodeExecution         json.RawMessage `json:"codeExecution"`
	URLContext            json.RawMessage `json:"urlContext"`
	ComputerUse           json.RawMessage `json:"computerUse"`
	FileSearch            json.RawMessage `json:"fileSearch"`
}

// declaration is a function as the model knows it.
type declaration struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description"`
	Behavior             string          `json:"behavior"`
	Parameters           json.RawMessage `json:"parameters"`
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
	Response             json.RawMessage `json:"response"`
	ResponseJSONSchema   json.RawMessage `json:"responseJsonSchema"`
}

// config is a generation config, of which the stand-in looks at a little.
type config struct {
	CandidateCount     int             `json:"candidateCount"`
	MaxOutputTokens    int             `json:"maxOutputTokens"`
	ResponseMIMEType   string          `json:"responseMimeType"`
	ResponseSchema     json.RawMessage `json:"responseSchema"`
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
	Temperature        *float64        `json:"temperature"`
	TopP               *float64        `json:"topP"`
	TopK               *float64        `json:"topK"`
	Seed               *int64          `json:"seed"`
	StopSequences      []string        `json:"stopSequences"`
	PresencePenalty    *float64        `json:"presencePenalty"`
	FrequencyPenalty   *float64        `json:"frequencyPenalty"`
	ResponseLogprobs   *bool           `json:"responseLogprobs"`
	Logprobs           *int            `json:"logprobs"`
	ResponseModalities []string        `json:"responseModalities"`
	MediaResolution    string          `json:"mediaResolution"`
	ThinkingConfig     json.RawMessage `json:"thinkingConfig"`
	SpeechConfig       json.RawMessage `json:"speechConfig"`
	ImageConfig        json.RawMessage `json:"imageConfig"`
}

// calling says whether functions may be called.
type calling struct {
	Mode                 string   `json:"mode"`
	AllowedFunctionNames []string `json:"allowedFunctionNames"`
}

// calling returns whether functions may be called.
func (a *ask) calling() calling {
	var c struct {
		FunctionCallingConfig calling `json:"functionCallingConfig"`
	}
	if len(a.ToolConfig) > 0 {
		_ = json.Unmarshal(a.ToolConfig, &c) // what is not understood is as if it were not there
	}
	return c.FunctionCallingConfig
}

// declarations returns the functions that are declared.
func (a *ask) declarations() []declaration {
	var out []declaration
	for _, t := range a.Tools {
		out = append(out, t.FunctionDeclarations...)
	}
	return out
}

// tokens returns how many tokens the request counts for.
func (a *ask) tokens() int {
	n := 0
	for _, c := range a.Contents {
		n += c.tokens()
	}
	if a.SystemInstruction != nil {
		n += a.SystemInstruction.tokens()
	}
	return n
}

// tokens returns how many tokens a content counts for.
func (c content) tokens() int {
	n := 0
	for _, p := range c.Parts {
		n += tokens(p.Text)
		switch {
		case p.FunctionCall != nil:
			n += tokens(p.FunctionCall.Name) + size(p.FunctionCall.Args)
		case p.FunctionResponse != nil:
			n += tokens(p.FunctionResponse.Name) + size(p.FunctionResponse.Response)
		case p.FileData != nil || p.InlineData != nil:
			n += 258 // what Google counts for a small image
		}
	}
	return n
}

// size returns how many tokens an object counts for.
func size(object map[string]any) int {
	text, _ := json.Marshal(object) //nolint:errchkjson // it came from JSON
	return tokens(string(text))
}

// responds reports whether a content answers function calls.
func (c content) responds() bool {
	return slices.ContainsFunc(c.Parts, func(p askPart) bool { return p.FunctionResponse != nil })
}

// calls returns the function calls of a content.
func (c content) calls() int {
	n := 0
	for _, p := range c.Parts {
		if p.FunctionCall != nil {
			n++
		}
	}
	return n
}

// empty reports whether a part has no data.
func (p askPart) empty() bool {
	return p.Text == "" && p.FunctionCall == nil && p.FunctionResponse == nil && p.FileData == nil && p.InlineData == nil &&
		p.ExecutableCode == nil && p.CodeExecutionResult == nil && p.ToolCall == nil && p.ToolResponse == nil && p.ThoughtSignature == ""
}

// unknownName is how encoding/json says that there is no such field.
var unknownName = regexp.MustCompile(`unknown field ("[^"]*")`)

// parse reads a body, in which unknown names are errors.
func parse(body []byte, dst any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(dst)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return invalid("Invalid JSON payload received. Parsing terminated before end of input.")
		}
		return nil
	}
	if m := unknownName.FindStringSubmatch(err.Error()); m != nil {
		return invalid("Invalid JSON payload received. Unknown name %s: Cannot find field.", m[1])
	}
	return invalid("Invalid JSON payload received. %s", err)
}

// parseAsk reads a request for content.
func parseAsk(body []byte) (*ask, error) {
	var a ask
	if err := parse(body, &a); err != nil {
		return nil, err
	}
	return &a, nil
}
