package generationtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
)

// exchange is one request and its answer.
type exchange struct {
	g    *Gemini
	w    http.ResponseWriter
	r    *http.Request
	op   Operation
	name string
	body []byte
	req  Request
	// answer is what the model says, where it is asked.
	answer *answer
	// begun says that the answer is under way.
	begun bool
}

// key returns the API key that the request presents.
func (x *exchange) key() string {
	if key := x.r.Header.Get(headerKey); key != "" {
		return key
	}
	return x.r.URL.Query().Get("key")
}

// serve answers.
func (x *exchange) serve() error {
	switch key := x.key(); {
	case x.op == "":
		return x.raw(http.StatusNotFound, "text/html; charset=UTF-8", "<!DOCTYPE html>\n<title>Error 404 (Not Found)!!1</title>\n")
	case key == "":
		return keyMissing()
	case !slices.Contains(x.g.opts.Keys, key):
		return keyInvalid()
	case len(x.body) > maxBody:
		return invalid("Request payload size exceeds the limit: %d bytes.", maxBody)
	}
	if x.op == OpGenerate || x.op == OpStream {
		return x.generate()
	}
	if r, ok, _ := x.g.script.take(x.op); ok {
		for _, s := range r.steps {
			if s.act == nil {
				continue
			}
			if err := s.act(x); err != nil || s.ends {
				return err
			}
		}
	}
	value, err := x.operate()
	if err != nil {
		return err
	}
	return x.json(http.StatusOK, value)
}

// operate does what is not generating.
func (x *exchange) operate() (any, error) {
	switch x.op {
	case OpCountTokens:
		return x.countTokens()
	case OpEmbed:
		return x.embed()
	case OpListModels:
		return x.listModels()
	case OpGetModel:
		return x.getModel()
	case OpUploadStart:
		return x.startUpload()
	case OpUpload:
		return x.upload()
	case OpGetFile:
		return x.getFile()
	case OpListFiles:
		return x.listFiles()
	case OpDeleteFile:
		return x.deleteFile()
	default:
		return nil, &apiError{Code: http.StatusNotImplemented, Message: "Operation is not implemented, or supported, or enabled."}
	}
}

// json answers with a value.
func (x *exchange) json(status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return &apiError{Code: http.StatusInternalServerError, Message: "generationtest: the answer is no JSON"}
	}
	return x.raw(status, "application/json; charset=UTF-8", string(text))
}

// raw answers with a body that is whole.
func (x *exchange) raw(status int, contentType, body string) error {
	if x.begun {
		return errCut // a stream cannot become something else
	}
	if x.r.Context().Err() != nil {
		return errGone
	}
	x.begun = true
	h := x.w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if _, err := x.w.Write([]byte(body)); err != nil {
		return errGone
	}
	return nil
}

// fail ends an answer with an error.
func (x *exchange) fail(err error) {
	var e *apiError
	switch {
	case errors.As(err, &e) && x.begun:
		full := *e
		full.Status = e.status()
		if x.event(map[string]any{"error": full}) != nil {
			return
		}
	case errors.As(err, &e):
		full := *e
		full.Status = e.status()
		_ = x.json(e.Code, map[string]any{"error": full}) // the client left
	case errors.Is(err, errCut), errors.Is(err, errGone): // or we are closing, and the client is not to take this for an answer
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to break a connection
	}
}
