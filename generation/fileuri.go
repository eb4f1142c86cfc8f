package generation

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// fileOrigins knows the addresses of files that clients may name: those at Gemini.
// The whole text is compared, not what some parser would make of it.
type fileOrigins struct{ text *regexp.Regexp }

func newFileOrigins(baseURL string) fileOrigins {
	origins := regexp.QuoteMeta(DefaultBaseURL)
	if u, err := url.Parse(baseURL); err == nil {
		origins += "|" + regexp.QuoteMeta(u.Scheme+"://"+strings.ToLower(u.Host))
	}
	return fileOrigins{regexp.MustCompile(`^(?:(?:` + origins + `)(?:/[A-Za-z0-9_-]{1,64}){0,4}/)?files/[A-Za-z0-9_-]{1,128}$`)}
}

// check refuses an address that is not one of a file at Gemini.
func (o fileOrigins) check(path string, v jsontext.Value) error {
	if !o.text.MatchString(text(v)) {
		return service.Invalid(path, "must be a file that was uploaded to Gemini")
	}
	return nil
}
