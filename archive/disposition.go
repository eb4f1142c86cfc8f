package archive

import (
	"strings"
	"unicode/utf8"
)

// disposition returns the Content-Disposition of a file (RFC 6266): the name twice,
// in ASCII for clients that know no better, and in UTF-8 (RFC 8187) for all others.
func disposition(name string, inline bool) string {
	kind := "attachment"
	if inline {
		kind = "inline"
	}
	return kind + `; filename="` + plainName(name) + `"; filename*=UTF-8''` + encodedName(name)
}

// plainName returns a name in which everything is an underscore that is no ASCII,
// or that clients are known to read differently in quotes (RFC 6266, appendix D).
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
}

// encodedName returns a name in which everything is percent-encoded but the
// attr-char of RFC 8187.
func encodedName(name string) string {
	const digits = "0123456789ABCDEF"
	name = strings.ToValidUTF8(name, string(utf8.RuneError))
	out := make([]byte, 0, len(name))
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if letter || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}
