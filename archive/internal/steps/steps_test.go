package steps_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/imadelakhaldev/coglex/archive/internal/steps"
)

func TestRead(t *testing.T) {
	t.Parallel()
	failure := errors.New("hung up")
	data := []byte("0123456789")
	for name, test := range map[string]struct {
		r    io.Reader
		room int
		n    int
		end  bool
		err  error
	}{
		"more than there is room for":  {r: bytes.NewReader(data), room: 4, n: 4},
		"as much as there is room for": {r: bytes.NewReader(data), room: 10, n: 10},
		"less than there is room for":  {r: bytes.NewReader(data), room: 11, n: 10, end: true},
		"the end with the last bytes":  {r: iotest.DataErrReader(bytes.NewReader(data)), room: 10, n: 10, end: true},
		"small steps":                  {r: iotest.OneByteReader(bytes.NewReader(data)), room: 7, n: 7},
		"nothing":                      {r: bytes.NewReader(nil), room: 4, end: true},
		"a failure":                    {r: io.MultiReader(bytes.NewReader(data), iotest.ErrReader(failure)), room: 11, n: 10, err: failure},
		"a body cut off":               {r: io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF)), room: 11, n: 10, err: io.ErrUnexpectedEOF},
		"an end that is a failure":     {r: iotest.ErrReader(fmt.Errorf("no: %w", io.EOF)), room: 11, err: io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := make([]byte, test.room)
			n, end, err := steps.Read(t.Context(), test.r, b)
			if n != test.n || end != test.end || !errors.Is(err, test.err) {
				t.Errorf("%d, %v, %v, want %d, %v, %v", n, end, err, test.n, test.end, test.err)
			}
			if !bytes.Equal(b[:n], data[:n]) {
				t.Errorf("read %q", b[:n])
			}
		})
	}
}

func TestReadStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := iotest.OneByteReader(bytes.NewReader(make([]byte, 10)))
	if n, end, err := steps.Read(ctx, r, make([]byte, 10)); n > 1 || end || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v, %v, want context.Canceled after one step at most", n, end, err)
	}
}
