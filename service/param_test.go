package service_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// echoParam answers with the quoted parameter.
func echoParam(c echo.Context) (err error) {
	defer service.Edge(c, quiet(), &err)
	id, err := service.Param(c, "id")
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, strconv.Quote(id))
}

// raw sends a request line as it is, which no URL parser has touched.
func raw(t *testing.T, address, target string) (status int, body string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", target)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestParam(t *testing.T) {
	t.Parallel()
	e := echo.New()
	both := service.Route{Name: "both", Method: http.MethodGet, Path: "/x/:id", Handler: echoParam, Need: service.Public}
	if _, err := service.Register(e, "", guards(), []service.Route{both}); err != nil {
		t.Fatal(err)
	}
	e.GET("/leaf/:id", echoParam) // one form only: echo lets the leaf swallow slashes
	e.GET("/other/:name", echoParam)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)

	rows := map[string]struct {
		target string
		status int
		want   string
	}{
		"a word":                              {"/x/abc", 200, "abc"},
		"a word, in the form with a slash":    {"/x/abc/", 200, "abc"},
		"an encoded slash":                    {"/x/a%2Fb", 200, "a/b"},
		"an encoded slash in lower case":      {"/x/a%2fb", 200, "a/b"},
		"an encoded slash and a real one":     {"/x/a%2Fb/", 200, "a/b"},
		"encoded twice is decoded once":       {"/x/a%252Fb", 200, "a%2Fb"},
		"both in one":                         {"/x/a%2Fb%252Fc", 200, "a/b%2Fc"},
		"an encoded per cent":                 {"/x/100%25", 200, "100%"},
		"an encoded per cent and slash":       {"/x/100%25%2F", 200, "100%/"},
		"a plus stays a plus":                 {"/x/a+b", 200, "a+b"},
		"an encoded space":                    {"/x/a%20b", 200, "a b"},
		"an at sign":                          {"/x/jo@example.com", 200, "jo@example.com"},
		"an encoded at sign":                  {"/x/jo%40example.com", 200, "jo@example.com"},
		"letters beyond ASCII":                {"/x/%C3%A9", 200, "é"},
		"letters beyond ASCII beside a slash": {"/x/%C3%A9%2F", 200, "é/"},
		"dots are a value like any other":     {"/x/..", 200, ".."},
		"encoded dots and slashes":            {"/x/..%2F..%2Fetc", 200, "../../etc"},
		"a NUL is the service's to refuse":    {"/x/a%00b", 200, "a\x00b"},
		"a colon":                             {"/x/:id", 200, ":id"},
		"no UTF-8":                            {"/x/%ff", 404, ""},
		"no UTF-8 beside an encoded slash":    {"/x/%ff%2F", 404, ""},
		"nothing":                             {"/x//", 404, ""},
		"two segments":                        {"/x/a/b", 404, ""},
		"two segments swallowed by a leaf":    {"/leaf/a/b", 404, ""},
		"a slash swallowed by a leaf":         {"/leaf/a/", 404, ""},
		"a leaf":                              {"/leaf/a%2Fb", 200, "a/b"},
		"a parameter that the route lacks":    {"/other/abc", 500, ""},
		"a malformed escape":                  {"/x/%zz", 400, ""}, // net/http's own answer
		"half an escape":                      {"/x/a%2", 400, ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := raw(t, server.Listener.Addr().String(), row.target)
			if status != row.status {
				t.Fatalf("GET %s = %d %s, want %d", row.target, status, body, row.status)
			}
			if status == http.StatusOK && body != strconv.Quote(row.want) {
				t.Errorf("GET %s gave %s, want %q", row.target, body, row.want)
			}
		})
	}
}

func TestParamRefusesAMalformedRawPath(t *testing.T) {
	t.Parallel()
	// net/http refuses such a path; a middleware that rewrites it may leave one.
	e := echo.New()
	e.GET("/x/:id", echoParam)
	r := httptest.NewRequest(http.MethodGet, "/x/abc", nil)
	r.URL.RawPath = "/x/%zz"
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, r)
	if rec.Code != http.StatusNotFound {
		t.Errorf("status = %d, want 404", rec.Code)
	}
}

func TestParamSaysThatAHandlerIsAtAPathWithoutIt(t *testing.T) {
	t.Parallel()
	e := echo.New()
	var got error
	e.GET("/notes", func(c echo.Context) error {
		_, got = service.Param(c, "collection")
		return got
	})
	e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/notes", nil))
	if got == nil || !strings.Contains(got.Error(), "/notes") || !strings.Contains(got.Error(), ":collection") {
		t.Errorf("Param = %v, want what the route lacks", got)
	}
	if p, ok := errors.AsType[*service.Problem](got); ok {
		t.Errorf("the client sees %v, which is the host's mistake", p)
	}
}
