package e2e_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keyHeader is the header that opens the archive.
const keyHeader = "X-API-Key: " + secret

// runTool runs a program that none of us wrote and returns how it ended.
func runTool(t *testing.T, name string, args ...string) (out string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	b, err := cmd.CombinedOutput()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		return string(b), ended.ExitCode()
	}
	if err != nil {
		t.Fatalf("%s has to be installed and to come to an end: %v\n%s", name, err, b)
	}
	return string(b), 0
}

// sampleFile returns a file with random bytes, and their hash.
func sampleFile(t *testing.T, name string, size int) (path, hash string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	rand.Read(content)
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return path, hex.EncodeToString(sum[:]), content
}

// sameHash checks a downloaded file.
func sameHash(t *testing.T, path, want string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("%d bytes with the hash %s have come, want %s", len(b), got, want)
	}
}

// TestArchiveClients lets programs that none of us wrote talk to the archive,
// over a network that breaks.
func TestArchiveClients(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "uploads")
	g, _ := startArchive(t, startDatabase(t), folder)
	const size = 12 << 20
	_, hash, content := sampleFile(t, "file", size)
	file, status, err := g.upload(http.DefaultClient, "what is downloaded", content)
	if err != nil || status != http.StatusCreated || file.SHA256 != hash {
		t.Fatalf("the upload: %d, %v, %+v", status, err, file)
	}

	t.Run("curl resumes a download", func(t *testing.T) {
		t.Parallel()
		network, out := newCutter(t, g, 1, size/3, false), filepath.Join(t.TempDir(), "out")
		args := []string{"-sS", "--fail", "-H", keyHeader, "-o", out, network.URL + archivePath + file.ID}
		if text, exit := runTool(t, "curl", args...); exit != 18 && exit != 56 {
			t.Fatalf("curl ends with %d, want 18 or 56 for a connection that was cut: %s", exit, text)
		}
		if text, exit := runTool(t, "curl", append(args, "-C", "-")...); exit != 0 {
			t.Fatalf("curl ends with %d: %s", exit, text)
		}
		sameHash(t, out, hash)
		resumed(t, network, size)
	})
	t.Run("wget resumes a download", func(t *testing.T) {
		t.Parallel()
		network, out := newCutter(t, g, 2, size/4, false), filepath.Join(t.TempDir(), "out")
		text, exit := runTool(t, "wget", "-nv", "--no-proxy", "-t", "5", "--waitretry=0", "--header", keyHeader, "-O", out, network.URL+archivePath+file.ID)
		if exit != 0 {
			t.Fatalf("wget ends with %d: %s", exit, text)
		}
		sameHash(t, out, hash)
		resumed(t, network, size)
	})
	t.Run("rclone downloads in ranges at once and resumes one", func(t *testing.T) {
		t.Parallel()
		network, out := newCutter(t, g, 1, size/8, false), filepath.Join(t.TempDir(), "out")
		text, exit := runTool(t, "rclone", "copyto", "--config", "/dev/null", "--http-url", network.URL+archivePath,
			"--http-headers", "X-API-Key,"+secret, "--multi-thread-cutoff", "1M", "--multi-thread-streams", "4",
			"--retries", "1", "--low-level-retries", "5", ":http:"+file.ID, out)
		if exit != 0 {
			t.Fatalf("rclone ends with %d: %s", exit, text)
		}
		sameHash(t, out, hash)
		resumed(t, network, size)
		// How many there are is its own affair: it uses connections again.
		if busy := network.busy.Load(); busy < 2 {
			t.Errorf("%d connections carried bytes, want several", busy)
		}
	})
	t.Run("curl uploads", func(t *testing.T) {
		t.Parallel()
		path, hash, _ := sampleFile(t, "photo.bin", 5<<20)
		text, exit := runTool(t, "curl", "-sS", "--fail-with-body", "-H", keyHeader, "-F", `metadata={"a":[1]}`, "-F", "file=@"+path, g.URL+archivePath)
		var kept struct {
			fileRecord
			Metadata struct{ A []int }
		}
		if err := json.Unmarshal([]byte(text), &kept); exit != 0 || err != nil {
			t.Fatalf("curl ends with %d: %v, %s", exit, err, text)
		}
		if kept.SHA256 != hash || kept.Name != "photo.bin" || len(kept.Metadata.A) != 1 {
			t.Errorf("kept: %+v, want photo.bin with hash %s", kept, hash)
		}
	})
	// It looks at what is on disk, so the ones above wait until it is done.
	t.Run("curl is cut off in an upload", func(t *testing.T) { //nolint:paralleltest // see above
		path, _, _ := sampleFile(t, "cut.bin", 5<<20)
		network := newCutter(t, g, 1, 3<<20, true)
		args := []string{"-sS", "--fail", "-H", keyHeader, "-F", "file=@" + path, network.URL + archivePath}
		if text, exit := runTool(t, "curl", args...); exit == 0 {
			t.Fatalf("curl was not cut off: %s", text)
		}
		eventually(t, "what has come of a cut upload is gone", func() bool {
			whole, partial := onDisk(t, folder)
			return whole == 1 && partial == 0 && len(g.files(t)) == 1
		})
		text, exit := runTool(t, "curl", args...)
		var kept fileRecord
		if err := json.Unmarshal([]byte(text), &kept); exit != 0 || err != nil {
			t.Fatalf("curl ends with %d at its second try: %v, %s", exit, err, text)
		}
		if a := g.call(t, http.MethodDelete, archivePath+kept.ID, "", keyHeader); a.status != http.StatusOK {
			t.Fatalf("the delete: %d %s", a.status, a.body)
		}
	})
}

// resumed checks that a cut did come, and that the client did not begin anew.
func resumed(t *testing.T, network *cutter, size int64) {
	t.Helper()
	if network.cuts.Load() > 0 {
		t.Error("the network was not cut")
	}
	if carried := network.carried.Load(); carried > size+size/4 {
		t.Errorf("%d bytes were carried for %d: the client has begun anew", carried, size)
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick, end := time.NewTicker(20*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it never came true that %s", what)
		}
	}
}

// ticketFor returns an address that takes one upload.
func ticketFor(t *testing.T, g *gateway, body string) string {
	t.Helper()
	a := g.call(t, http.MethodPost, archivePath+"tickets", body, keyHeader)
	if a.status != http.StatusOK {
		t.Fatalf("the ticket: %d %s", a.status, a.body)
	}
	url := a.field(t, "url")
	if !strings.HasPrefix(url, "http") {
		url = g.URL + url
	}
	return url
}
