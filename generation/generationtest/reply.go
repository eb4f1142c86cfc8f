package generationtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Reply is an answer, or a piece of one: what there is to say, to wait for and to
// fail with, in order. [Stream] puts several together. A Reply never changes, so
// it may be used as often as one likes.
type Reply struct {
	steps []step
}

// step is a chunk of an answer, or something else that is done.
type step struct {
	chunk *chunk
	// act does it. An error ends the answer.
	act func(*exchange) error
	// ends says that nothing comes after it.
	ends bool
}

// chunk is one piece of what the model says.
type chunk struct {
	parts    []part
	finish   string
	feedback map[string]any
	token    []byte
	usage    *Usage
	// empty says that there is no candidate.
	empty bool
}

// part is a part of a content, as it is on the wire.
type part map[string]any

// said is a reply of one chunk.
func said(c chunk) Reply { return Reply{steps: []step{{chunk: &c}}} }

// done is a reply that does something.
func done(ends bool, act func(*exchange) error) Reply {
	return Reply{steps: []step{{act: act, ends: ends}}}
}

// Text says a text. In a stream it is one chunk.
func Text(text string) Reply { return said(chunk{parts: []part{{"text": text}}}) }

// Thought says what the model thinks: a text part marked as thought.
func Thought(text string) Reply {
	return said(chunk{parts: []part{{"text": text, "thought": true}}})
}

// Call asks for a call of a function with these arguments: a value that encoding/json
// makes an object of, or nil. The call has an id, and the first one of an answer a
// thought signature, which must come back with it.
func Call(name string, args any) Reply {
	call := map[string]any{"name": name, "args": map[string]any{}}
	if args != nil {
		call["args"] = args
	}
	return Part(map[string]any{"functionCall": call})
}

// Part says any part, as it is on the wire. A function call without id and signature
// is given them.
func Part(raw map[string]any) Reply {
	text, err := json.Marshal(raw)
	var copied part
	if err == nil {
		err = json.Unmarshal(text, &copied)
	}
	if err != nil {
		return done(true, func(*exchange) error {
			return &apiError{Code: http.StatusInternalServerError, Message: fmt.Sprintf("generationtest: the script has a part that is no JSON: %v", err)}
		})
	}
	return said(chunk{parts: []part{copied}})
}

// Finish ends an answer for another reason than STOP: MAX_TOKENS, SAFETY,
// MALFORMED_FUNCTION_CALL and so on. Alone it is a candidate without content.
func Finish(reason string) Reply { return said(chunk{finish: reason}) }

// Continue ends an answer with the finish reason CONTINUATION and this token, with
// which the next request continues it.
func Continue(token string) Reply {
	return said(chunk{finish: "CONTINUATION", token: []byte(token)})
}

// Blocked refuses a prompt: there is no candidate, and promptFeedback has the
// reason, such as SAFETY or PROHIBITED_CONTENT.
func Blocked(reason string) Reply {
	return said(chunk{empty: true, feedback: map[string]any{"blockReason": reason}})
}

// NoCandidates is a success without a candidate.
func NoCandidates() Reply { return said(chunk{empty: true}) }

// Used sets the usage that the answer reports from here on, in place of the one
// that is counted. It comes before what it is the usage of.
func Used(usage Usage) Reply { return said(chunk{usage: &usage, empty: true}) }

// Chunk makes one chunk of what would be several: two calls in one piece of a
// stream, or a text and its finish reason. What is not said is done before it.
func Chunk(replies ...Reply) Reply {
	whole := chunk{empty: true}
	var steps []step
	for _, s := range join(replies) {
		if s.chunk == nil {
			steps = append(steps, s)
			continue
		}
		whole.merge(*s.chunk)
	}
	return Reply{steps: append(steps, step{chunk: &whole})}
}

// merge adds what another chunk says.
func (c *chunk) merge(other chunk) {
	c.parts = append(c.parts, other.parts...)
	c.empty = c.empty && other.empty
	if other.finish != "" {
		c.finish, c.token = other.finish, other.token
	}
	if other.feedback != nil {
		c.feedback = maps.Clone(other.feedback)
	}
	if other.usage != nil {
		c.usage = other.usage
	}
}

// Stream is one reply after the other. To a request that asks for a stream each
// piece is sent as soon as it is reached, to any other all of them make one answer.
func Stream(replies ...Reply) Reply { return Reply{steps: join(replies)} }

// Texts is a [Stream] of texts.
func Texts(texts ...string) Reply {
	var r Reply
	for _, text := range texts {
		r.steps = append(r.steps, Text(text).steps...)
	}
	return r
}

// join returns the steps of all.
func join(replies []Reply) []step {
	var steps []step
	for _, r := range replies {
		steps = append(steps, r.steps...)
	}
	return slices.Clip(steps)
}

// Wait goes on when ch is closed or gives a value, so that a test can look at what
// was sent before.
func Wait[T any](ch <-chan T) Reply {
	return done(false, func(x *exchange) error {
		select {
		case <-ch:
			return nil
		case <-x.r.Context().Done():
			return errGone
		}
	})
}

// Pause goes on after a while: slowness, for demonstrations. Tests had better [Wait].
func Pause(d time.Duration) Reply {
	return done(false, func(x *exchange) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-x.r.Context().Done():
			return errGone
		}
	})
}

// Hang goes on never: it ends when the client leaves.
func Hang() Reply {
	return done(true, func(x *exchange) error {
		<-x.r.Context().Done()
		return errGone
	})
}

// Cut breaks the connection: in the middle of the answer if some of it is sent
// already, else before its first byte.
func Cut() Reply {
	return done(true, func(*exchange) error { return errCut })
}

// Line sends a line that is not of Google's making into a stream, such as
// ": ping", with the empty line after it. To any other request it says nothing.
func Line(text string) Reply {
	return done(false, func(x *exchange) error { return x.line(text) })
}

// Header sets a header of the answer, such as Retry-After. It comes before what is
// said.
func Header(name, value string) Reply {
	return done(false, func(x *exchange) error {
		x.w.Header().Set(name, value)
		return nil
	})
}

// Raw answers with any status and body, which need not be JSON, and may be empty.
func Raw(status int, contentType, body string) Reply {
	return done(true, func(x *exchange) error { return x.raw(status, contentType, body) })
}

// Fail fails as Google does: with an error in JSON. In the middle of a stream it is
// an event of its own, after which the stream ends. Its status is that of the code;
// [RetryInfo] and [ErrorInfo] make details.
func Fail(code int, message string, details ...map[string]any) Reply {
	return done(true, func(*exchange) error {
		return &apiError{Code: code, Message: message, Details: details}
	})
}
