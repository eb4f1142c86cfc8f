package mongoquery

import (
	"bytes"
	"unicode/utf8"
)

// pattern bounds a regular expression.
func pattern(p []byte) *Error {
	if len(p) > MaxPattern && utf8.RuneCount(p) > MaxPattern {
		return tooComplex("is too long a regular expression")
	}
	return nil
}

// patternText bounds one that is written as a string, where a NUL could be.
func patternText(p []byte) *Error {
	if bytes.IndexByte(p, 0) >= 0 {
		return invalid("has a NUL")
	}
	return pattern(p)
}

// options allows i, m and s, each once at most.
func options(o []byte) *Error {
	for i, c := range o {
		if (c != 'i' && c != 'm' && c != 's') || bytes.IndexByte(o[:i], c) >= 0 {
			return invalid("takes the options i, m and s only")
		}
	}
	return nil
}

func regexLeaf(v value) *Error {
	end := bytes.IndexByte(v.data, 0)
	if err := pattern(v.data[:end]); err != nil {
		return err
	}
	return options(v.data[end+1 : len(v.data)-1])
}
