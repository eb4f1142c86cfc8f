package generationtest

import "encoding/json"

// Usage is how many tokens an answer took. [Used] scripts it; else a token is
// counted for every four bytes, which is a rule of thumb and no tokenizer.
type Usage struct {
	// Input is the prompt, what is cached of it included.
	Input int
	// Output is what was said.
	Output int
	// Cached is how much of the prompt was cached.
	Cached int
	// Thoughts is what was thought.
	Thoughts int
}

// wire returns the usage as it is on the wire.
func (u Usage) wire() map[string]any {
	out := map[string]any{"promptTokenCount": u.Input, "totalTokenCount": u.Input + u.Output + u.Thoughts}
	for name, n := range map[string]int{"candidatesTokenCount": u.Output, "cachedContentTokenCount": u.Cached, "thoughtsTokenCount": u.Thoughts} {
		if n > 0 {
			out[name] = n
		}
	}
	return out
}

// tokens returns how many tokens a text counts for.
func tokens(text string) int { return (len(text) + 3) / 4 }

// count adds what a chunk takes.
func (a *answer) count(c chunk) {
	if c.usage != nil {
		a.usage, a.fixed = *c.usage, true
	}
	if a.fixed {
		return
	}
	for _, p := range c.parts {
		switch text, _ := p["text"].(string); {
		case p["thought"] == true:
			a.usage.Thoughts += tokens(text)
		case text != "":
			a.usage.Output += tokens(text)
		default:
			raw, _ := json.Marshal(p) //nolint:errchkjson // it came from JSON
			a.usage.Output += tokens(string(raw))
		}
	}
}
