package strict_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// input has a field of every kind that bodies have.
type input struct {
	Key       string             `json:"_key"`
	Password  *string            `json:"_password"`
	Age       int8               `json:"age"`
	Rate      float64            `json:"rate"`
	Open      bool               `json:"open"`
	Tags      []string           `json:"tags"`
	Nested    nested             `json:"nested"`
	List      []nested           `json:"list"`
	At        time.Time          `json:"at"`
	Blob      []byte             `json:"blob"`
	Any       any                `json:"any"`
	Raw       jsontext.Value     `json:"raw"`
	Document  extjson.Document   `json:"document"`
	Documents []extjson.Document `json:"documents"`
	Pipeline  extjson.Array      `json:"pipeline"`
}

type nested struct {
	Name string `json:"name"`
}

// post returns the context of a request with a JSON body.
func post(body io.Reader) (echo.Context, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	return echo.New().NewContext(r, w), w
}

func decode(body string) (input, error) {
	var in input
	c, _ := post(strings.NewReader(body))
	err := strict.Body(c, strict.MaxBody, &in)
	return in, err
}

// problem returns the problem that an error must be.
func problem(t *testing.T, err error) *service.Problem {
	t.Helper()
	p, ok := err.(*service.Problem) //nolint:errorlint // it is promised unwrapped
	if !ok {
		t.Fatalf("got %v, want a problem", err)
	}
	return p
}

func TestBodyReads(t *testing.T) {
	t.Parallel()
	in, err := decode(` {"_key": "a\u00e9", "_password": "", "age": -128, "rate": 1e3, "open": true, "tags": ["x", ""],
		"nested": {"name": "n"}, "list": [{}, {"name": "m"}], "at": "2024-01-01T00:00:00Z", "blob": "AQID",
		"any": {"a": [null, 1]}, "raw": null, "document": {"a": 1}, "documents": [{}], "pipeline": [{"$limit": 1}]} `)
	if err != nil {
		t.Fatal(err)
	}
	empty := ""
	want := input{
		Key: "aé", Password: &empty, Age: -128, Rate: 1000, Open: true, Tags: []string{"x", ""},
		Nested: nested{"n"}, List: []nested{{}, {"m"}}, At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Blob: []byte{1, 2, 3},
		Any: map[string]any{"a": []any{nil, 1.0}}, Raw: jsontext.Value("null"),
		Document: in.Document, Documents: in.Documents, Pipeline: in.Pipeline,
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Error(diff)
	}
	if len(in.Document) != 12 || len(in.Documents) != 1 || len(in.Pipeline) != 1 {
		t.Errorf("documents: %v %v %v", in.Document, in.Documents, in.Pipeline)
	}
}

