package generation_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"testing"
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

func TestAFileIsUploaded(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.upload("a.png", "\x89PNG\r\n\x1a\n").uri()
}
