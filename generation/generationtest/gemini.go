package generationtest

import (
	"errors"
	"net/http"
	"strings"
	"sync"
)

// Gemini is an endpoint of the Gemini API that answers what it is told to. It is
// an [http.Handler]; [Start] gives it an address. Its methods are safe for
// concurrent use.
type Gemini struct {
	opts    Options
	script  script
	record  record
	uploads uploads

	mu     sync.Mutex
	serial int
}

var _ http.Handler = (*Gemini)(nil)

// New returns an endpoint. A nil opts means all defaults. It does no input or
// output, and returns every mistake in the options at once.
func New(opts *Options) (*Gemini, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gemini{opts: o}
	g.script.queues, g.script.signatures = map[Operation][]Reply{}, map[string]bool{}
	g.record.keep = o.Keep
	g.record.changed = make(chan struct{})
	g.uploads.init(o)
	return g, nil
}

// Key returns a key that the endpoint accepts.
func (g *Gemini) Key() string { return g.opts.Keys[0] }

// next returns the number of the next answer, from 1.
func (g *Gemini) next() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serial++
	return g.serial
}

// Operation is a method of the API.
type Operation string

// The operations that there are.
const (
	OpGenerate    Operation = "generateContent"
	OpStream      Operation = "streamGenerateContent"
	OpCountTokens Operation = "countTokens"
	OpEmbed       Operation = "batchEmbedContents"
	OpListModels  Operation = "models.list"
	OpGetModel    Operation = "models.get"
	// OpUploadStart begins an upload, OpUpload brings its bytes.
	OpUploadStart Operation = "files.create"
	OpUpload      Operation = "files.upload"
	OpGetFile     Operation = "files.get"
	OpListFiles   Operation = "files.list"
	OpDeleteFile  Operation = "files.delete"
)

// ServeHTTP answers a request of an SDK.
func (g *Gemini) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, name := operation(r)
	x := &exchange{g: g, w: w, r: r, op: op, name: name}
	body, err := read(r)
	if err != nil {
		return // the client left
	}
	x.body = body
	seen := g.record.add(x)
	err = x.serve()
	if errors.Is(err, errGone) {
		g.record.abandoned(seen)
	}
	if err != nil {
		x.fail(err)
	}
}

// operation returns what a request asks for, and of which model or file.
func operation(r *http.Request) (op Operation, name string) {
	path, upload := strings.CutPrefix(r.URL.Path, "/upload")
	version, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if version != "v1beta" && version != "v1alpha" && version != "v1" {
		return "", ""
	}
	kind, name, _ := strings.Cut(rest, "/")
	switch {
	case upload && kind == "files" && name == "" && r.Method == http.MethodPost:
		if r.Header.Get(headerCommand) == "start" {
			return OpUploadStart, ""
		}
		return OpUpload, r.URL.Query().Get("upload_id")
	case upload:
		return "", ""
	case kind == "files":
		return fileOperation(r.Method, name), name
	case kind == "models":
		return modelOperation(r.Method, name)
	}
	return "", ""
}

// modelOperation returns what is asked of a model, and of which.
func modelOperation(method, name string) (Operation, string) {
	model, verb, has := strings.Cut(name, ":")
	switch {
	case method == http.MethodGet && name == "":
		return OpListModels, ""
	case method == http.MethodGet && !has:
		return OpGetModel, model
	case method == http.MethodPost && has:
		switch op := Operation(verb); op {
		case OpGenerate, OpStream, OpCountTokens, OpEmbed:
			return op, model
		default:
		}
	}
	return "", ""
}

// fileOperation returns what is asked of a file, or of all.
func fileOperation(method, name string) Operation {
	switch {
	case method == http.MethodGet && name == "":
		return OpListFiles
	case method == http.MethodGet:
		return OpGetFile
	case method == http.MethodDelete && name != "":
		return OpDeleteFile
	}
	return ""
}
