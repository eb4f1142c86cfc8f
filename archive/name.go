package archive

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxNameBytes is how long a name may be: what most file systems take.
	maxNameBytes = 255
	// maxExtensionBytes is how long an extension may be to survive a cut.
	maxExtensionBytes = 32
	// noName is what a file is called of whose name nothing is left.
	noName = "file"
)

// CleanName returns a name as the archive keeps it: one that can be shown in a page
// and saved on any system. It has no directories, by slash or backslash; no control,
// format (bidirectional, zero-width) or private characters; is valid UTF-8; has
// neither spaces around it nor dots behind it; is no device of Windows ("CON.txt"
// becomes "_CON.txt") and has no colon, which names drives and streams there; and is
// at most 255 bytes long, cut before its extension. Nothing becomes "file". It is
// for people, and is never used as a path.
func CleanName(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = cutName(trimName(strings.Map(visible, name)))
	if isDevice(name) { // perhaps only since it was cut
		name = cutName("_" + name)
	}
	if name == "" {
		return noName
	}
	return name
}

// visible maps characters that deceive or that do not show to none, and all kinds
// of space to one.
func visible(r rune) rune {
	switch {
	case r == ':':
		return '_'
	case unicode.Is(unicode.Zs, r):
		return ' '
	case unicode.Is(unicode.C, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r),
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r), unicode.Is(unicode.Noncharacter_Code_Point, r):
		return -1
	}
	return r
}

// trimName takes away spaces around a name and dots behind it.
func trimName(name string) string {
	return strings.TrimRight(strings.TrimLeft(name, " "), " .")
}

// isDevice reports whether Windows takes a name for a device, whatever follows its
// first dot.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	port, ok := strings.CutPrefix(stem, "COM")
	if !ok {
		port, ok = strings.CutPrefix(stem, "LPT")
	}
	return ok && utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}

// cutName shortens a name, keeping its extension where that is short.
func cutName(name string) string {
	if len(name) <= maxNameBytes {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > maxExtensionBytes {
		extension = ""
	}
	stem := name[:maxNameBytes-len(extension)]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	return trimName(trimName(stem) + extension)
}
