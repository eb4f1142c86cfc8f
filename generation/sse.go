package generation

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// eventQueue reads a stream of events (the HTML standard, section 9.2) for the SDK,
// and keeps the data of each as it came. The SDK knows of no comments, no event
// names and no "[DONE]", and writes to the global logger where a stream breaks: it
// is given plain data only, and an end. How the stream really ended is in err.
type eventQueue struct {
	body   io.ReadCloser
	lines  *bufio.Reader
	ready  []byte   // for the SDK
	events [][]byte // that the SDK was given and next has not returned
	left   int      // how many bytes may still come
	err    error
}

func newEventQueue(body io.ReadCloser) *eventQueue {
	return &eventQueue{body: body, lines: bufio.NewReader(body), left: maxAnswerBytes}
}

// next returns the data of the oldest event that it has not returned yet.
func (q *eventQueue) next() []byte {
	if q == nil || len(q.events) == 0 {
		return nil
	}
	e := q.events[0]
	q.events = q.events[1:]
	return e
}

// Read gives the SDK what it understands.
func (q *eventQueue) Read(p []byte) (int, error) {
	for len(q.ready) == 0 {
		if q.err != nil {
			return 0, io.EOF
		}
		data, err := q.event()
		q.err = err
		if len(data) == 0 || bytes.Equal(data, []byte("[DONE]")) {
			continue
		}
		q.events = append(q.events, data)
		q.ready = append(append(append(q.ready[:0], "data: "...), data...), "\n\n"...)
	}
	n := copy(p, q.ready)
	q.ready = q.ready[n:]
	return n, nil
}

// broken returns the error by which the stream ended, nil where it just did.
func (q *eventQueue) broken() error {
	if q == nil || errors.Is(q.err, io.EOF) {
		return nil
	}
	return q.err
}

// Close closes the stream.
func (q *eventQueue) Close() error {
	_ = q.body.Close()
	return nil
}

// event returns the data of the next event, on one line: in JSON a line's end is
// as good as a space.
func (q *eventQueue) event() ([]byte, error) {
	var data []byte
	for {
		line, err := q.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if rest, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if data != nil {
				data = append(data, ' ')
			}
			data = append(data, bytes.TrimSpace(rest)...)
		}
		if err != nil || len(line) == 0 && data != nil {
			return data, err
		}
	}
}

// line returns the next line without its end.
func (q *eventQueue) line() ([]byte, error) {
	var line []byte
	for {
		piece, err := q.lines.ReadSlice('\n')
		if q.left -= len(piece); q.left < 0 {
			return nil, errTooLong
		}
		line = append(line, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), err
		}
	}
}
