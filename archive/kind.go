package archive

import (
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// headBytes is how many bytes tell what a file is.
const headBytes = 3072

const (
	typeBytes = "application/octet-stream"
	typeText  = "text/plain"
)

// kindOf returns the media type of a file: that of its first bytes. The extension
// counts only where these are plain text or nothing known, and only for types that
// no browser runs: it can turn text into a table, but never into a page.
func kindOf(head []byte, name string) string {
	if len(head) == 0 {
		return typeBytes
	}
	kind := mimetype.Detect(head).String()
	extension := strings.ToLower(path.Ext(name))
	media := mediaOf(kind)
	refined := ""
	switch media {
	case typeText:
		refined = textKind(extension)
	case typeBytes:
		refined = bytesKind(extension)
	}
	if refined == "" {
		return kind
	}
	return refined + strings.TrimPrefix(kind, media)
}

// textKind returns what plain text with this extension is, "" for no more than that.
func textKind(extension string) string {
	switch extension {
	case ".csv":
		return "text/csv"
	case ".tsv":
		return "text/tab-separated-values"
	case ".md", ".markdown":
		return "text/markdown"
	case ".ics":
		return "text/calendar"
	case ".vcf":
		return "text/vcard"
	case ".yaml", ".yml":
		return "application/yaml"
	case ".toml":
		return "application/toml"
	}
	return ""
}

// bytesKind returns what unknown bytes with this extension are, "" for nothing known.
func bytesKind(extension string) string {
	switch extension {
	case ".iso":
		return "application/x-iso9660-image"
	case ".dmg":
		return "application/x-apple-diskimage"
	}
	return ""
}

// mediaOf returns a type without its parameters.
func mediaOf(kind string) string {
	media, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return typeBytes
	}
	return media
}

// allowed reports whether a type is on a list; an empty list has all.
func allowed(types []string, kind string) bool {
	media := mediaOf(kind)
	family, _, _ := strings.Cut(media, "/")
	return len(types) == 0 || slices.Contains(types, media) || slices.Contains(types, family+"/*")
}

// isInline reports whether a browser may show a file of this type rather than save
// it: images, sound, video and plain text, none of which can run anything.
func isInline(kind string) bool {
	switch mediaOf(kind) {
	case "image/png", "image/apng", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
		"video/mp4", "video/webm", "video/ogg",
		"audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4", "audio/x-m4a", "application/ogg",
		typeText:
		return true
	}
	return false
}

// isPlayed reports whether a type that is shown is sound or video.
func isPlayed(kind string) bool {
	media := mediaOf(kind)
	return strings.HasPrefix(media, "audio/") || strings.HasPrefix(media, "video/") || media == "application/ogg"
}

// served returns the type under which bytes go out. What a page could load and run
// (scripts, styles, markup) goes out as bytes, beside being an attachment: a page
// of the same site would otherwise find its scripts here.
func served(kind string) string {
	media := mediaOf(kind)
	for _, part := range []string{"html", "xml", "svg", "script", "css", "wasm", "shockwave"} {
		if strings.Contains(media, part) {
			// Office documents are zip files, whatever they are called.
			if strings.HasPrefix(media, "application/vnd.openxmlformats-") {
				continue
			}
			return typeBytes
		}
	}
	return kind
}
