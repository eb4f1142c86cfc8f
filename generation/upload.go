package generation

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/service"
)

// UploadOptions are the optional settings of [Service.Upload].
type UploadOptions struct {
	// Name is how the file is shown; it may be empty.
	Name string
	// MIMEType is what the file is. Defaults to what its first bytes look like.
	MIMEType string
	// Key is the Gemini key to use, or "" for the service's own. A file belongs to
	// the project of its key, and others cannot use it.
	Key string
}

// File is a file at Gemini, which keeps it for two days. No one can get it back.
type File struct {
	// Name is Gemini's name for it: "files/x".
	Name string
	// URI is what a part names it by.
	URI string
	// MIMEType is what it is.
	MIMEType string
	// Size is in bytes.
	Size int64
	// Expires is when Gemini deletes it, zero where it does not say.
	Expires time.Time
}

// Part returns a part that shows the file to the model.
func (f File) Part() Part {
	return must(map[string]any{"fileData": map[string]string{"fileUri": f.URI, "mimeType": f.MIMEType}})
}

// Upload sends a file to Gemini and returns when it is ready for use: a video takes
// its time. It takes 8 MiB of memory whatever the size. Reading fails with
// [ErrTooLarge] past Options.MaxUploadBytes, and where Options.Uploads are under way
// it returns [ErrBusy] at once. A reader that is an io.Seeker is read again from where
// it was where Gemini fails in between. The other errors are those of [Service.Converse],
// and [ErrFileFailed].
func (s *Service) Upload(ctx context.Context, r io.Reader, o UploadOptions) (File, error) {
	release, err := s.beginUpload()
	if err != nil {
		return File{}, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, s.opts.StreamTimeout)
	defer cancel()
	from := &limitedReader{most: s.opts.MaxUploadBytes}
	from.remember(r)
	mimeType, r, err := sniff(r, o.MIMEType)
	if err != nil {
		return File{}, err
	}
	from.r, from.left = r, from.most
	return s.upload(ctx, from, o, mimeType)
}

// beginUpload takes the place of an upload, or returns ErrBusy.
func (s *Service) beginUpload() (release func(), err error) {
	select {
	case s.uploads <- struct{}{}:
		return func() { <-s.uploads }, nil
	default:
		return nil, ErrBusy
	}
}

// busy reports whether the place of an upload is not to be had for now.
func (s *Service) busy() bool { return len(s.uploads) == cap(s.uploads) }

// upload sends a file whose type is known.
func (s *Service) upload(ctx context.Context, r *limitedReader, o UploadOptions, mimeType string) (File, error) {
	key, own, err := s.keyOf(o.Key)
	if err != nil {
		return File{}, err
	}
	var file *genai.File
	err = s.ask(ctx, question{key: key, own: own, from: r}, func(ctx context.Context) (err error) {
		file, err = s.gemini.Files.Upload(ctx, r, &genai.UploadFileConfig{MIMEType: mimeType, DisplayName: o.Name})
		return err
	})
	if err != nil {
		return File{}, err
	}
	return s.ready(ctx, file, key, own)
}

// ready waits until Gemini is done with a file.
func (s *Service) ready(ctx context.Context, file *genai.File, key string, own bool) (File, error) {
	for n := 1; file.State == genai.FileStateProcessing; n++ {
		if err := s.opts.Sleep(ctx, min(firstLook<<min(n-1, 10), maxLook)); err != nil {
			return File{}, fmt.Errorf("generation: %w", err)
		}
		name := file.Name
		err := s.ask(ctx, question{key: key, own: own}, func(ctx context.Context) (err error) {
			file, err = s.gemini.Files.Get(ctx, name, nil)
			return err
		})
		if err != nil {
			return File{}, err
		}
	}
	if file.State == genai.FileStateFailed {
		return File{}, ErrFileFailed
	}
	if file.URI == "" {
		return File{}, &UpstreamError{Message: errNoFile.Error(), OwnKey: own}
	}
	f := File{Name: file.Name, URI: file.URI, MIMEType: file.MIMEType, Expires: file.ExpirationTime}
	if file.SizeBytes != nil {
		f.Size = *file.SizeBytes
	}
	return f, nil
}

const (
	// firstLook is how long after an upload a file is looked at; each further wait
	// is double, up to maxLook.
	firstLook = 500 * time.Millisecond
	maxLook   = 10 * time.Second
)

// limitedReader fails with ErrTooLarge where there is more than it lets through,
// and remembers what reading failed with.
type limitedReader struct {
	r          io.Reader
	most, left int64
	read       bool // something was
	err        error

	// Where it can be read again, if it can.
	seeker io.ReadSeeker
	start  int64
}

// remember keeps where a reader begins, if it can go back there.
func (l *limitedReader) remember(r io.Reader) {
	seeker, ok := r.(io.ReadSeeker)
	if !ok {
		return
	}
	if start, err := seeker.Seek(0, io.SeekCurrent); err == nil {
		l.seeker, l.start = seeker, start
	}
}

// rewind goes back to the beginning, and reports whether it is there.
func (l *limitedReader) rewind() bool {
	if l.seeker == nil {
		return !l.read
	}
	if _, err := l.seeker.Seek(l.start, io.SeekStart); err != nil {
		return false
	}
	l.r, l.left, l.read = l.seeker, l.most, false
	return true
}

// Read implements [io.Reader].
func (l *limitedReader) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	l.read = l.read || n > 0
	switch {
	case l.left < 0:
		n, err = 0, ErrTooLarge
		l.err = err
	case err != nil && err != io.EOF:
		l.err = fmt.Errorf("generation: reading the file: %w", err)
	}
	return n, err
}

// checkMIMEType returns a declared type in its canonical form, without parameters.
func checkMIMEType(text string) (string, error) {
	text, _, _ = strings.Cut(text, ";")
	text = strings.ToLower(strings.TrimSpace(text))
	if !mimeText.MatchString(text) {
		return "", service.Invalid("file", "has no valid type")
	}
	return text, nil
}
