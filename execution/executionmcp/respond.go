package executionmcp

import (
	"net/http"
	"time"
)

const (
	// writeGrace is how long a client may take for any answer.
	writeGrace = 30 * time.Second
	// answerRate is how many bytes a second it must take besides: the answer is held
	// in memory until it has.
	answerRate = 64 << 10
)

// writer breaks the connection of a client that takes its answer too slowly.
type writer struct{ http.ResponseWriter }

// Unwrap is for [http.ResponseController].
func (w writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write has p taken within its time. Some writers know no deadlines and no flush, and
// have no slow clients.
func (w writer) Write(p []byte) (int, error) {
	control := http.NewResponseController(w.ResponseWriter)
	within := writeGrace + time.Duration(len(p))*time.Second/answerRate
	_ = control.SetWriteDeadline(time.Now().Add(within)) //nolint:forbidigo // the connection's clock
	n, err := w.ResponseWriter.Write(p)
	if err == nil {
		_ = control.Flush() // while there is a deadline
		_ = control.SetWriteDeadline(time.Time{})
	}
	return n, err
}
