package e2e_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What the archive calls harmless, a browser really shows; and what is a page to
// some eyes stays text.
func TestArchiveShownInABrowser(t *testing.T) {
	t.Parallel()
	g, _ := startArchive(t, startDatabase(t), filepath.Join(t.TempDir(), "uploads"))
	ctx := newBrowser(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 70, 30))); err != nil {
		t.Fatal(err)
	}
	// A second of silence, 8000 times a byte.
	sound := "RIFF\x64\x1f\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x40\x1f\x00\x00" + strings.Repeat("\x80", 8000)
	const markup = "<html><script>document.title = 'ran'</script>"
	const played = `(v => v.readyState ? 'plays ' + v.duration : v.networkState === v.NETWORK_NO_SOURCE ? 'has no source' : '')(document.querySelector('video, audio'))`
	for name, row := range map[string]struct{ content, script, want string }{
		"picture":      {picture.String(), "document.images[0].naturalWidth + ' ' + self.origin", "70 null"},
		"sound":        {sound, played, "plays 1"},
		"text":         {"text, and " + markup, "document.title + document.body.innerText + ' ' + self.origin", "text, and " + markup + " null"},
		"utf-16":       {"\xff\xfe" + strings.Join(strings.Split(markup, ""), "\x00") + "\x00", "document.title + document.body.innerText", markup},
		"far-off page": {strings.Repeat(" ", 4000) + markup, "document.title + document.body.innerText.trim()", markup},
	} {
		file, status, err := g.upload(http.DefaultClient, name, []byte(row.content))
		if err != nil || status != http.StatusCreated {
			t.Fatalf("%s: %d, %v", name, status, err)
		}
		address := g.URL + g.call(t, http.MethodPost, archivePath+file.ID+"/link", `{"inline": true}`, keyHeader).field(t, "url")
		if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
			t.Fatal(name, err)
		}
		// Scripts are off, those of a test that wait for an event too.
		got := ""
		for err == nil && got == "" {
			got, err = chromedp.Run(ctx, chromedp.Evaluate[string](row.script))
		}
		if err != nil || got != row.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, row.want)
		}
	}
}
