package generationtest

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
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
	ToolConfig        toolConfig      `json:"toolConfig"`
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

// tool is what the model may use. Google has other tools than functions.
type tool struct {
	FunctionDeclarations []declaration `json:"functionDeclarations"`
}

// declaration is a function as the model knows it.
type declaration struct {
	Name                 string  `json:"name"`
	Description          string  `json:"description"`
	Parameters           *schema `json:"parameters"`
	ParametersJSONSchema *schema `json:"parametersJsonSchema"`
}

// schema is what the stand-in understands of a JSON Schema.
type schema struct {
	Type       schemaType         `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Enum       []any              `json:"enum"`
	Items      *schema            `json:"items"`
}

// schemaType is a type, or the first that is not null of several.
type schemaType string

// UnmarshalJSON reads a name or a list of names, in any case.
func (t *schemaType) UnmarshalJSON(text []byte) error {
	var names []string
	if len(text) > 0 && text[0] == '"' {
		names = make([]string, 1)
		if err := json.Unmarshal(text, &names[0]); err != nil {
			return err
		}
	} else if err := json.Unmarshal(text, &names); err != nil {
		return err
	}
	for _, name := range names {
		if name = strings.ToLower(name); name != "null" {
			*t = schemaType(name)
			break
		}
	}
	return nil
}

type toolConfig struct {
	FunctionCallingConfig struct {
		Mode                 string   `json:"mode"`
		AllowedFunctionNames []string `json:"allowedFunctionNames"`
	} `json:"functionCallingConfig"`
}

// config is what the stand-in looks at of a generation config.
type config struct {
	ResponseMIMEType   string  `json:"responseMimeType"`
	ResponseSchema     *schema `json:"responseSchema"`
	ResponseJSONSchema *schema `json:"responseJsonSchema"`
	MaxOutputTokens    int     `json:"maxOutputTokens"`
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
var unknownName = regexp.MustCompile(`unknown field ("[^"]*")`) //nolint:gochecknoglobals // a constant

// parse reads a body, in which unknown names are errors.
func parse(body []byte, dst any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(dst)
	if err == nil {
		if _, more := d.Token(); more != io.EOF { //nolint:errorlint // the decoder gives it as it is
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

// check checks what Google checks of a conversation.
func (g *Gemini) check(a *ask) error {
	if len(a.Contents) == 0 {
		return invalid("* GenerateContentRequest.contents: contents is not specified\n")
	}
	for i, c := range a.Contents {
		if c.Role != "" && c.Role != roleUser && c.Role != roleModel {
			return invalid("Please use a valid role: user, model.")
		}
		if len(c.Parts) == 0 {
			return invalid("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.\n", i)
		}
		for j, p := range c.Parts {
			if p.empty() {
				return invalid("* GenerateContentRequest.contents[%d].parts[%d].data: required oneof field 'data' must have one initialized field\n", i, j)
			}
		}
		if err := g.checkFiles(c); err != nil {
			return err
		}
		if err := checkTurns(a.Contents, i); err != nil {
			return err
		}
	}
	if err := checkDeclarations(a.declarations()); err != nil {
		return err
	}
	if err := g.checkSignatures(a.Contents); err != nil {
		return err
	}
	return nil
}

// checkTurns checks that calls are answered one by one, and only calls.
func checkTurns(contents []content, i int) error {
	c := contents[i]
	if n := c.calls(); n > 0 && i+1 < len(contents) {
		answers := 0
		for _, p := range contents[i+1].Parts {
			if p.FunctionResponse != nil {
				answers++
			}
		}
		if answers != n {
			return invalid("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
		}
	}
	if c.responds() && (i == 0 || contents[i-1].calls() == 0) {
		return invalid("Please ensure that function response turn comes immediately after a function call turn.")
	}
	return nil
}

// functionName is what a function may be called.
var functionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$`) //nolint:gochecknoglobals // a constant

// checkDeclarations checks the names of functions.
func checkDeclarations(all []declaration) error {
	seen := map[string]bool{}
	for i, d := range all {
		if !functionName.MatchString(d.Name) {
			return invalid("* GenerateContentRequest.tools[0].function_declarations[%d].name: Invalid function name. Must start with a letter or an underscore. "+
				"Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n", i)
		}
		if seen[d.Name] {
			return invalid("Duplicate function declaration found: %s", d.Name)
		}
		seen[d.Name] = true
	}
	return nil
}
