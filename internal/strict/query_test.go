package strict_test

import (
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

func parse(query string) (strict.Query, error) {
	return strict.ParseQuery(&url.URL{RawQuery: query}, "query", "limit", "skip", "count", "scope")
}

func TestParseQuery(t *testing.T) {
	t.Parallel()
	q, err := parse(`scope=a+b%26%C3%A9=&count=true&limit=1000&query=%7B%22a%22%3A%7B%22%24gt%22:1%7D%7D`)
	if err != nil {
		t.Fatal(err)
	}
	if !q.Has("scope") || q.String("scope") != "a b&é=" {
		t.Errorf("scope: %q", q.String("scope"))
	}
	if q.Has("skip") || q.String("skip") != "" {
		t.Errorf("skip: %q", q.String("skip"))
	}
	if count, err := q.Bool("count"); err != nil || !count {
		t.Errorf("count: %v, %v", count, err)
	}
	if limit, err := q.Int("limit", 100, 1, 1000); err != nil || limit != 1000 {
		t.Errorf("limit: %d, %v", limit, err)
	}
	doc, err := q.Document("query")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := extjson.AppendRelaxed(nil, doc); err != nil || string(text) != `{"a":{"$gt":1}}` {
		t.Errorf("query: %s, %v", text, err)
	}
}

func TestParseQueryOfNothing(t *testing.T) {
	t.Parallel()
	q, err := parse("")
	if err != nil {
		t.Fatal(err)
	}
	if limit, err := q.Int("limit", 100, 1, 1000); err != nil || limit != 100 {
		t.Errorf("limit: %d, %v", limit, err)
	}
	if count, err := q.Bool("count"); err != nil || count {
		t.Errorf("count: %v, %v", count, err)
	}
	if doc, err := q.Document("query"); err != nil || doc != nil {
		t.Errorf("query: %v, %v", doc, err)
	}
}

func TestParseQueryRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ query, field, message string }{
		"an unknown parameter":             {"limit=1&page=2", "page", "is not a known parameter"},
		"a parameter in another case":      {"Limit=1", "Limit", "is not a known parameter"},
		"a parameter with an index":        {"scope[$ne]=1", "scope[$ne]", "is not a known parameter"},
		"a parameter without a name":       {"=1", `""`, "is not a known parameter"},
		"a lone ampersand":                 {"limit=1&", `""`, "is not a known parameter"},
		"a name that would forge a log":    {"a%0A%E2%80%AE" + strings.Repeat("x", 100), "a\ufffd\ufffd" + strings.Repeat("x", 61) + "…", "is not a known parameter"},
		"a name that is not UTF-8":         {"%FF=1", "\ufffd", "is not a known parameter"},
		"a parameter given twice":          {"limit=1&limit=1", "limit", "is given twice"},
		"a parameter given twice, escaped": {"limit=1&l%69mit=2", "limit", "is given twice"},
		"an empty parameter":               {"limit=", "limit", "must not be empty"},
		"a parameter without a value":      {"limit", "limit", "must not be empty"},
		"a semicolon":                      {"limit=1;skip=2", "query string", "must not contain a semicolon; write %3B"},
		"a malformed escape":               {"limit=%zz", "limit", "has a malformed escape"},
		"a malformed escape in a name":     {"%2", "query string", "has a malformed escape"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(test.query)
			if diff := cmp.Diff(service.Invalid(test.field, test.message), problem(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQueryRefuses(t *testing.T) {
	t.Parallel()
	limit := func(q strict.Query) error { _, err := q.Int("limit", 100, 1, 1000); return err }
	skip := func(q strict.Query) error { _, err := q.Int("skip", 0, 0, math.MaxInt64); return err }
	count := func(q strict.Query) error { _, err := q.Bool("count"); return err }
	document := func(q strict.Query) error { _, err := q.Document("query"); return err }
	tests := map[string]struct {
		query          string
		get            func(strict.Query) error
		field, message string
	}{
		"a limit of zero":           {"limit=0", limit, "limit", "must be an integer from 1 to 1000"},
		"a limit above":             {"limit=1001", limit, "limit", "must be an integer from 1 to 1000"},
		"a limit with a fraction":   {"limit=1.0", limit, "limit", "must be an integer from 1 to 1000"},
		"a limit with a plus":       {"limit=%2B1", limit, "limit", "must be an integer from 1 to 1000"},
		"a limit with a space":      {"limit=+1", limit, "limit", "must be an integer from 1 to 1000"},
		"a limit in hexadecimal":    {"limit=0x1", limit, "limit", "must be an integer from 1 to 1000"},
		"a skip below zero":         {"skip=-1", skip, "skip", "must be an integer of at least 0"},
		"a skip beyond 64 bits":     {"skip=9223372036854775808", skip, "skip", "must be an integer of at least 0"},
		"a count of one":            {"count=1", count, "count", "must be true or false"},
		"a count in capitals":       {"count=TRUE", count, "count", "must be true or false"},
		"a document that is none":   {"query=1", document, "query", "must be an object"},
		"a document that is broken": {"query={", document, "query", "ends too early"},
		"a document with a bad leaf": {
			`query={"a":[{"$date":1}]}`, document, "query.a[0].$date", "must be a string",
		},
		"a document too deep": {
			"query=" + strings.Repeat(`{"a":`, 10000), document,
			"query." + strings.Repeat("a.", 100) + "a", "is nested more than 100 levels deep",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, err := parse(test.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(service.Invalid(test.field, test.message), problem(t, test.get(q))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	for _, given := range [][2]bool{{false, false}, {true, false}, {false, true}} {
		if err := strict.Once("query", given[0], given[1]); err != nil {
			t.Errorf("%v: %v", given, err)
		}
	}
	want := service.Invalid("query", "is given both in the URL and in the body")
	if diff := cmp.Diff(want, problem(t, strict.Once("query", true, true))); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("limit=1&query=%7B%7D")
	f.Add("a;b&%zz=%")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parse(raw)
		if err != nil {
			checkProblem(t, err)
			return
		}
		// What is accepted is what net/url, too, reads in it, once each.
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		for name, list := range values {
			if len(list) != 1 || q.String(name) != list[0] {
				t.Fatalf("%q: %s is %q, want %q", raw, name, q.String(name), list)
			}
		}
		if _, err := q.Document("query"); err != nil {
			checkProblem(t, err)
		}
	})
}
