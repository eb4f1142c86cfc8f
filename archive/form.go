package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/service"
)

const (
	// maxFormBytes is how many bytes there may be before, between and after the
	// parts of a form, their headers included, at each of these places.
	maxFormBytes = 16 << 10
	// bodyBuffer is how much of a body is read at once.
	bodyBuffer = 256 << 10
	// maxBoundaryBytes is how long the line between parts may be (RFC 2046, section 5.1.1).
	maxBoundaryBytes = 70
)

// The parts of a form.
const (
	partFile     = "file"
	partMetadata = "metadata"
)

// form is the body of an upload: a part called file, and before or after it one
// called metadata, if it may have that.
type form struct {
	parts    *multipart.Reader
	source   *frame
	metadata bson.Raw // nil until it came
	given    bool     // the metadata is not the client's to give
}

// newForm returns the form that a request has for a body.
func newForm(r *http.Request) (*form, error) {
	if coding := r.Header.Get(echo.HeaderContentEncoding); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, unsupportedMedia("The body must not have a content encoding.")
	}
	media, params, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEMultipartForm {
		return nil, unsupportedMedia("The body must be multipart/form-data.")
	}
	boundary := params["boundary"]
	if boundary == "" || len(boundary) > maxBoundaryBytes {
		return nil, service.Invalid("Content-Type", "must have a boundary of 1 to 70 characters")
	}
	source := &frame{r: bufio.NewReaderSize(&body{r: r.Body}, bodyBuffer)}
	return &form{parts: multipart.NewReader(source, boundary), source: source}, nil
}

func unsupportedMedia(detail string) error {
	return &service.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: detail}
}

// body tells that the client stopped sending from what is wrong with what it sent.
type body struct{ r io.Reader }

// Read reads on.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	switch {
	case err == nil, errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, err
	case isTooLarge(err):
		return n, fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, tooSlow(err)
	}
	return n, fmt.Errorf("%w: %w", errLeft, err)
}

// tooSlow is the problem of a body for which nobody waits any longer.
func tooSlow(err error) error {
	return &service.Problem{Status: http.StatusBadRequest, Code: "invalid", Detail: "The body comes too slowly.", Err: err}
}

// isTooLarge reports whether a limit that the host has set refused the body.
func isTooLarge(err error) bool {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return true
	}
	he, ok := errors.AsType[*echo.HTTPError](err)
	return ok && he.Code == http.StatusRequestEntityTooLarge
}

// errForm says that what is around the parts is too much.
var errForm = errors.New("archive: too many bytes around the parts of a form")

// frame is a reader that yields so many bytes until it is given more.
type frame struct {
	r    io.Reader
	left int64
	free bool // for now there is no bound
}

// Read reads on.
func (f *frame) Read(p []byte) (int, error) {
	if f.free {
		return f.r.Read(p)
	}
	if f.left <= 0 {
		return 0, errForm
	}
	n, err := f.r.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// next returns the name of the next part, io.EOF behind the last one. The headers of
// a part, and whatever is before them, are bounded.
func (f *form) next() (string, *multipart.Part, error) {
	f.source.free, f.source.left = false, maxFormBytes
	part, err := f.parts.NextRawPart()
	f.source.free = true
	if err != nil {
		return "", nil, malformed(err)
	}
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "", "binary", "7bit", "8bit":
	default:
		return "", nil, service.Invalid("Content-Transfer-Encoding", "must be binary (RFC 7578, section 4.7)")
	}
	return part.FormName(), part, nil
}

// malformed returns the problem of a form that cannot be read on; errors that say
// more, and the end, are returned as they are.
func malformed(err error) error {
	switch {
	case err == io.EOF, errors.Is(err, errLeft), errors.Is(err, ErrTooLarge): //nolint:errorlint // the end, and nothing around it
		return err
	}
	if p, ok := errors.AsType[*service.Problem](err); ok {
		return p
	}
	p := service.Invalid("body", "is no well-formed multipart form")
	p.Err = err
	return p
}

