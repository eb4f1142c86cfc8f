package generation

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

const (
	// maxField is how long a field of a form may be that is no file.
	maxField = 1024
	// formSlack is what a form may have beside its file.
	formSlack = 64 << 10
)

// HandleFile sends a file to Gemini: POST /file.
func (s *Service) HandleFile(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	if s.busy() {
		return ErrBusy // before the file is sent in vain
	}
	select {
	case s.forms <- struct{}{}:
		defer func() { <-s.forms }()
	default:
		return ErrBusy
	}
	form, err := s.readForm(c)
	if err != nil {
		return err
	}
	defer form.remove()
	file, err := s.Upload(c.Request().Context(), form.file, UploadOptions{Name: form.name, MIMEType: form.mimeType, Key: form.key})
	if err != nil {
		return err
	}
	return respondJSON(c, fileAnswer{fileData{file.URI, file.MIMEType}})
}

// form is what an upload has. The file rests on the disk, for the key may come
// after it.
type form struct {
	file     *os.File
	linked   bool // has a name in the file system
	name     string
	mimeType string
	key      string
	hasKey   bool
}

// remove deletes the file on the disk.
func (f *form) remove() {
	if f.file != nil {
		_ = f.file.Close()
	}
	if f.linked {
		_ = os.Remove(f.file.Name())
	}
}

// readForm reads a form, whose file is removed by the caller if there is no error.
func (s *Service) readForm(c echo.Context) (_ *form, err error) {
	r := c.Request()
	if r.ContentLength > s.opts.MaxUploadBytes+formSlack {
		return nil, s.tooLarge(c)
	}
	r.Body = &patient{ReadCloser: r.Body, control: http.NewResponseController(c.Response().Writer), due: time.Now().Add(readGrace)} //nolint:forbidigo // the connection's clock
	reader, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) || errors.Is(err, http.ErrMissingBoundary) {
		return nil, &service.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: "The body must be multipart/form-data."}
	}
	if err != nil {
		return nil, malformed(err)
	}
	f := &form{}
	defer func() {
		if err != nil {
			f.remove()
		}
	}()
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, s.unread(c, err)
		}
		if err := s.readPart(c, f, part); err != nil {
			return nil, err
		}
	}
	if f.file == nil {
		return nil, service.Invalid("file", "is missing")
	}
	// Only a body that was read to its end lets net/http see that the client leaves.
	if _, err := io.CopyN(io.Discard, r.Body, formSlack); !errors.Is(err, io.EOF) {
		return nil, s.unread(c, err)
	}
	return f, nil
}

// readPart reads one part of a form.
func (s *Service) readPart(c echo.Context, f *form, part *multipart.Part) error {
	switch name := part.FormName(); {
	case name == "file" && f.file != nil, name == "key" && f.hasKey:
		return service.Invalid(name, "is given twice")
	case name == "file" && part.FileName() == "":
		return service.Invalid("file", "is not a file")
	case name == "file":
		f.name, f.mimeType = shownName(part.FileName()), part.Header.Get(echo.HeaderContentType)
		return s.spool(c, f, part)
	case name == "key":
		text, err := io.ReadAll(io.LimitReader(part, maxField+1))
		if err != nil {
			return s.unread(c, err)
		}
		if len(text) == 0 || len(text) > maxField {
			return service.Invalid("key", "is not a key")
		}
		f.key, f.hasKey = string(text), true
		return nil
	default:
		return service.Invalid(printable(name), "is unknown")
	}
}

// spool copies the file to the disk.
func (s *Service) spool(c echo.Context, f *form, part io.Reader) error {
	file, err := os.CreateTemp(s.opts.TempDir, "coglex-generation-*")
	if err != nil {
		return fmt.Errorf("generation: keeping the file: %w", err)
	}
	// Without a name nothing is left of it by a crash. Not every system lets an open
	// file go.
	f.file, f.linked = file, os.Remove(file.Name()) != nil
	from := &limitedReader{r: part, left: s.opts.MaxUploadBytes}
	n, err := io.Copy(file, from)
	switch {
	case errors.Is(from.err, ErrTooLarge):
		return s.tooLarge(c)
	case from.err != nil:
		return s.unread(c, from.err)
	case err != nil:
		return fmt.Errorf("generation: keeping the file: %w", err)
	case n == 0:
		return service.Invalid("file", "is empty")
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("generation: keeping the file: %w", err)
	}
	return nil
}

// unread says why a form could not be read to its end.
func (s *Service) unread(c echo.Context, err error) error {
	var limit *http.MaxBytesError
	switch {
	case c.Request().Context().Err() != nil:
		return fmt.Errorf("generation: reading the form: %w", err)
	case errors.As(err, &limit):
		return s.tooLarge(c)
	}
	return malformed(err)
}

func malformed(err error) error {
	return &service.Problem{Status: http.StatusBadRequest, Code: "invalid", Detail: "The form is malformed or ends too early.", Err: err}
}

// tooLarge refuses a file, and has the connection closed rather than the rest of
// it read.
func (s *Service) tooLarge(c echo.Context) error {
	if c.Request().ProtoMajor == 1 {
		c.Response().Header().Set(echo.HeaderConnection, "close")
	}
	return &service.Problem{
		Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Detail: fmt.Sprintf("The file must not be larger than %d bytes.", s.opts.MaxUploadBytes),
	}
}

const (
	// readGrace is how long a client may send nothing.
	readGrace = 30 * time.Second
	// readRate is how many bytes a second a client must send on the whole: few can
	// send at once, and nobody shall keep the others out with a byte now and then.
	readRate = 8 << 10
)

// patient is a body that fails where the client sends nothing for a while, or too
// little for long.
type patient struct {
	io.ReadCloser
	control *http.ResponseController
	due     time.Time // when there must be more
}

// Read implements [io.Reader].
func (p *patient) Read(b []byte) (int, error) {
	if err := supported(p.control.SetReadDeadline(p.due)); err != nil {
		return 0, err
	}
	n, err := p.ReadCloser.Read(b)
	p.due = p.due.Add(time.Duration(n) * time.Second / readRate)
	if most := time.Now().Add(readGrace); p.due.After(most) { //nolint:forbidigo // the connection's clock
		p.due = most
	}
	return n, err
}

// shownName returns a client's name for a file such that it can be shown: short,
// and without what does not print.
func shownName(name string) string {
	name = clean(strings.ToValidUTF8(name, ""), "")
	if utf8.RuneCountInString(name) > maxName {
		return ""
	}
	return name
}

// maxName is how long a name may be that is passed on; Gemini takes 512.
const maxName = 255
