package generation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

const (
	// MaxToolResultBytes is how large the result of a function may be that Gemini is
	// told; of a larger one it is told only that.
	MaxToolResultBytes = 64 << 10
	// MaxToolCalls is how many functions Gemini may ask for at once. Those beyond are
	// not called, and Gemini is told so.
	MaxToolCalls = 32

	// maxToolError is how much of an error's text the model is told.
	maxToolError = 4 << 10
	// toolsAtOnce is how many functions of one conversation run at the same time.
	toolsAtOnce = 8
	// maxNesting is how many conversations may go on inside one another, by functions
	// that converse.
	maxNesting = 4
)

// toolCall is a call of a function, and what came of it.
type toolCall struct {
	FunctionCall

	index   int
	output  json.RawMessage
	message string // for the model, where there is no output
	outcome ToolOutcome
}

// part returns what Gemini is told.
func (t *toolCall) part() Part {
	response := map[string]any{"output": t.output}
	if t.outcome != ToolOK {
		response = map[string]any{"error": t.message}
	}
	text, err := json.Marshal(response)
	if err != nil {
		text = []byte(`{"error":"the result is no JSON"}`)
	}
	return FunctionResponse(t.FunctionCall, text)
}

// fail notes a failure.
func (t *toolCall) fail(outcome ToolOutcome, message string) { t.outcome, t.message = outcome, message }

// run makes calls at the same time and returns what Gemini is told of each, in their
// order, and how many succeeded. Where ctx ends first it does not wait for functions
// that go on all the same: of those, Gemini would be told that they were canceled.
func (l *loop) run(ctx context.Context, calls []FunctionCall) (results []Part, succeeded int, err error) {
	ended := make(chan *toolCall, len(calls))
	places := make(chan struct{}, toolsAtOnce)
	for i, call := range calls {
		t := &toolCall{FunctionCall: call, index: i}
		go func() {
			defer func() { ended <- t }()
			l.call(ctx, t, places)
		}()
	}
	results = make([]Part, len(calls))
	for range calls {
		select {
		case t := <-ended:
			results[t.index] = t.part()
			if t.outcome == ToolOK {
				succeeded++
			}
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		for i := range results {
			if results[i] == nil {
				results[i] = (&toolCall{FunctionCall: calls[i], message: messageCanceled}).part()
			}
		}
		return results, succeeded, fmt.Errorf("generation: %w", err)
	}
	return results, succeeded, nil
}

// What the model is told.
const (
	messageCanceled = "the call was canceled"
	messageFailed   = "the function failed"
	messageRefused  = "the call was refused"
)

// call makes one call, when there is a place for it, and tells of it.
func (l *loop) call(ctx context.Context, t *toolCall, places chan struct{}) {
	t.fail(ToolCanceled, messageCanceled)
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-ctx.Done():
		return
	}
	began, user, name := l.s.opts.Now(), userOf(ctx), t.Name
	if !l.has(name) {
		name = "" // it is the model's
	}
	defer func() {
		signals.Announce(ctx, l.s.bus(), ToolCalled{
			Name: name, Round: l.round, UserID: user, Duration: l.s.opts.Now().Sub(began), Outcome: t.outcome,
		})
	}()
	if ctx.Err() != nil || !l.admits(ctx, t, user) {
		return
	}
	l.invoke(ctx, t)
}

// has reports whether a function is one that Gemini was offered.
func (l *loop) has(name string) bool { return slices.Contains(l.c.functions, name) }

// admits reports whether a call is to be made.
func (l *loop) admits(ctx context.Context, t *toolCall, user string) bool {
	if t.Args == nil {
		t.Args = json.RawMessage("{}")
	}
	switch {
	case !l.has(t.Name):
		t.fail(ToolRefused, "function_unknown: There is no such function.")
		return false
	case t.index >= MaxToolCalls:
		t.fail(ToolRefused, fmt.Sprintf("at most %d functions can be called at once", MaxToolCalls))
		return false
	case nesting(ctx) >= maxNesting:
		t.fail(ToolRefused, "functions and conversations are nested too deep")
		return false
	}
	err := signals.Ask(ctx, l.s.bus(), &ToolCalling{Name: t.Name, Round: l.round, UserID: user, args: t.Args})
	if err == nil {
		return true
	}
	t.fail(ToolRefused, messageRefused)
	if p, ok := errors.AsType[*service.Problem](err); ok {
		t.message = clip(p.Code+": "+p.Detail, maxToolError)
	}
	return false
}

// invoke calls the function. Panics stop here, and so does the end of its goroutine.
func (l *loop) invoke(ctx context.Context, t *toolCall) {
	t.fail(ToolPanicked, messageFailed)
	defer func() {
		if v := recover(); v != nil {
			l.s.log().ErrorContext(ctx, "generation: a function panicked",
				slog.String("function", t.Name), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
		}
	}()
	output, err := l.c.toolset.Call(nested(ctx), t.Name, t.Args)
	switch {
	case err != nil && ctx.Err() != nil:
		t.fail(ToolCanceled, messageCanceled)
	case err != nil:
		t.fail(ToolFailed, clip(err.Error(), maxToolError))
	case len(output) > MaxToolResultBytes:
		t.fail(ToolTooLarge, fmt.Sprintf("the result is too large: it has %d bytes, and %d is the most; ask for less", len(output), MaxToolResultBytes))
	case !json.Valid(output):
		l.s.log().ErrorContext(ctx, "generation: a function returned what is no JSON", slog.String("function", t.Name))
	default:
		t.output, t.outcome = output, ToolOK
	}
}

type nestingKey struct{}

// nesting returns how many conversations ctx is in.
func nesting(ctx context.Context) int {
	n, _ := ctx.Value(nestingKey{}).(int)
	return n
}

// nested returns the context of a function that a conversation calls.
func nested(ctx context.Context) context.Context {
	return context.WithValue(ctx, nestingKey{}, nesting(ctx)+1)
}

// clip returns the beginning of a text, of so many bytes and whole runes.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xC0 == 0x80 {
		most--
	}
	return text[:most]
}
