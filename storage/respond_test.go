package storage_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// Before HTTP/1.1 there are no chunks, and the end of the connection is that of
// the answer.
func TestAnExportThatFailsMidwayNeverLooksWholeToOldClients(t *testing.T) {
	t.Parallel()
	db := dbtest.NewServer(t)
	g := newGatewayOn(t, dbtest.Connect(t, db.URI()).Database("test"), nil)
	g.fillMany("many", 1000, 20_000)
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.listen().URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /service/storage/v1/many HTTP/1.0\r\nX-API-Key: "+apiKey+"\r\nAccept: "+ndjson+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		if line, err = body.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	db.Kill()
	if n, err := io.Copy(io.Discard, body); err == nil {
		t.Errorf("%d bytes, and an end that looks right", n)
	}
}

func TestWholeAnswersHaveADeadlineAndALength(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fillMany("many", 40, 100_000)
	g.fill("things", 1)
	for _, row := range []struct {
		method, path, body string
		least, most        time.Duration
	}{
		{"GET", "/many", "", 60 * time.Second, 95 * time.Second}, // 4 MB at 64 KiB/s, and a grace
		{"POST", "/many/aggregate", `{"pipeline": []}`, 60 * time.Second, 95 * time.Second},
		{"GET", "/things/d00", "", 20 * time.Second, 31 * time.Second},
	} {
		r := httptest.NewRequestWithContext(t.Context(), row.method, "/service/storage/v1"+row.path, strings.NewReader(row.body))
		r.Header.Set("X-API-Key", apiKey)
		if r.Header.Set("Content-Type", "application/json"); row.body == "" {
			r.Body = http.NoBody
			r.ContentLength = 0
		}
		w := &patient{ResponseRecorder: httptest.NewRecorder()}
		g.app.Handler(g.echo).ServeHTTP(w, r)
		if w.Code != http.StatusOK || len(w.deadlines) != 2 || !w.deadlines[1].IsZero() {
			t.Fatalf("%s: %d, deadlines %v; want one, and none at the end", row.path, w.Code, w.deadlines)
		}
		if wait := time.Until(w.deadlines[0]); wait < row.least || wait > row.most {
			t.Errorf("%s: a deadline in %s", row.path, wait)
		}
		if !w.Flushed || w.Header().Get("Content-Length") == "" {
			t.Errorf("%s: flushed %t, Content-Length %q", row.path, w.Flushed, w.Header().Get("Content-Length"))
		}
	}
}

func TestAnAnswerThatCannotBeWrittenBreaksTheConnection(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.fill("things", 1)
	for _, path := range []string{"/things", "/things/d00"} {
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // net/http itself compares the panic value
					t.Errorf("%s: recovered %v, want http.ErrAbortHandler", path, v)
				}
			}()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/service/storage/v1"+path, nil)
			r.Header.Set("X-API-Key", apiKey)
			g.app.Handler(g.echo).ServeHTTP(refusing{httptest.NewRecorder()}, r)
		}()
	}
}
