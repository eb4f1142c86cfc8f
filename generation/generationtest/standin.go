package generationtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// honest is how each of the stand-in's texts begins.
const honest = "This is a stand-in for Gemini, not a model. "

// maxEcho is how many bytes of a prompt, or of a result, are repeated.
const maxEcho = 400

// standIn answers a request for which nothing is scripted: the same to the same.
func standIn(a *ask) Reply {
	last := a.Contents[len(a.Contents)-1]
	if last.responds() {
		return a.say(honest + results(last))
	}
	if mime := a.GenerationConfig.ResponseMIMEType; mime == "application/json" {
		text, err := json.Marshal(parseSchema(a.GenerationConfig.ResponseJSONSchema, a.GenerationConfig.ResponseSchema).example(0))
		if err == nil {
			return a.say(string(text))
		}
	}
	if calls := a.calls(last.text()); len(calls) > 0 {
		return Chunk(calls...)
	}
	return a.say(honest + echo(last))
}

// say says a text, in pieces of a few words. It stops where it may have no more
// tokens.
func (a *ask) say(text string) Reply {
	finish := "STOP"
	if most := a.GenerationConfig.MaxOutputTokens * 4; most > 0 && len(text) > most {
		text, finish = clip(text, most), "MAX_TOKENS"
	}
	words := strings.SplitAfter(text, " ")
	var pieces []Reply
	for piece := range slices.Chunk(words, 4) {
		pieces = append(pieces, Text(strings.Join(piece, "")))
	}
	pieces[len(pieces)-1] = Chunk(pieces[len(pieces)-1], Finish(finish))
	return Stream(pieces...)
}

// clip returns the beginning of a text, of at most so many bytes.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// short is clip with a mark where something is missing.
func short(text string) string {
	if clipped := clip(text, maxEcho); clipped != text {
		return clipped + "…"
	}
	return text
}

// text returns what a content says.
func (c content) text() string {
	var texts []string
	for _, p := range c.Parts {
		if p.Text != "" && !p.Thought {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, " ")
}

// echo tells what was received.
func echo(c content) string {
	files := 0
	for _, p := range c.Parts {
		if p.FileData != nil || p.InlineData != nil {
			files++
		}
	}
	out := fmt.Sprintf("You said: “%s”", short(c.text()))
	if files > 0 {
		out += fmt.Sprintf(" Files: %d.", files)
	}
	return out
}

// results puts the results of functions into words.
func results(c content) string {
	var said []string
	for _, p := range c.Parts {
		if r := p.FunctionResponse; r != nil {
			said = append(said, result(*r))
		}
	}
	return strings.Join(said, " ")
}

// result puts the result of a function into words: {"output": …} is what it
// returned, {"error": …} why it did not, and anything else is the result itself.
func result(r functionResponse) string {
	if failure, ok := r.Response["error"]; ok {
		return short(fmt.Sprintf("%s failed: %s", r.Name, words(failure))) + "."
	}
	var output any = r.Response
	if inner, ok := r.Response["output"]; ok {
		output = inner
	}
	return short(fmt.Sprintf("%s says: %s", r.Name, words(output))) + "."
}

// words puts a JSON value into words.
func words(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		var said []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			said = append(said, name+" "+words(v[name]))
		}
		return strings.Join(said, ", ")
	case []any:
		var said []string
		for _, each := range v {
			said = append(said, words(each))
		}
		return strings.Join(said, ", ")
	default:
		text, _ := json.Marshal(v) //nolint:errchkjson // it came from JSON
		return string(text)
	}
}
