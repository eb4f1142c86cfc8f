package generationtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxCalls is how many functions the stand-in calls at once.
const maxCalls = 4

// calls returns the calls that a prompt seems to ask for: of declared functions that
// it speaks of, as far as their arguments can be found in it.
func (a *ask) calls(prompt string) []Reply {
	mode := a.calling()
	if mode.Mode == "NONE" {
		return nil
	}
	var calls []Reply
	for _, d := range a.declarations() {
		if len(mode.AllowedFunctionNames) > 0 && !slices.Contains(mode.AllowedFunctionNames, d.Name) {
			continue
		}
		if speaksOf(prompt, d.Name) || mode.Mode == "ANY" {
			calls = append(calls, d.calls(prompt)...)
		}
	}
	return calls[:min(len(calls), maxCalls)]
}

var (
	wordsOf  = regexp.MustCompile(`[\p{L}\p{N}]+`)
	humps    = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)
	numbers  = regexp.MustCompile(`-?\d+(\.\d+)?`)
	quoted   = regexp.MustCompile(`["“'‘]([^"“”'‘’]+)["”'’]`)
	sentence = regexp.MustCompile(`(?:^|[.!?]\s+)\p{Lu}[\p{L}\p{N}_'’-]*`)
	after    = regexp.MustCompile(`\b(?:in|at|for|of|to|from|named|called) ([\p{L}\p{N}-]+)`)
	proper   = regexp.MustCompile(`\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*)*`)
)

// speaksOf reports whether a prompt has the name of a function, or a word of it that
// says something: the weather of getWeather.
func speaksOf(prompt, name string) bool {
	if strings.Contains(prompt, name) {
		return true
	}
	common := []string{"call", "fetch", "find", "function", "list", "make", "example", "read", "send", "show", "tool", "with"}
	said := wordsOf.FindAllString(strings.ToLower(prompt), -1)
	for _, word := range humps.FindAllString(name, -1) {
		if word = strings.ToLower(word); len(word) > 3 && !slices.Contains(common, word) && slices.Contains(said, word) {
			return true
		}
	}
	return false
}

// calls returns the calls of a function: one, or one for each of several values
// where it takes a single text. It returns none where an argument is missing.
func (d declaration) calls(prompt string) []Reply {
	s := parseSchema(d.ParametersJSONSchema, d.Parameters)
	texts, digits := mentioned(prompt, d.Name), numbers.FindAllString(prompt, -1)
	if names := s.names(); len(s.Required) == 1 && len(texts) > 1 && s.Properties[names[0]].plain() {
		var calls []Reply
		for _, text := range texts {
			calls = append(calls, Call(d.Name, map[string]any{names[0]: text}))
		}
		return calls
	}
	args := map[string]any{}
	for _, name := range s.names() {
		if v, ok := s.Properties[name].find(prompt, &texts, &digits); ok {
			args[name] = v
		} else if slices.Contains(s.Required, name) {
			return nil
		}
	}
	return []Reply{Call(d.Name, args)}
}

// plain reports whether a property is any text.
func (s *schema) plain() bool { return s.Type == typeString && len(s.Enum) == 0 && s.Const == nil }

// find finds a value for a property in what a prompt mentions, and takes it away.
func (s *schema) find(prompt string, texts, digits *[]string) (any, bool) {
	if len(s.Enum) > 0 {
		for _, v := range s.Enum {
			if strings.Contains(strings.ToLower(prompt), strings.ToLower(fmt.Sprint(v))) {
				return v, true
			}
		}
		return nil, false
	}
	switch s.Type {
	case typeString:
		if len(*texts) == 0 {
			return nil, false
		}
		text := (*texts)[0]
		*texts = (*texts)[1:]
		return text, true
	case typeNumber, typeInteger:
		if len(*digits) == 0 {
			return nil, false
		}
		text, _, _ := strings.Cut((*digits)[0], ".")
		if s.Type == typeNumber {
			text = (*digits)[0]
		}
		*digits = (*digits)[1:]
		n, err := strconv.ParseFloat(text, 64)
		return n, err == nil
	default:
		return nil, false
	}
}

// mentioned returns the texts in a prompt that may be arguments: what is quoted, else
// what has a capital letter without beginning a sentence, else what follows a
// preposition, else the last word that is not of the function's name.
func mentioned(prompt, function string) []string {
	prompt = strings.ReplaceAll(prompt, function, " ")
	if found := submatches(quoted, prompt); len(found) > 0 {
		return found
	}
	var found []string
	for _, m := range proper.FindAllString(sentence.ReplaceAllString(prompt, ". "), -1) {
		if !slices.Contains(found, m) && m != "I" {
			found = append(found, m)
		}
	}
	if len(found) > 0 {
		return found
	}
	if found := submatches(after, prompt); len(found) > 0 {
		return found
	}
	name := strings.ToLower(strings.Join(humps.FindAllString(function, -1), " "))
	for _, word := range slices.Backward(wordsOf.FindAllString(prompt, -1)) {
		if !strings.Contains(name, strings.ToLower(word)) {
			return []string{word}
		}
	}
	return nil
}

// submatches returns what the group of an expression matches.
func submatches(expression *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range expression.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}
