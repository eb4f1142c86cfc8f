package generation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// field is a field of a form; with a filename it is a file.
type field struct{ name, filename, contentType, content string }

// form posts fields in their order.
func (g *gateway) form(fields ...field) answer {
	g.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, f := range fields {
		h := textproto.MIMEHeader{}
		disposition := `form-data; name=` + quote(f.name)
		if f.filename != "" {
			disposition += `; filename=` + quote(f.filename)
		}
		h.Set("Content-Disposition", disposition)
		if f.contentType != "" {
			h.Set("Content-Type", f.contentType)
		}
		part, err := w.CreatePart(h)
		if err != nil {
			g.Fatal(err)
		}
		_, _ = part.Write([]byte(f.content))
	}
	_ = w.Close()
	return g.do(http.MethodPost, "/file", w.FormDataContentType(), &body)
}

// upload posts one file.
func (g *gateway) upload(name, content string) answer {
	g.Helper()
	return g.form(field{"file", name, "", content})
}

// uri returns the address of a file that was uploaded.
func (a answer) uri() string {
	a.Helper()
	var body struct {
		FileData struct{ FileURI, MIMEType string }
	}
	if err := json.Unmarshal([]byte(a.want(http.StatusOK).body), &body); err != nil || body.FileData.FileURI == "" {
		a.Fatalf("%v in %s", err, a.body)
	}
	return body.FileData.FileURI
}

// Files by their bytes.
const (
	png = "\x89PNG\r\n\x1a\n"
	pdf = "%PDF-1.7\n"
)

func TestAFileIsAskedAbout(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	uri := g.upload("a.png", png).uri()
	g.post("/converse", `{"contents": [{"parts": [{"text": "what is it"}, {"file_data": {"file_uri": `+quote(uri)+`, "mime_type": "image/png"}}]}]}`).want(http.StatusOK)
}

func TestAFilesTypeIsThatOfItsBytes(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	for _, c := range []struct{ declared, content, want string }{
		{"", png, "image/png"},
		{"text/html", png, "image/png"},
		{"application/pdf", png, "image/png"},
		{"", "words", "text/plain"},
		{"text/markdown; charset=utf-8", "# words", "text/markdown"},
		{"TEXT/CSV", "a,b", "text/csv"},
		{"application/json", "words", "application/json"},
		{"application/octet-stream", pdf, "application/pdf"},
		{"audio/x-own", "\x00\x01\x02", "audio/x-own"},
		{"", "\x00\x01\x02", "application/octet-stream"},
	} {
		a := g.form(field{"file", "a", c.declared, c.content}).want(http.StatusOK)
		if !strings.Contains(a.body, `"mimeType":"`+c.want+`"`) {
			t.Errorf("%q declared %q: %s, want %s", c.content, c.declared, a.body, c.want)
		}
	}
	g.form(field{"file", "a", "no type\r\nX-Evil: 1", "words"}).refused(http.StatusBadRequest, "invalid", "")
}

func TestTheKeyMayComeBeforeOrAfterTheFile(t *testing.T) {
	t.Parallel()
	g := newGatewayWith(t, "another-key", nil)
	key, file := field{"key", "", "", g.gemini.Key()}, field{"file", "a.txt", "", "text"}
	g.form(key, file).uri()
	g.form(file, key).uri()
	for _, r := range g.gemini.Requests() {
		if !r.HasKey(g.gemini.Key()) {
			t.Errorf("%s came with another key", r.Path)
		}
	}
	g.form(file).refused(http.StatusInternalServerError, "generation_failed", "")
}

func TestFormsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	g := newGateway(t, &generation.Options{TempDir: folder, MaxUploadBytes: 10})
	key, file := field{"key", "", "", "k"}, field{"file", "a.txt", "", "text"}
	for _, c := range []struct {
		name   string
		fields []field
		text   string
	}{
		{"nothing", nil, ""},
		{"no file", []field{key}, `"field":"file"`},
		{"a text as file", []field{{"file", "", "", "text"}}, `"field":"file"`},
		{"an empty file", []field{{"file", "a.txt", "", ""}}, `"field":"file"`},
		{"two files", []field{file, file}, `"field":"file"`},
		{"two keys", []field{key, key, file}, `"field":"key"`},
		{"an empty key", []field{{"key", "", "", ""}, file}, `"field":"key"`},
		{"a long key", []field{{"key", "", "", strings.Repeat("a", 2000)}, file}, `"field":"key"`},
		{"a key of two lines", []field{{"key", "", "", "a\nb"}, file}, `"field":"key"`},
		{"another field", []field{file, {"base_url", "", "", "x"}}, `"field":"base_url"`},
	} {
		a := g.form(c.fields...)
		a.request = c.name
		a.refused(http.StatusBadRequest, "invalid", c.text)
	}
	g.form(field{"file", "a", "", "0123456789"}).uri()
	g.form(field{"file", "a", "", "0123456789X"}).refused(http.StatusRequestEntityTooLarge, "too_large", "10 bytes")
	g.form(field{"file", "a", "", strings.Repeat("X", 1<<20)}).refused(http.StatusRequestEntityTooLarge, "too_large", "10 bytes")
	if got := g.form(field{"file", "a", "", "0123456789X"}).header.Get("Connection"); got != "close" {
		t.Errorf("the rest of the file is waited for: Connection is %q", got)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/service/generation/v1/file", unread{t})
	r.ContentLength = 1 << 30
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	rec := httptest.NewRecorder()
	if g.app.Handler(g.echo).ServeHTTP(rec, r); rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a file that says that it is too large: %d %s", rec.Code, rec.Body)
	}
	g.do(http.MethodPost, "/file", "application/json", strings.NewReader(`{}`)).refused(http.StatusUnsupportedMediaType, "unsupported_media_type", "")
	g.do(http.MethodPost, "/file", "multipart/form-data", strings.NewReader(`x`)).refused(http.StatusUnsupportedMediaType, "unsupported_media_type", "")
	g.do(http.MethodPost, "/file", "multipart/form-data; boundary=x", strings.NewReader("--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nhalf")).refused(http.StatusBadRequest, "invalid", "")
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestAVideoIsWaitedFor(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini = newGemini(t, &generationtest.Options{Processing: 3})
	g.gen = newService(t, g.gemini.Key(), &generation.Options{NoAccounts: true, BaseURL: g.gemini.URL(), Sleep: g.waits.sleep})
	f, err := g.gen.Upload(t.Context(), strings.NewReader(png), generation.UploadOptions{Name: "a.png"})
	if err != nil || f.MIMEType != "image/png" || f.Size != int64(len(png)) || f.Name == "" || f.URI == "" || f.Expires.IsZero() {
		t.Errorf("got %+v, %v", f, err)
	}
	waits := g.waits.list()
	if len(waits) != 4 || waits[0] != 500*time.Millisecond || waits[3] != 4*time.Second {
		t.Errorf("waited %v", waits)
	}
	g.gemini.EnqueueFor(generationtest.OpGetFile, generationtest.Raw(http.StatusOK, "application/json", `{"name": "files/a", "state": "FAILED"}`))
	if _, err := g.gen.Upload(t.Context(), strings.NewReader(png), generation.UploadOptions{}); !errors.Is(err, generation.ErrFileFailed) {
		t.Errorf("a file that is FAILED: %v", err)
	}
}

func TestUploadsAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{Uploads: 2})
	proceed, done := make(chan struct{}), make(chan error)
	for range 2 {
		g.gemini.EnqueueFor(generationtest.OpUpload, generationtest.Wait(proceed))
		go func() {
			_, err := g.gen.Upload(t.Context(), strings.NewReader(png), generation.UploadOptions{})
			done <- err
		}()
	}
	if err := g.gemini.AwaitRequests(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	a := g.do(http.MethodPost, "/file", "multipart/form-data; boundary=b", unread{t}) // nor is the file taken in vain
	a.refused(http.StatusServiceUnavailable, "busy", "")
	if a.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	close(proceed)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	g.upload("a.png", png).uri()
}

// unread is a body that must not be read.
type unread struct{ *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.Error("the body is read")
	return 0, io.EOF
}

func TestFormsAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{Uploads: 1, MaxUploadBytes: 1 << 20})
	const most = 8
	done := make(chan answer, most)
	bodies := make([]*io.PipeWriter, most)
	for i := range bodies {
		var body *io.PipeReader
		body, bodies[i] = io.Pipe()
		go func() { done <- g.do(http.MethodPost, "/file", "multipart/form-data; boundary=b", body) }()
		if _, err := io.WriteString(bodies[i], "--b\r\n"); err != nil { // it is being read
			t.Fatal(err)
		}
	}
	g.do(http.MethodPost, "/file", "multipart/form-data; boundary=b", unread{t}).refused(http.StatusServiceUnavailable, "busy", "")
	for _, body := range bodies {
		_ = body.Close()
	}
	for range bodies {
		(<-done).refused(http.StatusBadRequest, "invalid", "")
	}
	g.upload("a.png", png).uri()
}

