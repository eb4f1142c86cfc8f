package strict

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/service"
)

// Query is the parameters of a URL. It does not change, and the zero value has
// none.
type Query struct {
	values map[string]string
}

// ParseQuery parses the query of a URL, which may have the parameters with these
// names and no others.
func ParseQuery(u *url.URL, names ...string) (Query, error) {
	if u.RawQuery == "" {
		return Query{}, nil
	}
	if strings.Contains(u.RawQuery, ";") {
		return Query{}, service.Invalid("query string", "must not contain a semicolon; write %3B")
	}
	q := Query{values: make(map[string]string, len(names))}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if err := q.add(pair, names); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

// add parses one parameter.
func (q Query) add(pair string, names []string) error {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(rawName)
	if err != nil {
		return service.Invalid("query string", "has a malformed escape")
	}
	if !slices.Contains(names, name) {
		return service.Invalid(extjson.Name(name), "is not a known parameter")
	}
	if q.Has(name) {
		return service.Invalid(name, "is given twice")
	}
	value, err := url.QueryUnescape(rawValue)
	if err != nil {
		return service.Invalid(name, "has a malformed escape")
	}
	if value == "" {
		return service.Invalid(name, "must not be empty")
	}
	q.values[name] = value
	return nil
}

// Has reports whether a parameter is given.
func (q Query) Has(name string) bool {
	_, ok := q.values[name]
	return ok
}

// String returns a parameter, or "" where it is not given.
func (q Query) String(name string) string { return q.values[name] }

// Bool returns a parameter that is true or false, in these letters, and false
// where it is not given.
func (q Query) Bool(name string) (bool, error) {
	switch value, ok := q.values[name]; {
	case !ok || value == "false":
		return false, nil
	case value == "true":
		return true, nil
	}
	return false, service.Invalid(name, "must be true or false")
}

// Int returns a parameter that is a decimal integer of at least lowest and at
// most highest, or the fallback where it is not given. Where there is no highest
// it is [math.MaxInt64].
func (q Query) Int(name string, fallback, lowest, highest int64) (int64, error) {
	value, ok := q.values[name]
	if !ok {
		return fallback, nil
	}
	i, err := strconv.ParseInt(value, 10, 64)
	if err == nil && value[0] != '+' && lowest <= i && i <= highest {
		return i, nil
	}
	if highest == math.MaxInt64 {
		return 0, service.Invalid(name, fmt.Sprintf("must be an integer of at least %d", lowest))
	}
	return 0, service.Invalid(name, fmt.Sprintf("must be an integer from %d to %d", lowest, highest))
}

// Document returns a parameter that is an Extended JSON object, or nil where it
// is not given. Problems name the field in it.
func (q Query) Document(name string) (bson.Raw, error) {
	value, ok := q.values[name]
	if !ok {
		return nil, nil
	}
	doc, err := extjson.Parse([]byte(value), extjson.MaxDepth)
	if e, ok := errors.AsType[*extjson.Error](err); ok {
		e = e.Under(name)
		return nil, service.Invalid(e.Path, e.Reason)
	}
	return doc, err
}

// Once refuses a field that is given both in the URL and in the body.
func Once(name string, inURL, inBody bool) error {
	if inURL && inBody {
		return service.Invalid(name, "is given both in the URL and in the body")
	}
	return nil
}