// readMetadata takes the part with the metadata.
func (f *form) readMetadata(part io.Reader) error {
	switch {
	case f.given:
		return service.Invalid(partMetadata, "is said by the ticket")
	case f.metadata != nil:
		return service.Invalid(partMetadata, "is given twice")
	}
	text, err := io.ReadAll(io.LimitReader(part, MaxMetadataBytes+1))
	if err != nil {
		return malformed(err)
	}
	if len(text) > MaxMetadataBytes {
		return &service.Problem{
			Status: http.StatusRequestEntityTooLarge, Code: "metadata_too_large",
			Detail: fmt.Sprintf("The metadata must not be larger than %d bytes.", MaxMetadataBytes),
		}
	}
	f.metadata, err = parseMetadata(text)
	return err
}

// parseMetadata returns what a client says of a file.
func parseMetadata(text []byte) (bson.Raw, error) {
	metadata, err := extjson.Parse(text, extjson.MaxDepth-1)
	if e, ok := errors.AsType[*extjson.Error](err); ok {
		return nil, e.Under(partMetadata)
	}
	if err != nil {
		return nil, err
	}
	return metadata, checkMetadata(metadata)
}

// checkMetadata checks what a client says of a file as storage checks a document.
func checkMetadata(metadata []byte) error {
	rules := mongoquery.Rules{}
	err := rules.Document(bsoncore.BuildDocument(nil, bsoncore.AppendDocumentElement(nil, partMetadata, metadata)))
	if e, ok := errors.AsType[*mongoquery.Error](err); ok {
		plain := *e
		plain.Path = strings.TrimPrefix(e.Path, "document.")
		return &plain
	}
	return err
}

// bareName returns the name that a client gives to a file, with its directories: a
// part's FileName would cut them by the rules of this machine.
func bareName(part *multipart.Part) (name string, given bool) {
	_, params, err := mime.ParseMediaType(part.Header.Get(echo.HeaderContentDisposition))
	if err != nil {
		return "", false
	}
	name, given = params["filename"]
	return name, given
}

// receive reads a form and keeps the file in it. Where anything is wrong with the
// form, before or behind the file, its bytes are deleted again.
func (s *Service) receive(ctx context.Context, f *form, u upload) (rec record, err error) {
	defer func() {
		if err != nil && rec.Key != "" {
			s.drop(ctx, rec.Key)
		}
	}()
	for {
		name, part, err := f.next()
		if err == io.EOF { //nolint:errorlint // the end, and nothing around it
			break
		}
		if err != nil {
			return rec, err
		}
		switch {
		case name == partFile && rec.Key != "":
			return rec, service.Invalid(partFile, "is given twice")
		case name == partFile:
			rec, err = s.receiveFile(ctx, f, u, part)
		case name == partMetadata:
			err = f.readMetadata(part)
		default:
			err = service.Invalid("body", "has a part that is neither file nor metadata")
		}
		if err != nil {
			return rec, err
		}
	}
	if rec.Key == "" {
		return rec, noFile()
	}
	rec.Metadata = f.metadata
	if rec.Metadata == nil {
		rec.Metadata = emptyDocument()
	}
	return rec, nil
}

// receiveFile keeps the part with the file.
func (s *Service) receiveFile(ctx context.Context, f *form, u upload, part *multipart.Part) (record, error) {
	name, given := bareName(part)
	content := bufio.NewReader(part)
	// A browser sends an empty part without a name for a field that was left empty.
	if _, err := content.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		return record{}, malformed(err)
	} else if err != nil && given && name == "" {
		return record{}, noFile()
	}
	if u.name == "" {
		u.name = name
	}
	u.metadata = f.metadata
	rec, err := s.keep(ctx, u, content)
	if err != nil && errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errLeft) {
		return record{}, malformed(err)
	}
	return rec, err
}

// noFile is the problem of a form without a file.
func noFile() error {
	p := service.Invalid(partFile, "is missing")
	p.Code = "file_required"
	return p
}
