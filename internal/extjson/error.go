package extjson

import (
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrCorrupt is returned for bytes that are not well-formed BSON, or that are
// nested more than a thousand levels deep.
var ErrCorrupt = errors.New("extjson: corrupt BSON")

// Error says which part of a JSON text was refused and why. It is safe to show:
// it repeats no value, and of names only a bounded, printable rendering.
type Error struct {
	// Path leads to the refused part, such as "document.tags[2].$date". It is
	// empty where the whole text is meant.
	Path string
	// Reason is a predicate for the path, such as "must be a string".
	Reason string
}

// Error returns the path and the reason.
func (e *Error) Error() string {
	if e.Path == "" {
		return "extjson: the value " + e.Reason
	}
	return "extjson: " + e.Path + " " + e.Reason
}

// Under returns the error with its path below a name, for a text that was
// itself one field of something larger.
func (e *Error) Under(name string) *Error {
	path := Name(name)
	if e.Path != "" && e.Path[0] != '[' {
		path += "."
	}
	return &Error{Path: path + e.Path, Reason: e.Reason}
}

// The reasons that are not said in one place only.
const (
	reasonMalformed = "is not well-formed JSON"
	reasonDuplicate = "is given twice"
	reasonObject    = "must be an object"
	reasonArray     = "must be an array"
	reasonString    = "must be a string"
	reasonRange     = "is out of range"
)

const (
	maxName = 64  // runes of one name in a path
	maxPath = 256 // bytes of a path, about
)

// Name returns a name as it may be shown in an error or a log: at most 64
// characters, those that do not print (control, bidirectional and other format
// characters, invalid UTF-8) replaced by U+FFFD, and "" for the empty name.
func Name(name string) string {
	if name == "" {
		return `""`
	}
	var b strings.Builder
	n := 0
	for _, r := range name {
		if n++; n > maxName {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Path renders a JSON pointer as a path: dots between names, indices in
// brackets, everything shown as by [Name], the middle left out where it is long.
// A pointer does not tell an index from a name of digits, so below its first
// token digits are taken for an index.
func Path(pointer jsontext.Pointer) string {
	return renderPath(pointer, func(level int, token string) bool {
		return level > 1 && token != "" && strings.Trim(token, "0123456789") == ""
	})
}

// pathIn is [Path] with what the decoder knows of the levels that are open.
func pathIn(dec *jsontext.Decoder, pointer jsontext.Pointer) string {
	return renderPath(pointer, func(level int, _ string) bool {
		if level > dec.StackDepth() {
			return false
		}
		kind, _ := dec.StackIndex(level)
		return kind == '['
	})
}

func renderPath(pointer jsontext.Pointer, isIndex func(level int, token string) bool) string {
	var b strings.Builder
	level := 0
	for token := range pointer.Tokens() {
		level++
		switch name := Name(token); {
		case isIndex(level, token):
			b.WriteString("[" + name + "]")
		case level > 1:
			b.WriteString("." + name)
		default:
			b.WriteString(name)
		}
	}
	return shorten(b.String())
}

// shorten leaves out the middle of a long path: its ends tell the most.
func shorten(path string) string {
	if len(path) <= maxPath {
		return path
	}
	const half = maxPath / 2
	head, tail := half, len(path)-half
	for !utf8.RuneStart(path[head]) {
		head--
	}
	for !utf8.RuneStart(path[tail]) {
		tail++
	}
	return path[:head] + "…" + path[tail:]
}

// describe turns what the JSON decoder reports into an [Error].
func describe(err error, path func(jsontext.Pointer) string) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Reason: reasonMalformed}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		e.Reason = reasonDuplicate
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		e.Reason = "ends too early"
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		e.Path = path(syntactic.JSONPointer)
	}
	return e
}
