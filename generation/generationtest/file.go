package generationtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The headers of a resumable upload.
const (
	headerCommand  = "X-Goog-Upload-Command"
	headerProtocol = "X-Goog-Upload-Protocol"
	headerOffset   = "X-Goog-Upload-Offset"
	headerStatus   = "X-Goog-Upload-Status"
	headerType     = "X-Goog-Upload-Header-Content-Type"
	headerLength   = "X-Goog-Upload-Header-Content-Length"
)

// lifetime is how long Google keeps a file.
const lifetime = 48 * time.Hour

// uploads are the files that there are, and those that are on their way.
type uploads struct {
	mu         sync.Mutex
	now        func() time.Time
	processing int
	serial     int
	files      []*file
	sessions   map[string]*session
}

func (u *uploads) init(o Options) {
	u.now, u.processing, u.sessions = o.Now, o.Processing, map[string]*session{}
}

// file is a file. Its bytes are not kept: Google gives none back either.
type file struct {
	name, display, mime string
	size                int64
	hash                string
	created             time.Time
	pending             int // how often it is still PROCESSING when it is asked for
	failed              bool
}

// session is an upload that is under way.
type session struct {
	file   file
	digest hash.Hash
	wanted int64 // what the file is to have; -1 where it was not said
}

// nameOfFile is what a file may be called.
var nameOfFile = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// Process sets how often the file with this name ("files/…" or without) is still
// PROCESSING when it is asked for. A negative number makes it FAILED. It reports
// whether there is such a file.
func (g *Gemini) Process(name string, times int) bool {
	g.uploads.mu.Lock()
	defer g.uploads.mu.Unlock()
	f := g.uploads.find(strings.TrimPrefix(name, "files/"))
	if f == nil {
		return false
	}
	f.pending, f.failed = times, times < 0
	return true
}

// find returns a file that has not expired, or nil. The mutex is held.
func (u *uploads) find(name string) *file {
	for _, f := range u.files {
		if f.name == name && u.now().Before(f.created.Add(lifetime)) {
			return f
		}
	}
	return nil
}

// wire returns a file as it is on the wire.
func (f *file) wire(base string) map[string]any {
	state := "ACTIVE"
	switch {
	case f.failed:
		state = "FAILED"
	case f.pending > 0:
		state = "PROCESSING"
	}
	stamp := f.created.UTC().Format(time.RFC3339Nano)
	out := map[string]any{
		"name": "files/" + f.name, "uri": base + "/v1beta/files/" + f.name, "mimeType": f.mime, "sizeBytes": strconv.FormatInt(f.size, 10),
		"createTime": stamp, "updateTime": stamp, "expirationTime": f.created.Add(lifetime).UTC().Format(time.RFC3339Nano),
		"sha256Hash": f.hash, "state": state, "source": "UPLOADED",
	}
	if f.display != "" {
		out["displayName"] = f.display
	}
	if f.failed {
		out["error"] = map[string]any{"code": 13, "message": "The file could not be processed."}
	}
	return out
}

// base returns the URL that the client has reached us by.
func (x *exchange) base() string {
	scheme := "http"
	if x.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + x.r.Host
}

// startUpload answers with the URL that the bytes go to.
func (x *exchange) startUpload() (any, error) {
	if x.r.Header.Get(headerProtocol) != "resumable" {
		return nil, invalid("Upload protocol is not supported: resumable is.")
	}
	var body struct {
		File struct {
			Name        string `json:"name"`
			DisplayName string `json:"displayName"`
			MIMEType    string `json:"mimeType"`
		} `json:"file"`
	}
	if len(x.body) > 0 {
		if err := parse(x.body, &body); err != nil {
			return nil, err
		}
	}
	name := strings.TrimPrefix(body.File.Name, "files/")
	if name != "" && !nameOfFile.MatchString(name) {
		return nil, invalid("* CreateFileRequest.file.name: %s is not a valid file name\n", body.File.Name)
	}
	mime := body.File.MIMEType
	if mime == "" {
		mime = x.r.Header.Get(headerType)
	}
	if mime == "" {
		return nil, invalid("Unsupported MIME type: ")
	}
	wanted, err := strconv.ParseInt(x.r.Header.Get(headerLength), 10, 64)
	if err != nil {
		wanted = -1
	}
	id, e := x.g.uploads.begin(file{name: name, display: body.File.DisplayName, mime: mime}, wanted)
	if e != nil {
		return nil, e
	}
	h := x.w.Header()
	h.Set("X-Goog-Upload-Url", x.base()+"/upload/v1beta/files?upload_id="+url.QueryEscape(id)+"&upload_protocol=resumable")
	h.Set(headerStatus, "active")
	h.Set("X-Goog-Upload-Chunk-Granularity", "262144")
	return map[string]any{}, nil
}

