package mongoquery

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Code says what kind of rule was broken. The values are stable: they are sent to clients.
type Code string

// The codes of an [Error].
const (
	// CodeOperator: an operator, stage, variable or positional path segment that is not on the list for its place.
	CodeOperator Code = "operator_not_allowed"
	// CodeReserved: a field that is hidden, or reserved and named where it must not be.
	CodeReserved Code = "field_reserved"
	// CodeField: a field that is not among [Rules.Fields].
	CodeField Code = "field_unknown"
	// CodeCollection: a collection that [Rules.Collections] refused; Err has its reason.
	CodeCollection Code = "collection_refused"
	// CodeTooComplex: one of the limits is passed.
	CodeTooComplex Code = "too_complex"
	// CodeInvalid: the shape is wrong: a type, a missing or unknown argument, a malformed name.
	CodeInvalid Code = "invalid_query"
)

const (
	maxNameBytes = 64  // of one name in a path
	maxPathBytes = 512 // of a whole path
)

// Error is a refusal. All of it is safe to show to the client: Path has names only, never values, each at most
// 64 bytes and printable; Reason is one of our own constant sentences.
type Error struct {
	Path   string // where, such as `pipeline[2].$facet.a[0].$lookup`
	Code   Code
	Reason string
	Err    error // what [Rules.Collections] returned; nil otherwise. Not part of the text.
}

// Error is the path and the reason.
func (e *Error) Error() string { return e.Path + ": " + e.Reason }

// Unwrap gives the error of [Rules.Collections], if that was the cause.
func (e *Error) Unwrap() error { return e.Err }

func refuse(code Code, reason string) *Error { return &Error{Code: code, Reason: reason} }

func invalid(reason string) *Error { return refuse(CodeInvalid, reason) }

func tooComplex(reason string) *Error { return refuse(CodeTooComplex, reason) }

func notAllowed() *Error { return refuse(CodeOperator, "is not allowed here") }

// in puts a name in front of the path. Paths are built from the inside out, while a refusal travels up, so that
// what is accepted costs nothing.
func (e *Error) in(name []byte) *Error { return e.prepend(printable(name)) }

// inName puts name in front of the path of err, which may be nil.
func inName(err *Error, name []byte) *Error {
	if err == nil {
		return nil
	}
	return err.in(name)
}

// at puts an index in front of the path.
func (e *Error) at(index int) *Error { return e.prepend("[" + strconv.Itoa(index) + "]") }

func (e *Error) prepend(segment string) *Error {
	if e.Path != "" && e.Path[0] != '[' {
		segment += "."
	}
	e.Path = segment + e.Path
	return e
}

// root names the part of the request that was checked and turns a *Error, which may be nil, into an error.
func root(e *Error, name string) error {
	if e == nil {
		return nil
	}
	e = e.prepend(name)
	e.Path = clip(e.Path, maxPathBytes)
	return e
}

// printable makes a client's name fit for a message: bounded, valid UTF-8, no control or invisible characters.
func printable(name []byte) string {
	if len(name) == 0 {
		return `""`
	}
	if len(name) > maxNameBytes+utf8.UTFMax { // what is cut off anyway need not be converted
		name = name[:maxNameBytes+utf8.UTFMax]
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, string(name))
	return clip(text, maxNameBytes)
}

// clip cuts text to at most limit bytes, at a rune, the mark of omission included.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "…"
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + mark
}
