package e2e_test

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// newBrowser returns the context of a Chromium.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("chromium has to be installed: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))
	allocator, cancelAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancelAllocator)
	browser, cancelBrowser := chromedp.NewContext(allocator)
	t.Cleanup(cancelBrowser)
	ctx, cancel := context.WithTimeout(browser, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A page of another origin, without a script and without the key, lets a
// visitor upload one file.
func TestArchiveTicketInABrowser(t *testing.T) {
	t.Parallel()
	g, _ := startArchive(t, startDatabase(t), filepath.Join(t.TempDir(), "uploads"))
	ticket := ticketFor(t, g, `{"max_bytes": 3145728}`)
	page := template.Must(template.New("").Parse(`<form method="post" enctype="multipart/form-data" action="{{.}}">` +
		`<input type="hidden" name="metadata" value="{&quot;from&quot;:&quot;a form&quot;}"><input type="file" name="file" id="file"><button id="send">Send</button></form>`))
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, ticket)
	}))
	t.Cleanup(site.Close)
	const name = "Grüße, 日本 & Co.bin"
	path, hash, _ := sampleFile(t, name, 3<<20)
	ctx := newBrowser(t)

	send := func() (int64, string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Navigate(site.URL), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path})); err != nil {
			t.Fatal(err)
		}
		response, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS("#send")))
		if err != nil {
			t.Fatal(err)
		}
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
		if err != nil {
			t.Fatal(err)
		}
		return response.Status, text
	}
	status, text := send()
	var kept struct {
		fileRecord
		Metadata struct{ From string }
	}
	if err := json.Unmarshal([]byte(text), &kept); err != nil || status != http.StatusCreated {
		t.Fatalf("the browser shows %d, %v: %s", status, err, text)
	}
	if kept.SHA256 != hash || kept.Name != name || kept.Metadata.From != "a form" {
		t.Errorf("kept: %+v, want %s with hash %s", kept, name, hash)
	}
	if status, text := send(); status != http.StatusConflict {
		t.Errorf("the ticket is taken a second time: %d %s", status, text)
	}
	if files := g.files(t); len(files) != 1 {
		t.Errorf("kept: %v, want one", files)
	}
}