// begin begins an upload and returns its id.
func (u *uploads) begin(f file, wanted int64) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.serial++
	if f.name == "" {
		f.name = fmt.Sprintf("standin%05d", u.serial)
	}
	if u.find(f.name) != nil {
		return "", &apiError{Code: http.StatusConflict, Status: "ALREADY_EXISTS", Message: "Requested entity already exists"}
	}
	id := fmt.Sprintf("upload-%d", u.serial)
	u.sessions[id] = &session{file: f, digest: sha256.New(), wanted: wanted}
	return id, nil
}

// upload takes the bytes of a file.
func (x *exchange) upload() (any, error) {
	u := &x.g.uploads
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.sessions[x.name]
	if s == nil {
		return nil, &apiError{Code: http.StatusNotFound, Message: "Upload session not found."}
	}
	command, finalize := uploadCommand(x.r.Header)
	if command == "query" {
		x.w.Header().Set(headerStatus, "active")
		x.w.Header().Set("X-Goog-Upload-Size-Received", strconv.FormatInt(s.file.size, 10))
		return map[string]any{}, nil
	}
	if command != "upload" {
		return nil, invalid("Invalid upload command.")
	}
	offset, err := strconv.ParseInt(x.r.Header.Get(headerOffset), 10, 64)
	if err != nil || offset != s.file.size {
		return nil, invalid("Upload offset does not match: %d bytes were received.", s.file.size)
	}
	s.digest.Write(x.body)
	s.file.size += int64(len(x.body))
	if !finalize {
		x.w.Header().Set(headerStatus, "active")
		return map[string]any{}, nil
	}
	if s.wanted >= 0 && s.wanted != s.file.size {
		return nil, invalid("Upload has %d bytes, and was announced with %d.", s.file.size, s.wanted)
	}
	delete(u.sessions, x.name)
	f := s.file
	// Google's hash is the base64 of the hexadecimal form.
	f.hash = base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(s.digest.Sum(nil))))
	f.created, f.pending = u.now(), u.processing
	u.files = append(u.files, &f)
	x.w.Header().Set(headerStatus, "final")
	return map[string]any{"file": f.wire(x.base())}, nil
}

// uploadCommand returns what is to be done, and whether it is the end of the file.
func uploadCommand(h http.Header) (command string, finalize bool) {
	return strings.CutSuffix(strings.ReplaceAll(h.Get(headerCommand), " ", ""), ",finalize")
}

// noFile is what Google says of a file that is not there, or another key's.
func noFile(name string) *apiError {
	return &apiError{Code: http.StatusForbidden, Message: "You do not have permission to access the File " + name + " or it may not exist."}
}

func (x *exchange) getFile() (any, error) {
	u := &x.g.uploads
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.find(x.name)
	if f == nil {
		return nil, noFile(x.name)
	}
	out := f.wire(x.base())
	f.pending = max(0, f.pending-1)
	return out, nil
}

func (x *exchange) listFiles() (any, error) {
	u := &x.g.uploads
	u.mu.Lock()
	defer u.mu.Unlock()
	files := []any{}
	for _, f := range slices.Backward(u.files) { // the newest first
		if u.find(f.name) == f {
			files = append(files, f.wire(x.base()))
		}
	}
	return page(files, "files", x.r.URL.Query())
}

func (x *exchange) deleteFile() (any, error) {
	u := &x.g.uploads
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.find(x.name)
	if f == nil {
		return nil, noFile(x.name)
	}
	u.files = slices.DeleteFunc(u.files, func(other *file) bool { return other == f })
	return map[string]any{}, nil
}

// checkFiles checks the files that a content speaks of: those that are ours must be
// there and ACTIVE.
func (g *Gemini) checkFiles(c content) error {
	for _, p := range c.Parts {
		if p.FileData == nil {
			continue
		}
		_, name, ok := strings.Cut(p.FileData.FileURI, "files/")
		if !ok {
			return invalid("Invalid or unsupported file uri: %s", p.FileData.FileURI)
		}
		g.uploads.mu.Lock()
		f := g.uploads.find(name)
		active := f != nil && f.pending == 0 && !f.failed
		g.uploads.mu.Unlock()
		switch {
		case f == nil:
			return noFile(name)
		case !active:
			return &apiError{Code: http.StatusBadRequest, Status: "FAILED_PRECONDITION", Message: "The File " + name + " is not in an ACTIVE state and usage is not allowed."}
		}
	}
	return nil
}

// page returns the page of a list that a query asks for.
func page(all []any, name string, query url.Values) (any, error) {
	size, from := 50, 0
	for param, at := range map[string]*int{"pageSize": &size, "pageToken": &from} {
		if text := query.Get(param); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return nil, invalid("Invalid value at '%s'", param)
			}
			*at = n
		}
	}
	if size == 0 {
		size = 50
	}
	from = min(from, len(all))
	end := min(from+size, len(all))
	out := map[string]any{name: all[from:end]}
	if end < len(all) {
		out["nextPageToken"] = strconv.Itoa(end)
	}
	return out, nil
}
