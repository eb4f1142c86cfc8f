// Package steps reads in large steps, however small those of the reader are:
// a multipart body yields some kilobytes at a time, and a place for bytes is
// written best by the megabyte.
package steps

import (
	"context"
	"fmt"
	"io"
)

// Read fills b from r and tells how much there was and whether that was the
// end, after which r is not to be read any more. Between two reads it looks
// whether ctx has ended. Unlike with io.ReadFull, an io.ErrUnexpectedEOF is
// always one of r's, that of a body cut off, and so is a wrapped io.EOF.
func Read(ctx context.Context, r io.Reader, b []byte) (n int, end bool, err error) {
	for n < len(b) && err == nil {
		var step int
		step, err = r.Read(b[n:])
		n += step
		if ctx.Err() != nil {
			return n, false, ctx.Err()
		}
	}
	switch err {
	case nil:
		return n, false, nil
	case io.EOF: // a wrapped one is a failure, not the end
		return n, true, nil
	}
	return n, false, fmt.Errorf("reading what to keep: %w", err)
}
