package storage

import (
	"net/http"
	"strings"
	"testing"
)

// Whatever a header holds, each tag that is taken from it stands in it, quoted.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b"`, "*", `"`, `W/`, `"a" "b"`, ",,", `"a,b"`, "\"\xff\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		tags, err := tagsOf(http.Header{headerIfMatch: {header}}, headerIfMatch)
		if err != nil || tags == nil {
			return
		}
		for _, tag := range append(tags.strong, tags.weak...) {
			if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' || strings.Count(tag, `"`) != 2 || !strings.Contains(header, tag) {
				t.Errorf("%q has the tag %q", header, tag)
			}
		}
		tags.versions()
	})
}
