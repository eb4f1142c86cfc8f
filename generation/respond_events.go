package generation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/service"
)

// The names of the events of a stream.
const (
	eventPart     = "part"     // a part of the answer
	eventFunction = "function" // the result of a function that was called on the way
	eventUsage    = "usage"
	eventDone     = "done" // the answer is whole
	eventError    = "error"
)

// writeGrace is how long a client may take for what is sent at once.
const writeGrace = 30 * time.Second

var (
	errDraining = &service.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "The gateway is about to end.", RetryAfter: time.Second}
	errClient   = errors.New("generation: the client does not take the answer")
)

// respondEvents answers with a stream of events. What fails before the first of
// them is an ordinary problem; after it, it is an event.
func (s *Service) respondEvents(c echo.Context, r Request) error {
	w := &eventWriter{c: c, control: http.NewResponseController(c.Response().Writer)}
	err := s.writeEvents(c.Request().Context(), w, r)
	switch {
	case !w.begun():
		return err
	case errors.Is(err, errClient):
		s.log().DebugContext(c.Request().Context(), "a stream broke off", "error", err)
		return nil
	case err != nil:
		_ = w.fail(service.Fail(c, s.log(), err, s.problems...)) // who left does not see it
	}
	return nil
}

// writeEvents writes the events but for that of an error. Nothing is written any more
// when it returns.
func (s *Service) writeEvents(ctx context.Context, w *eventWriter, r Request) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var beats sync.WaitGroup
	defer beats.Wait() // after the cancel below
	defer cancel(nil)
	beats.Go(func() { s.accompany(ctx, cancel, w) })
	err := w.answer(s.Stream(ctx, r))
	if err != nil && errors.Is(context.Cause(ctx), errDraining) {
		return errDraining
	}
	return err
}

// accompany shows that a stream is alive while there is nothing to send, and ends
// it when the gateway does.
func (s *Service) accompany(ctx context.Context, cancel context.CancelCauseFunc, w *eventWriter) {
	ticker := time.NewTicker(s.opts.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.host.Load().Draining:
			cancel(errDraining)
			return
		case <-ticker.C:
			if err := w.ping(); err != nil {
				cancel(err)
				return
			}
		}
	}
}

// eventWriter writes events (the HTML standard, section 9.2). It is safe for
// concurrent use.
type eventWriter struct {
	c       echo.Context
	control *http.ResponseController

	mu      sync.Mutex
	started bool
	active  bool // something was written since the last ping
	buf     bytes.Buffer
}

// answer writes the chunks of an answer.
func (w *eventWriter) answer(chunks func(func(Chunk, error) bool)) (err error) {
	model, finish := "", ""
	for chunk, cause := range chunks {
		if cause != nil {
			return w.broken(chunk, cause)
		}
		model, finish = cmp.Or(chunk.Model, model), cmp.Or(chunk.FinishReason, finish)
		name := eventPart
		if chunk.Role == RoleUser {
			name = eventFunction
		}
		for _, p := range chunk.Parts {
			if err := w.write(name, p); err != nil {
				return err
			}
		}
		if chunk.Usage != nil {
			if err := w.writeJSON(eventUsage, chunk.Usage); err != nil {
				return err
			}
		}
	}
	return w.writeJSON(eventDone, map[string]string{"finish_reason": finish, "model": model})
}

// broken returns the cause why no more comes, once it has told what was used until
// then: a client that pays for it wants to know.
func (w *eventWriter) broken(last Chunk, cause error) error {
	if last.Usage == nil || !w.begun() {
		return cause
	}
	if err := w.writeJSON(eventUsage, last.Usage); err != nil {
		return err
	}
	return cause
}

// begun reports whether anything was sent.
func (w *eventWriter) begun() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.started
}

// fail writes the problem of an error after which nothing more comes.
func (w *eventWriter) fail(err error) error {
	he, ok := errors.AsType[*echo.HTTPError](err)
	if !ok {
		return err
	}
	return w.writeJSON(eventError, he.Message)
}

func (w *eventWriter) writeJSON(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("generation: writing the event %s: %w", name, err)
	}
	return w.write(name, text)
}

// write writes one event. Data has one line: JSON needs no more.
func (w *eventWriter) write(name string, data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Reset()
	w.buf.WriteString("event: " + name + "\ndata: ")
	w.buf.Write(oneLine(data))
	w.buf.WriteString("\n\n")
	w.active = true
	return w.send(w.buf.Bytes())
}

// ping writes a comment, unless there was something to write.
func (w *eventWriter) ping() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.active {
		w.active = false
		return nil
	}
	return w.send([]byte(": ping\n\n"))
}

// send sends bytes at once, and begins the answer with the first of them.
func (w *eventWriter) send(text []byte) error {
	res := w.c.Response()
	if !w.started {
		w.started = true
		h := res.Header()
		h.Set(echo.HeaderContentType, mediaTypeEvents)
		h.Set(echo.HeaderCacheControl, "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would hold it back
	}
	err := supported(w.control.SetWriteDeadline(time.Now().Add(writeGrace))) //nolint:forbidigo // the connection's clock
	if err == nil {
		_, err = res.Write(text)
	}
	if err == nil {
		err = supported(w.control.Flush())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	return nil
}

// supported passes over that a response can not be flushed or given a deadline.
func supported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// oneLine returns JSON without line ends, which only occur between its values.
func oneLine(text []byte) []byte {
	if !bytes.ContainsAny(text, "\r\n") {
		return text
	}
	text = bytes.ReplaceAll(text, []byte{'\r'}, []byte{' '})
	return bytes.ReplaceAll(text, []byte{'\n'}, []byte{' '})
}