func TestBodyLeavesAbsentFields(t *testing.T) {
	t.Parallel()
	in, err := decode(`{}`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(input{}, in); diff != "" {
		t.Error(diff)
	}
}

func TestBodyRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, field, message string }{
		"nothing":                          {``, "body", "must not be empty"},
		"white space":                      {" \r\n\t", "body", "must not be empty"},
		"null":                             {`null`, "body", "must be an object"},
		"an array":                         {`[{}]`, "body", "must be an object"},
		"a string":                         {`"x"`, "body", "must be an object"},
		"words":                            {`hello`, "body", "must be an object"},
		"a form":                           {`_key=a&_password=b`, "body", "must be an object"},
		"a byte order mark":                {"\ufeff{}", "body", "must be an object"},
		"an unfinished body":               {`{"_key": "a"`, "body", "ends too early"},
		"an unfinished string":             {`{"_key": "a`, "_key", "ends too early"},
		"trailing data":                    {`{} {}`, "body", "is not well-formed JSON"},
		"a trailing comma":                 {`{"_key": "a",}`, "body", "is not well-formed JSON"},
		"a trailing NUL":                   {"{}\x00", "body", "is not well-formed JSON"},
		"NaN":                              {`{"rate": NaN}`, "rate", "is not well-formed JSON"},
		"NaN in a document":                {`{"document": {"a": NaN}}`, "document.a", "is not well-formed JSON"},
		"a comment":                        {`{/**/}`, "body", "is not well-formed JSON"},
		"invalid UTF-8":                    {"{\"_key\": \"\xff\"}", "_key", "is not well-formed JSON"},
		"a lone surrogate":                 {`{"_key": "\udc00"}`, "_key", "is not well-formed JSON"},
		"an unknown key":                   {`{"query": {}}`, "query", "is not known"},
		"an unknown key below":             {`{"list": [{}, {"nam": 1}]}`, "list[1].nam", "is not known"},
		"a key in another case":            {`{"_KEY": "a"}`, "_KEY", "is not known"},
		"a key with a long s":              {`{"pa\u017f\u017fword": "a"}`, "paſſword", "is not known"},
		"a key given twice":                {`{"_key": "a", "_key": "a"}`, "_key", "is given twice"},
		"a key given twice, escaped":       {`{"_key": "a", "\u005fkey": "b"}`, "_key", "is given twice"},
		"a key given twice below":          {`{"any": {"a": {"b": 1, "b": 2}}}`, "any.a.b", "is given twice"},
		"a key given twice in raw JSON":    {`{"raw": {"b": 1, "\u0062": 2}}`, "raw.b", "is given twice"},
		"a key given twice in a document":  {`{"document": {"b": [{"c": 1, "c": 1}]}}`, "document.b[0].c", "is given twice"},
		"a key that would forge a log":     {`{"a\n\u202e` + strings.Repeat("x", 100) + `": 1}`, "a\ufffd\ufffd" + strings.Repeat("x", 61) + "…", "is not known"},
		"a number for a string":            {`{"_key": 1}`, "_key", "must be a string"},
		"an operator for a string":         {`{"_key": {"$ne": ""}}`, "_key", "must be a string"},
		"an array for a string":            {`{"_key": ["a"]}`, "_key", "must be a string"},
		"an operator for a pointer":        {`{"_password": {"$ne": ""}}`, "_password", "must be a string"},
		"null for a string":                {`{"_key": null}`, "_key", "must be a string"},
		"null for a pointer":               {`{"_password": null}`, "_password", "must be a string"},
		"null for an integer":              {`{"age": null}`, "age", "must be an integer"},
		"null for a list":                  {`{"tags": null}`, "tags", "must be an array"},
		"null in a list":                   {`{"tags": ["a", null]}`, "tags[1]", "must be a string"},
		"null for an object":               {`{"nested": null}`, "nested", "must be an object"},
		"null for a document":              {`{"document": null}`, "document", "must be an object"},
		"null in documents":                {`{"documents": [{}, null]}`, "documents[1]", "must be an object"},
		"null for a pipeline":              {`{"pipeline": null}`, "pipeline", "must be an array"},
		"a string for an integer":          {`{"age": "1"}`, "age", "must be an integer"},
		"a fraction for an integer":        {`{"age": 1.0}`, "age", "must be an integer"},
		"an integer out of range":          {`{"age": 128}`, "age", "is out of range"},
		"a number out of range":            {`{"rate": 1e999}`, "rate", "is out of range"},
		"a string for a number":            {`{"rate": "1"}`, "rate", "must be a number"},
		"a number for a boolean":           {`{"open": 1}`, "open", "must be true or false"},
		"an object for a list":             {`{"tags": {"0": "a"}}`, "tags", "must be an array"},
		"a string for an object":           {`{"nested": "x"}`, "nested", "must be an object"},
		"a date without a time":            {`{"at": "2024-01-01"}`, "at", "must be a date and time as in RFC 3339"},
		"bytes that are not base64":        {`{"blob": "?"}`, "blob", "must be base64 in a string"},
		"a wrong leaf in a document":       {`{"document": {"tags": [1, 2, {"$date": "today"}]}}`, "document.tags[2].$date", "must be a date and time as in RFC 3339"},
		"a list for a document":            {`{"document": [{}]}`, "document", "must be an object"},
		"a document of more than 100 deep": {`{"documents": [` + strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101) + `]}`, "documents[0]" + strings.Repeat(".a", 101), "is nested more than 100 levels deep"},
		"10 000 levels in a document":      {`{"document": ` + strings.Repeat(`{"a":`, 10000) + strings.Repeat("}", 10000) + `}`, "body", "is nested more than 128 levels deep"},
		"10 000 levels in any":             {`{"any": ` + strings.Repeat(`[`, 10000) + strings.Repeat("]", 10000) + `}`, "body", "is nested more than 128 levels deep"},
		"10 000 levels in an unknown key":  {`{"x": ` + strings.Repeat(`[`, 10000), "body", "is nested more than 128 levels deep"},
		"10 000 levels, half escaped":      {`{"_key": "\"", "any": ` + strings.Repeat(`{"\"":[`, 5000), "body", "is nested more than 128 levels deep"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(test.body)
			got := problem(t, err)
			if diff := cmp.Diff(service.Invalid(test.field, test.message), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Brackets in strings are no nesting.
func TestBodyCountsBracketsOutsideOfStringsOnly(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("[{", 1000)
	in, err := decode(`{"_key": "\\\"` + text + `"}`)
	if err != nil || in.Key != `\"`+text {
		t.Errorf("got %q, %v", in.Key, err)
	}
}

// The deepest document there may be fits into every field.
func TestBodyBearsTheDeepestDocuments(t *testing.T) {
	t.Parallel()
	doc := strings.Repeat(`{"a":`, 100) + `{"$date": {"$numberLong": "1"}}` + strings.Repeat("}", 100)
	if _, err := decode(`{"document": ` + doc + `, "documents": [` + doc + `]}`); err != nil {
		t.Error(err)
	}
}

func TestBodyMediaType(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		contentType, encoding string
		ok                    bool
	}{
		"JSON":                       {"application/json", "", true},
		"JSON in capitals":           {"Application/JSON", "", true},
		"JSON in UTF-8":              {"application/json; charset=UTF-8", "", true},
		"a kind of JSON":             {"application/merge-patch+json", "", true},
		"JSON as it is":              {"application/json", "identity", true},
		"JSON in Latin-1":            {"application/json; charset=iso-8859-1", "", false},
		"compressed JSON":            {"application/json", "gzip", false},
		"none":                       {"", "", false},
		"text":                       {"text/plain", "", false},
		"a form":                     {"application/x-www-form-urlencoded", "", false},
		"JSON in name only":          {"application/jsonx", "", false},
		"JSON as a parameter":        {"text/plain; a=application/json", "", false},
		"a malformed one":            {"application/json; =", "", false},
		"two at once":                {"text/plain, application/json", "", false},
		"something like a kind of":   {"application/json+xml", "", false},
		"the suffix in another part": {"text/x+json; charset", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := post(strings.NewReader(`{}`))
			c.Request().Header.Set("Content-Type", test.contentType)
			c.Request().Header.Set("Content-Encoding", test.encoding)
			err := strict.Body(c, strict.MaxBody, &input{})
			if test.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if p := problem(t, err); p.Status != http.StatusUnsupportedMediaType || p.Code != "unsupported_media_type" || p.Detail == "" {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	exact := `{"_key": "` + strings.Repeat("x", 88) + `"}` // 100 bytes
	tests := map[string]struct {
		body   io.Reader
		length int64
		ok     bool
	}{
		"exactly the limit":                  {strings.NewReader(exact), 100, true},
		"exactly the limit, length unknown":  {strings.NewReader(exact), -1, true},
		"one byte more":                      {strings.NewReader(exact + " "), 101, false},
		"one byte more, length unknown":      {strings.NewReader(exact + " "), -1, false},
		"a length that is never read":        {iotest.ErrReader(errors.New("was read")), 101, false},
		"a limit of the host's":              {http.MaxBytesReader(nil, io.NopCloser(strings.NewReader(exact)), 50), -1, false},
		"a limit of the host's, in echo":     {iotest.ErrReader(echo.ErrStatusRequestEntityTooLarge), -1, false},
		"two megabytes, and no end in sight": {endless{}, -1, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, w := post(test.body)
			c.Request().ContentLength = test.length
			err := strict.Body(c, 100, &input{})
			if test.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if p := problem(t, err); p.Status != http.StatusRequestEntityTooLarge || p.Code != "too_large" {
				t.Errorf("got %+v", p)
			}
			if got := w.Header().Get("Connection"); got != "close" {
				t.Errorf("Connection: %q", got)
			}
		})
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A client that announces much and sends little must not get much memory.
func TestBodyTrustsNoLength(t *testing.T) { //nolint:paralleltest // measures
	c, _ := post(strings.NewReader(`{}`))
	c.Request().ContentLength = 1 << 30
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := strict.Body(c, 1<<31, &input{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 256<<10 {
		t.Errorf("%d bytes for a body of 2", got)
	}
}

func TestBodyReadErrors(t *testing.T) {
	t.Parallel()
	t.Run("are the client's", func(t *testing.T) {
		t.Parallel()
		c, _ := post(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(`{}`))))
		p := problem(t, strict.Body(c, 100, &input{}))
		if p.Status != http.StatusBadRequest || !errors.Is(p, iotest.ErrTimeout) || strings.Contains(p.Detail, "timeout") {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("of a client that left are no problem", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c, _ := post(iotest.ErrReader(io.ErrUnexpectedEOF))
		c.SetRequest(c.Request().WithContext(ctx))
		err := strict.Body(c, 100, &input{})
		if p := new(service.Problem); errors.As(err, &p) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v", err)
		}
	})
}

func TestHasBody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body io.Reader
		want bool
	}{
		"none":              {http.NoBody, false},
		"an empty one":      {strings.NewReader(""), false},
		"one":               {strings.NewReader("{}"), true},
		"of unknown length": {io.MultiReader(strings.NewReader("{}")), true},
	} {
		if got := strict.HasBody(httptest.NewRequest(http.MethodPost, "/", test.body)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Over a real connection a body that is too large is answered, and not read on.
func TestBodyOverHTTP(t *testing.T) {
	t.Parallel()
	e := echo.New()
	e.POST("/", func(c echo.Context) (err error) {
		defer service.Edge(c, nil, &err)
		if err := strict.Body(c, strict.MaxBody, &input{}); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	large := `{"_key": "` + strings.Repeat("x", 2<<20) + `"}`
	tests := map[string]struct {
		body   io.Reader
		status int
		closes bool
	}{
		"a good one":               {strings.NewReader(`{"_key": "a"}`), http.StatusNoContent, false},
		"two megabytes":            {strings.NewReader(large), http.StatusRequestEntityTooLarge, true},
		"two megabytes in chunks":  {io.MultiReader(strings.NewReader(large)), http.StatusRequestEntityTooLarge, true},
		"10 000 levels":            {strings.NewReader(strings.Repeat(`{"any":`, 10000)), http.StatusBadRequest, false},
		"half a megabyte of depth": {strings.NewReader(strings.Repeat(`[`, 1<<19)), http.StatusBadRequest, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, test.body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			res, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != test.status || res.Close != test.closes {
				t.Errorf("status %d, close %v", res.StatusCode, res.Close)
			}
		})
	}
}

func BenchmarkBody(b *testing.B) {
	body := `{"_key": "someone@example.com", "_password": "correct horse battery staple", "document": {"name": "Zoë", "age": 41, "tags": ["a", "b"]}}`
	for _, size := range []int{1, 20} {
		text := strings.Replace(body, `"a", "b"`, strings.TrimSuffix(strings.Repeat(`"walk along the river", `, size), ", "), 1)
		b.Run(fmt.Sprintf("%dB", len(text)), func(b *testing.B) {
			c, _ := post(nil)
			c.Request().ContentLength = int64(len(text))
			b.ReportAllocs()
			for b.Loop() {
				c.Request().Body = io.NopCloser(strings.NewReader(text))
				if err := strict.Body(c, strict.MaxBody, new(input)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
