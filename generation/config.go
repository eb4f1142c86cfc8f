package generation

import (
	"encoding/json"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// parseConfig reads the configuration of a request over HTTP, in snake_case or
// camelCase. What is not a field of [Config] is refused.
func parseConfig(v jsontext.Value) (*Config, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // there is none, which is no mistake
	}
	var w writer
	if _, err := w.object("config", v, configShape()); err != nil {
		return nil, err
	}
	c := new(Config)
	err := json.Unmarshal(w.out, c)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, service.Invalid("config."+wrong.Field, "is not a value that it can have")
	}
	if err != nil {
		return nil, service.Invalid("config", "is not understood")
	}
	return c, nil
}

// configShape is what a configuration may have.
func configShape() shape {
	number, word, list, object := field{kinds: `0`}, field{kinds: `"`}, field{kinds: `[`}, field{kinds: `{`}
	return shape{
		"temperature": number, "topP": number, "topK": number, "seed": number, "maxOutputTokens": number,
		"presencePenalty": number, "frequencyPenalty": number, "stopSequences": list,
		"responseMimeType": word, "responseJsonSchema": object, "responseSchema": object, "responseModalities": list,
		"mediaResolution": word, "speechConfig": object, "imageConfig": object,
		"thinkingConfig":        {kinds: `{`, inner: shape{"thinkingBudget": number, "thinkingLevel": word, "includeThoughts": {kinds: `t`}}},
		"functionCallingConfig": {kinds: `{`, inner: shape{"mode": word, "allowedFunctionNames": list}},
	}
}
