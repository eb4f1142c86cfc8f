package storage

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/service"
)

// maxTags is how many entity tags one header may list.
const maxTags = 100

// tags are the value of an If-Match or If-None-Match header (RFC 9110, sections
// 13.1.1 and 13.1.2).
type tags struct {
	any    bool     // *
	strong []string // with their quotes
	weak   []string // without the W/
}

// tagsOf parses a header, which may come several times; nil where it is absent.
func tagsOf(h http.Header, name string) (*tags, error) {
	values := h.Values(name)
	if len(values) == 0 {
		return nil, nil //nolint:nilnil // an absent header is no error
	}
	text := strings.TrimSpace(strings.Join(values, ","))
	if text == "*" {
		return &tags{any: true}, nil
	}
	t := &tags{}
	for text != "" {
		if text[0] == ',' || text[0] == ' ' || text[0] == '\t' {
			text = text[1:] // empty elements of a list are allowed (section 5.6.1)
			continue
		}
		var ok bool
		if text, ok = t.add(text); !ok {
			return nil, service.Invalid(name, `must be * or a list of entity tags such as "123", each in quotes`)
		}
	}
	if len(t.strong)+len(t.weak) > maxTags {
		return nil, service.Invalid(name, "has more than 100 entity tags")
	}
	if len(t.strong)+len(t.weak) == 0 {
		return nil, service.Invalid(name, "is empty")
	}
	return t, nil
}

// add takes the entity tag at the beginning of a text and returns what follows.
func (t *tags) add(text string) (rest string, ok bool) {
	text, weak := strings.CutPrefix(text, "W/")
	if text == "" || text[0] != '"' {
		return "", false
	}
	end := strings.IndexByte(text[1:], '"')
	if end < 0 {
		return "", false
	}
	tag, rest := text[:end+2], strings.TrimLeft(text[end+2:], " \t")
	if rest != "" && rest[0] != ',' {
		return "", false
	}
	if weak {
		t.weak = append(t.weak, tag)
	} else {
		t.strong = append(t.strong, tag)
	}
	return rest, true
}

// weakly reports whether a tag is among them by weak comparison, as for
// If-None-Match.
func (t *tags) weakly(tag string) bool {
	return t.any || slices.Contains(t.strong, tag) || slices.Contains(t.weak, tag)
}

// strongly reports whether a tag is among them by strong comparison, as for
// If-Match.
func (t *tags) strongly(tag string) bool { return t.any || slices.Contains(t.strong, tag) }

// versions returns the versions among the strong tags, as a filter; nil where
// there are none.
func (t *tags) versions() bson.Raw {
	var versions []int64
	for _, tag := range t.strong {
		text := strings.Trim(tag, `"`)
		v, err := strconv.ParseInt(text, 10, 64)
		if err == nil && v >= firstVersion && strconv.FormatInt(v, 10) == text {
			versions = append(versions, v)
		}
	}
	switch len(versions) {
	case 0:
		return nil
	case 1:
		return bsoncore.BuildDocument(nil, bsoncore.AppendInt64Element(nil, fieldVersion, versions[0]))
	}
	in := bsoncore.NewArrayBuilder()
	for _, v := range versions {
		in.AppendInt64(v)
	}
	return oneField(fieldVersion, bsoncore.BuildDocument(nil, bsoncore.AppendArrayElement(nil, "$in", in.Build())))
}

// hashes reports whether there are tags that are no versions.
func (t *tags) hashes() bool {
	return slices.ContainsFunc(t.strong, func(tag string) bool { return strings.HasPrefix(tag, `"h`) })
}

// oneField returns a filter with one condition on one field.
func oneField(name string, condition []byte) bson.Raw {
	return bsoncore.BuildDocument(nil, bsoncore.AppendDocumentElement(nil, name, condition))
}