func TestUploadsAreTriedAgain(t *testing.T) {
	t.Parallel()
	failure := generationtest.Fail(http.StatusServiceUnavailable, "no")
	text := strings.Repeat("some text ", 1<<20) // more than one piece of the SDK's
	skip := func(n int) io.Reader {
		r := strings.NewReader(text)
		_, _ = r.Seek(int64(n), io.SeekStart)
		return r
	}
	for name, c := range map[string]struct {
		r        io.Reader
		start    int // how many fail to begin
		fails    []generationtest.Reply
		size     int64 // 0 where it fails
		requests int   // that begin
	}{
		"before it began":           {io.MultiReader(strings.NewReader(text)), 2, nil, int64(len(text)), 3},
		"a file":                    {skip(0), 0, []generationtest.Reply{failure, generationtest.Cut()}, int64(len(text)), 3},
		"a file in its middle":      {skip(0), 0, []generationtest.Reply{generationtest.Wait(closed()), failure}, int64(len(text)), 2},
		"the end of a file":         {skip(10), 0, []generationtest.Reply{failure}, int64(len(text) - 10), 2},
		"what cannot be read again": {io.MultiReader(strings.NewReader(text)), 0, []generationtest.Reply{failure}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			for range c.start {
				g.gemini.EnqueueFor(generationtest.OpUploadStart, failure)
			}
			g.gemini.EnqueueFor(generationtest.OpUpload, c.fails...)
			f, err := g.gen.Upload(t.Context(), c.r, generation.UploadOptions{})
			if (err == nil) != (c.size > 0) || f.Size != c.size {
				t.Errorf("got %+v, %v", f, err)
			}
			if n := len(g.gemini.Requests(generationtest.OpUploadStart)); n != c.requests {
				t.Errorf("it began %d times", n)
			}
		})
	}
	g := newGateway(t, nil)
	g.gemini.EnqueueFor(generationtest.OpUpload, failure)
	g.upload("a.png", png).uri()
}

// closed is a channel on which nobody waits.
func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestAReaderThatFailsIsNotGeminisFault(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{MaxUploadBytes: 10})
	mine := errors.New("mine")
	for _, r := range []io.Reader{iotest.ErrReader(mine), io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(mine)), io.MultiReader(strings.NewReader(strings.Repeat("a", 4000)), iotest.ErrReader(mine))} {
		g.gen = newService(t, g.gemini.Key(), &generation.Options{NoAccounts: true, BaseURL: g.gemini.URL()})
		if _, err := g.gen.Upload(t.Context(), r, generation.UploadOptions{}); !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
	}
	g = newGateway(t, &generation.Options{MaxUploadBytes: 10})
	if _, err := g.gen.Upload(t.Context(), strings.NewReader("0123456789X"), generation.UploadOptions{}); !errors.Is(err, generation.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestALargeFileIsSentWhole(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	const size = 17<<20 + 1 // three of the SDK's pieces
	f, err := g.gen.Upload(t.Context(), io.LimitReader(zeros{}, size), generation.UploadOptions{MIMEType: "video/mp4"})
	if err != nil || f.Size != size || f.MIMEType != "video/mp4" {
		t.Errorf("got %+v, %v", f, err)
	}
	if n := len(g.gemini.Requests(generationtest.OpUpload)); n != 3 {
		t.Errorf("%d pieces", n)
	}
}

// zeros reads as zeros without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// slowly is a connection that sends some bytes after each pause, and that knows until
// when it may.
type slowly struct {
	http.ResponseWriter

	pause time.Duration
	size  int
	due   time.Time
	sent  int
}

func (s *slowly) SetReadDeadline(t time.Time) error {
	s.due = t
	return nil
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.sent%s.size == 0 {
		time.Sleep(s.pause)
	}
	if time.Now().After(s.due) {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, bytes.Repeat([]byte{'a'}, s.size-s.sent%s.size))
	s.sent += n
	return n, nil
}

func TestAFormMustNotTakeForever(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pause time.Duration
		size  int
		whole bool
	}{
		"nothing for a while":    {31 * time.Second, 4096, false},
		"a byte now and then":    {20 * time.Second, 1, false},
		"some bytes each second": {time.Second, 1 << 10, false},
		"slow":                   {time.Second, 12 << 10, true},
		"slow, with pauses":      {25 * time.Second, 256 << 10, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gen := newService(t, "k", &generation.Options{NoAccounts: true, MaxUploadBytes: 16 << 20, TempDir: t.TempDir()})
				e := echo.New()
				e.POST("/", gen.HandleFile)
				body := &slowly{ResponseWriter: httptest.NewRecorder(), pause: c.pause, size: c.size}
				form := io.MultiReader(strings.NewReader("--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"), body)
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", form)
				r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
				e.ServeHTTP(body, r)
				if whole := body.sent > 16<<20; whole != c.whole {
					t.Errorf("%d bytes were taken", body.sent)
				}
			})
		})
	}
}
