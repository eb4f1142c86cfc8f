package generationtest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
)

// upload uploads a small text.
func upload(t *testing.T, c *genai.Client, name string) *genai.File {
	t.Helper()
	f, err := c.Files.Upload(t.Context(), strings.NewReader("some text"), &genai.UploadFileConfig{Name: name, MIMEType: "text/plain", DisplayName: "notes"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFileIsUploadedAsTheSDKDoes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s, c := start(t, &generationtest.Options{Now: func() time.Time { return now }})
	f := upload(t, c, "")
	sum := sha256.Sum256([]byte("some text"))
	size := int64(9)
	want := &genai.File{
		Name: "files/standin00001", DisplayName: "notes", MIMEType: "text/plain", SizeBytes: &size, URI: s.URL() + "/v1beta/files/standin00001",
		CreateTime: now, UpdateTime: now, ExpirationTime: now.Add(48 * time.Hour), State: genai.FileStateActive, Source: genai.FileSourceUploaded,
		Sha256Hash: base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(sum[:]))),
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
	bytes := s.Requests(generationtest.OpUpload)
	if len(bytes) != 1 || bytes[0].Size != 9 || bytes[0].Body != nil || bytes[0].Header.Get("X-Goog-Upload-Command") != "upload, finalize" {
		t.Errorf("got %+v", bytes)
	}
}

func TestALargeFileComesInPieces(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	const size = 8<<20 + 1
	f, err := c.Files.Upload(t.Context(), bytes.NewReader(make([]byte, size)), &genai.UploadFileConfig{MIMEType: "video/mp4"})
	if err != nil {
		t.Fatal(err)
	}
	if *f.SizeBytes != size {
		t.Errorf("%d bytes", *f.SizeBytes)
	}
	var pieces []string
	for _, r := range s.Requests(generationtest.OpUpload) {
		pieces = append(pieces, r.Header.Get("X-Goog-Upload-Command")+" "+r.Header.Get("X-Goog-Upload-Offset"))
	}
	if diff := cmp.Diff([]string{"upload 0", "upload, finalize 8388608"}, pieces); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAreFoundListedAndDeleted(t *testing.T) {
	t.Parallel()
	_, c := start(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		upload(t, c, name)
	}
	var names []string
	for f, err := range c.Files.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"files/c", "files/b", "files/a"}, names); diff != "" {
		t.Error(diff)
	}
	page, err := c.Files.List(t.Context(), &genai.ListFilesConfig{PageSize: 2})
	if err != nil || len(page.Items) != 2 || page.NextPageToken == "" {
		t.Errorf("a page: %+v, %v", page, err)
	}
	if page, err = page.Next(t.Context()); err != nil || len(page.Items) != 1 {
		t.Errorf("the next one: %+v, %v", page, err)
	}
	if f, err := c.Files.Get(t.Context(), "files/b", nil); err != nil || f.Name != "files/b" {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := c.Files.Delete(t.Context(), "files/b", nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.Files.Get(t.Context(), "files/b", nil)
	if e := apiError(t, err); e.Code != 403 || e.Status != "PERMISSION_DENIED" {
		t.Errorf("got %+v", e)
	}
	_, err = c.Files.Delete(t.Context(), "files/b", nil)
	apiError(t, err)
}

func TestAFileExpires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	_, c := start(t, &generationtest.Options{Now: func() time.Time { return now }})
	upload(t, c, "a")
	now = now.Add(48 * time.Hour)
	_, err := c.Files.Get(t.Context(), "a", nil)
	apiError(t, err)
}

func TestAVideoIsProcessedFirst(t *testing.T) {
	t.Parallel()
	s, c := start(t, &generationtest.Options{Processing: 2})
	f := upload(t, c, "v")
	contents := []*genai.Content{genai.NewContentFromURI(f.URI, f.MIMEType, genai.RoleUser)}
	if e := refused(t, c, contents, nil); e.Status != "FAILED_PRECONDITION" {
		t.Errorf("got %+v", e)
	}
	var states []genai.FileState
	for range 3 {
		f, err := c.Files.Get(t.Context(), "v", nil)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, f.State)
	}
	if diff := cmp.Diff([]genai.FileState{"PROCESSING", "PROCESSING", "ACTIVE"}, states); diff != "" {
		t.Error(diff)
	}
	if got := generate(t, c, contents, nil).Text(); !strings.Contains(got, "Files: 1.") {
		t.Errorf("got %q", got)
	}
	if !s.Process("files/v", -1) || s.Process("files/w", 1) {
		t.Error("Process does not tell whether there is such a file")
	}
	if f, err := c.Files.Get(t.Context(), "v", nil); err != nil || f.State != genai.FileStateFailed || f.Error == nil {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestUploadsFailAsScripted(t *testing.T) {
	t.Parallel()
	s, c := start(t, nil)
	config := &genai.UploadFileConfig{MIMEType: "text/plain"}
	s.EnqueueFor(generationtest.OpUploadStart, generationtest.Fail(403, "no room"))
	if _, err := c.Files.Upload(t.Context(), strings.NewReader("a"), config); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("at the start: %v", err)
	}
	s.EnqueueFor(generationtest.OpUpload, generationtest.Stream(generationtest.Header("X-Goog-Upload-Status", "final"), generationtest.Raw(200, "application/json", "{}")))
	if got := panics(func() { _, _ = c.Files.Upload(t.Context(), strings.NewReader("a"), config) }); got == nil {
		t.Error("the SDK no longer panics at an answer without a file: what works around it may go")
	}
	s.EnqueueFor(generationtest.OpUpload, generationtest.Hang())
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := c.Files.Upload(ctx, strings.NewReader("a"), config)
		failed <- err
	}()
	if err := s.AwaitRequests(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; err == nil {
		t.Error("a hanging upload came to an end")
	}
}

// panics returns what fn panics with.
func panics(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

func TestUploadsFollowTheProtocol(t *testing.T) {
	t.Parallel()
	s, _ := start(t, nil)
	const path = "/upload/v1beta/files"
	begin := []string{"X-Goog-Upload-Protocol", "resumable", "X-Goog-Upload-Command", "start", "X-Goog-Upload-Header-Content-Type", "text/plain", "X-Goog-Upload-Header-Content-Length", "4"}
	_, header, _ := send(t, s, http.MethodPost, path, "{}", begin...)
	to := strings.TrimPrefix(header.Get("X-Goog-Upload-Url"), s.URL())
	if header.Get("X-Goog-Upload-Status") != "active" || !strings.HasPrefix(to, path+"?upload_id=") {
		t.Fatalf("got %v", header)
	}
	steps := []struct {
		name, command, offset, body string
		status                      int
	}{
		{"a first piece", "upload", "0", "ab", 200},
		{"the same again", "upload", "0", "ab", 400},
		{"a gap", "upload", "3", "d", 400},
		{"no offset", "upload", "", "cd", 400},
		{"an unknown command", "sing", "2", "", 400},
		{"the end before all is there", "upload, finalize", "2", "c", 400},
		{"how much is there", "query", "", "", 200},
		{"the rest", "upload, finalize", "3", "d", 200},
		{"a piece after the end", "upload", "4", "e", 404},
	}
	for _, step := range steps {
		headers := []string{"X-Goog-Upload-Command", step.command}
		if step.offset != "" {
			headers = append(headers, "X-Goog-Upload-Offset", step.offset)
		}
		status, header, body := send(t, s, http.MethodPost, to, step.body, headers...)
		if status != step.status {
			t.Errorf("%s: status %d, want %d; %s", step.name, status, step.status, body)
		}
		if step.command == "query" && header.Get("X-Goog-Upload-Size-Received") != "3" {
			t.Errorf("%s: %v", step.name, header)
		}
	}
	for name, headers := range map[string][]string{
		"another protocol": {"X-Goog-Upload-Protocol", "multipart", "X-Goog-Upload-Command", "start"},
		"no type":          {"X-Goog-Upload-Protocol", "resumable", "X-Goog-Upload-Command", "start"},
	} {
		if status, _, body := send(t, s, http.MethodPost, path, "{}", headers...); status != 400 {
			t.Errorf("%s: status %d, %s", name, status, body)
		}
	}
	for name, body := range map[string]string{"a bad name": `{"file":{"name":"files/A"}}`, "a name that is taken": `{"file":{"name":"files/standin00001"}}`} {
		if status, _, text := send(t, s, http.MethodPost, path, body, begin...); status < 400 {
			t.Errorf("%s: status %d, %s", name, status, text)
		}
	}
}
