package archive_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

func sum(content string) string {
	h := sha256.Sum256([]byte(content))
	return hex.EncodeToString(h[:])
}

func TestAFileComesBackAsItWent(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	content := "hello, " + strings.Repeat("world ", 10_000)
	a := g.upload("/", file("hello.txt", content), metadata(`{"tags": ["a"], "at": {"$date": "2024-01-01T00:00:00Z"}}`))
	f := a.file()
	if f.Name != "hello.txt" || f.Size != int64(len(content)) || f.SHA256 != sum(content) || f.Type != "text/plain; charset=utf-8" || len(f.ID) != 24 {
		t.Errorf("%+v", f)
	}
	if at := a.header.Get("Location"); at != prefix+"/"+f.ID {
		t.Error(at)
	}
	if !strings.Contains(a.body, `"metadata":{"tags":["a"],"at":{"$date":"2024-01-01T00:00:00Z"}}`) {
		t.Error(a.body)
	}
	if got := g.do("GET", "/"+f.ID, "").want(200); got.body != content {
		t.Errorf("%d bytes came back", len(got.body))
	}
	if got := g.do("GET", "/"+f.ID+"/metadata", "").want(200); got.body != a.body {
		t.Errorf("%s, want %s", got.body, a.body)
	}
	if diff := cmp.Diff([]archive.File{f}, g.do("GET", "/", "").files()); diff != "" {
		t.Error(diff)
	}
	g.do("DELETE", "/"+f.ID, "").want(http.StatusOK)
	g.do("GET", "/"+f.ID, "").refused(404, "not_found", "")
	g.do("DELETE", "/"+f.ID, "").refused(404, "not_found", "")
	g.empty()
}

// A client that leaves when the bytes are kept, and before the record, has no file.
func TestWhoLeavesHasNoFile(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	g := newGatewayOn(t, dbtest.Database(t), archivetest.Faulty(archivetest.Memory(), archivetest.Faults{
		Created: func(context.Context, string) error { leave(); return nil },
	}), nil)
	body, contentType := form(file("a.txt", "hello"))
	r := httptest.NewRequestWithContext(ctx, "POST", prefix+"/", strings.NewReader(body))
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Content-Type", contentType)
	g.send(r).refused(499, "client_closed", "")
	g.empty()
}
