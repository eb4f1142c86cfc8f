package generation

import (
	"encoding/json"
	"strings"
)

// Request is what is asked of Gemini.
type Request struct {
	// Contents is the conversation so far, oldest first; at least one.
	Contents []Content
	// System is the instruction to the model, or "".
	System string
	// Tools are functions that Gemini may ask for, and that the caller runs: the
	// call comes back as a part. They are declared here and never run.
	Tools []Declaration
	// ServerTools are tools of Google's own, each as {"googleSearch": {}}. They run at
	// Google. What they find shows in the answer as far as its parts say so.
	ServerTools []json.RawMessage
	// Toolset has functions that are run here when Gemini asks for them. See
	// [Service.Converse].
	Toolset Toolset
	// Functions names those of Toolset that Gemini may call. Nil means all.
	Functions []string
	// Model is "models/x" or "x"; "" is that of Options.
	Model string
	// Key is the Gemini key to use, or "" for the service's own.
	Key string
	// Config says how to generate; nil leaves all to the model.
	Config *Config
}

// Declaration declares a function that Gemini may ask for.
type Declaration struct {
	// Name is the function's.
	Name string
	// Description tells the model what it does and when to use it.
	Description string
	// Parameters is the JSON Schema of its arguments, or nil where it has none.
	Parameters json.RawMessage

	// raw is a declaration as a client wrote it, in place of the rest.
	raw json.RawMessage
}

// MarshalJSON returns the declaration in Gemini's words.
func (d Declaration) MarshalJSON() ([]byte, error) {
	if d.raw != nil {
		return d.raw, nil
	}
	return json.Marshal(struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parametersJsonSchema,omitempty"`
	}{d.Name, d.Description, d.Parameters})
}

// Config says how to generate. Its JSON is Gemini's generationConfig, as far as it
// is harmless, and functionCallingConfig. What is nil or zero is the model's to choose.
type Config struct {
	// Temperature is from 0, always the likeliest, to 2.
	Temperature *float64 `json:"temperature,omitempty"`
	// TopP and TopK bound what is chosen from.
	TopP *float64 `json:"topP,omitempty"`
	TopK *float64 `json:"topK,omitempty"`
	// Seed makes answers alike, as far as the model can.
	Seed *int32 `json:"seed,omitempty"`
	// MaxOutputTokens bounds the answer, thoughts included.
	MaxOutputTokens int32 `json:"maxOutputTokens,omitempty"`
	// StopSequences end the answer where one of them comes.
	StopSequences []string `json:"stopSequences,omitempty"`
	// PresencePenalty and FrequencyPenalty make repetitions unlikely.
	PresencePenalty  *float64 `json:"presencePenalty,omitempty"`
	FrequencyPenalty *float64 `json:"frequencyPenalty,omitempty"`
	// ResponseMIMEType is "text/plain", "application/json" or "text/x.enum".
	ResponseMIMEType string `json:"responseMimeType,omitempty"`
	// ResponseJSONSchema is the JSON Schema that the answer follows. Where it is
	// given and ResponseMIMEType is not, that is "application/json".
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema,omitempty"`
	// ResponseSchema is the same in Gemini's own dialect of OpenAPI.
	ResponseSchema json.RawMessage `json:"responseSchema,omitempty"`
	// ResponseModalities are "TEXT", "IMAGE", "AUDIO".
	ResponseModalities []string `json:"responseModalities,omitempty"`
	// MediaResolution is such as "MEDIA_RESOLUTION_LOW".
	MediaResolution string `json:"mediaResolution,omitempty"`
	// Thinking says how much the model thinks first.
	Thinking *Thinking `json:"thinkingConfig,omitempty"`
	// Speech and Image are Gemini's speechConfig and imageConfig.
	Speech json.RawMessage `json:"speechConfig,omitempty"`
	Image  json.RawMessage `json:"imageConfig,omitempty"`
	// FunctionCalling says whether functions are asked for.
	FunctionCalling *FunctionCalling `json:"functionCallingConfig,omitempty"`
}

// Thinking says how much a model thinks before it answers.
type Thinking struct {
	// Budget is in tokens; 0 is none and -1 leaves it to the model.
	Budget *int32 `json:"thinkingBudget,omitempty"`
	// Level is such as "LOW" or "HIGH", for models that know levels.
	Level string `json:"thinkingLevel,omitempty"`
	// Include puts summaries of the thoughts into the answer, as parts with
	// "thought": true.
	Include bool `json:"includeThoughts,omitempty"`
}

// FunctionCalling says whether Gemini asks for functions.
type FunctionCalling struct {
	// Mode is "AUTO", "ANY" (it must), "NONE" or "VALIDATED".
	Mode string `json:"mode,omitempty"`
	// Allowed are the names to which "ANY" and "VALIDATED" are bound.
	Allowed []string `json:"allowedFunctionNames,omitempty"`
}

// Reply is what came of a [Request].
type Reply struct {
	// Parts are those of the first candidate, as Gemini sent them.
	Parts []Part
	// FinishReason is Gemini's word for why the answer ended: "STOP", "MAX_TOKENS" …
	FinishReason string
	// Model is the version that answered, as Gemini calls it.
	Model string
	// Usage is the sum over all calls of Gemini.
	Usage Usage
	// History is what to append to Request.Contents to go on: the answer, and
	// before it the calls of functions and their results, if there were any.
	History []Content
}

// Text returns what the parts say, thoughts left out: all of it as one text, or as
// one JSON value where [Config] asks for JSON.
func (r *Reply) Text() string {
	var text strings.Builder
	for _, p := range r.Parts {
		text.WriteString(p.Text())
	}
	return text.String()
}

// Chunk is a piece of an answer that is streamed.
type Chunk struct {
	// Role is RoleModel for what the model says, and RoleUser for the results of
	// functions, which are in between.
	Role string
	// Parts are as Gemini sent them.
	Parts []Part
	// FinishReason is set in the last chunk of a call.
	FinishReason string
	// Model is the version that answers, as Gemini calls it.
	Model string
	// Usage is nil but in the last chunk of all, where it is the sum over all calls.
	Usage *Usage
}
