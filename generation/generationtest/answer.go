package generationtest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// answer is what the model says to one request.
type answer struct {
	id     string
	model  string
	usage  Usage
	fixed  bool // the usage is scripted
	signed bool // a call of this answer has a signature
	calls  int
	// whole is what is gathered for a request that asks for no stream.
	whole chunk
}

// generate answers a request for content.
func (x *exchange) generate() error {
	if x.op == OpStream && x.r.URL.Query().Get("alt") != "sse" {
		return &apiError{Code: http.StatusNotImplemented, Message: "generationtest: a stream without alt=sse is not supported"}
	}
	ask, err := parseAsk(x.body)
	if err != nil {
		return err
	}
	if err := x.g.checkModel(x.name, x.op); err != nil {
		return err
	}
	if err := x.g.check(ask); err != nil {
		return err
	}
	serial := x.g.next()
	x.answer = &answer{id: fmt.Sprintf("standin-%d", serial), model: x.name, usage: Usage{Input: ask.tokens()}, whole: chunk{empty: true}}
	return x.play(x.reply(ask))
}

// reply returns what is to be said.
func (x *exchange) reply(ask *ask) Reply {
	r, ok, answer := x.g.script.take(x.op)
	if !ok && answer != nil {
		r, ok = answer(x.req)
	}
	if !ok {
		r = standIn(ask)
	}
	return r
}

// play does the steps of a reply.
func (x *exchange) play(r Reply) error {
	last := -1
	for i, s := range r.steps {
		switch {
		case s.ends:
			last = -1 // what comes to no end has no reason for it
		case s.chunk != nil && !s.chunk.empty:
			last = i
		}
	}
	for i, s := range r.steps {
		if s.chunk != nil {
			c := *s.chunk
			if i == last && c.finish == "" && !c.empty {
				c.finish = "STOP"
			}
			if err := x.say(c); err != nil {
				return err
			}
			continue
		}
		if err := s.act(x); err != nil {
			return x.broken(err)
		}
		if s.ends {
			return nil
		}
	}
	if x.op == OpStream {
		return nil
	}
	return x.json(http.StatusOK, x.response(x.answer.whole))
}

// broken breaks an answer in the middle, where half of it would have been sent.
func (x *exchange) broken(err error) error {
	if err != errCut || x.op == OpStream || len(x.answer.whole.parts) == 0 { //nolint:errorlint // it is never wrapped
		return err
	}
	text, marshalErr := json.Marshal(x.response(x.answer.whole))
	if marshalErr != nil {
		return err
	}
	x.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(text[:len(text)/2])
	_ = http.NewResponseController(x.w).Flush()
	return err
}

// say says a chunk.
func (x *exchange) say(c chunk) error {
	for _, p := range c.parts {
		if given, ok := p["thoughtSignature"].(string); ok {
			x.g.script.remember(given)
		}
	}
	c.parts = x.answer.sign(c.parts)
	x.answer.count(c)
	if x.op == OpStream {
		if c.empty && c.usage != nil && c.feedback == nil {
			return nil // it is of what comes next
		}
		return x.event(x.response(c))
	}
	x.answer.gather(c)
	return nil
}

// gather adds a chunk to what is not streamed. Texts that follow one another become
// one part.
func (a *answer) gather(c chunk) {
	if n := len(a.whole.parts); n > 0 && len(c.parts) > 0 && onlyText(a.whole.parts[n-1]) && onlyText(c.parts[0]) {
		joined := fmt.Sprint(a.whole.parts[n-1]["text"], c.parts[0]["text"])
		a.whole.parts[n-1] = part{"text": joined}
		c.parts = c.parts[1:]
	}
	a.whole.merge(c)
}

// onlyText reports whether a part is a text and nothing more.
func onlyText(p part) bool {
	_, ok := p["text"].(string)
	return ok && len(p) == 1
}

// response returns a chunk as it is on the wire.
func (x *exchange) response(c chunk) map[string]any {
	out := map[string]any{"usageMetadata": x.answer.usage.wire(), "modelVersion": x.answer.model, "responseId": x.answer.id}
	if c.feedback != nil {
		out["promptFeedback"] = c.feedback
	}
	if c.empty {
		return out
	}
	content := map[string]any{"role": "model"}
	if len(c.parts) > 0 {
		content["parts"] = c.parts
	}
	candidate := map[string]any{"content": content, "index": 0}
	if c.finish != "" {
		candidate["finishReason"] = c.finish
	}
	if c.token != nil {
		candidate["continuationToken"] = c.token
	}
	out["candidates"] = []any{candidate}
	return out
}

// event sends an event of a stream.
func (x *exchange) event(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return &apiError{Code: http.StatusInternalServerError, Message: "generationtest: the answer is no JSON"}
	}
	return x.line("data: " + string(text))
}

// line sends a line of a stream and the empty one after it. Google ends them with a
// carriage return too.
func (x *exchange) line(text string) error {
	if x.op != OpStream {
		return nil
	}
	if x.r.Context().Err() != nil {
		return errGone
	}
	if !x.begun {
		x.begun = true
		x.w.Header().Set("Content-Type", "text/event-stream")
		x.w.WriteHeader(http.StatusOK)
	}
	if _, err := x.w.Write([]byte(text + "\r\n\r\n")); err != nil {
		return errGone
	}
	if err := http.NewResponseController(x.w).Flush(); err != nil {
		return errGone
	}
	return nil
}
