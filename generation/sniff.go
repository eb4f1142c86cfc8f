package generation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// mimeText is a type and subtype (RFC 6838, section 4.2).
var mimeText = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$`)

// sniffed is how many bytes of a file are looked at.
const sniffed = 3072

// sniff returns what a file is, and a reader of all of it. What the bytes say goes
// before what was declared, unless they only say that they are text, or nothing.
func sniff(r io.Reader, declared string) (string, io.Reader, error) {
	head := make([]byte, sniffed)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", nil, fmt.Errorf("generation: reading the file: %w", err)
	}
	head = head[:n]
	r = io.MultiReader(bytes.NewReader(head), r)
	found, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	if declared == "" {
		return found, r, nil
	}
	if declared, err = checkMIMEType(declared); err != nil {
		return "", nil, err
	}
	text := strings.HasPrefix(found, "text/") && isText(declared)
	if text || found == "application/octet-stream" || found == "application/zip" || strings.HasPrefix(found, "text/plain") {
		return declared, r, nil
	}
	return found, r, nil
}

// isText reports whether a type is one that has text in it.
func isText(mimeType string) bool {
	return strings.HasPrefix(mimeType, "text/") || strings.HasSuffix(mimeType, "json") || strings.HasSuffix(mimeType, "xml") || strings.HasSuffix(mimeType, "yaml")
}
