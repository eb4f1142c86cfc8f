package generation

import (
	"regexp"
	"strings"

	"github.com/imadelakhaldev/coglex/service"
)

// modelText is how models are called. What it leaves out would be a path, a query
// or a method of Gemini's.
var modelText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// modelName returns the full name of a model that is given as "models/x" or "x".
func modelName(text string) (string, error) {
	name := strings.TrimPrefix(text, "models/")
	if !modelText.MatchString(name) || strings.Contains(name, "..") {
		return "", service.Invalid("model", `must be the name of a model, such as "models/gemini-2.5-flash"`)
	}
	return "models/" + name, nil
}

// isKey reports whether a text can be a key: printable ASCII without spaces.
func isKey(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return text != "" && len(text) <= 512
}
