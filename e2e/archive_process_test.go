package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// archivePath is where the archive is.
const archivePath = "/service/archive/v1/"

// swept is what the sweep before the start of an archive reports.
type swept struct {
	Files, Deleted, Partial, Missing int
}

// startArchive runs a gateway with an archive on disk, the records being in
// another process. A wrapper is a command that runs the one that it is given.
func startArchive(tb testing.TB, db *database, folder string, wrapper ...string) (*gateway, swept) {
	tb.Helper()
	command := append(wrapper, build(tb, "./e2e/cmd/archivegateway"))
	g := &gateway{cmd: exec.Command(command[0], command[1:]...), stderr: new(lockedBuffer), done: make(chan struct{})}
	g.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "MONGODB_URI=" + db.URI, "UPLOAD_FOLDER=" + folder, "SERVER_SECRET=" + secret}
	g.cmd.Stderr = g.stderr
	stdout, err := g.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	report, err := lines.ReadBytes('\n')
	var s swept
	if err == nil {
		err = json.Unmarshal(report, &s)
	}
	if err == nil {
		g.URL, err = lines.ReadString('\n')
		g.URL = strings.TrimSpace(g.URL)
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		g.err = g.cmd.Wait()
		close(g.done)
	}()
	tb.Cleanup(g.kill)
	if err != nil {
		<-g.done
		tb.Fatalf("the archive did not start: %v, %v\n%s", err, g.err, g.stderr)
	}
	return g, s
}

// fileRecord is what the archive tells of a file.
type fileRecord struct {
	ID     string `json:"_id"`
	Name   string `json:"_filename"`
	Size   int64  `json:"_filesize"`
	SHA256 string `json:"_sha256"`
}

// upload sends a file, as a form does.
func (g *gateway) upload(client *http.Client, name string, content []byte) (fileRecord, int, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err != nil {
		return fileRecord{}, 0, err
	}
	if err := form.Close(); err != nil {
		return fileRecord{}, 0, err
	}
	req, err := http.NewRequest(http.MethodPost, g.URL+archivePath, &body)
	if err != nil {
		return fileRecord{}, 0, err
	}
	req.Header.Set("X-API-Key", secret)
	req.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := client.Do(req)
	if err != nil {
		return fileRecord{}, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return fileRecord{}, resp.StatusCode, nil
	}
	var file fileRecord
	err = json.NewDecoder(resp.Body).Decode(&file)
	return file, resp.StatusCode, err
}

// files lists what the archive has.
func (g *gateway) files(tb testing.TB) (files []fileRecord) {
	tb.Helper()
	a := g.call(tb, http.MethodGet, archivePath+"?limit=1000", "", "X-API-Key: "+secret)
	if a.status != http.StatusOK {
		tb.Fatalf("the list: %d %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &files); err != nil {
		tb.Fatal(err)
	}
	return files
}

// onDisk counts the files in the folder of an archive, whole and unfinished ones.
func onDisk(tb testing.TB, folder string) (whole, partial int) {
	tb.Helper()
	err := filepath.WalkDir(folder, func(name string, item os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case item.IsDir():
		case filepath.Base(filepath.Dir(name)) == "partial":
			partial++
		default:
			whole++
		}
		return nil
	})
	if err != nil {
		tb.Fatal(fmt.Errorf("looking at the disk: %w", err))
	}
	return whole, partial
}
