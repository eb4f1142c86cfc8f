package generation

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/imadelakhaldev/coglex/signals"
)

// ToolCalling is asked before a function is called because Gemini asks for it. A veto
// refuses this call and not the conversation: the model is told so, in the words of
// a *service.Problem if it is one, and may go on without.
type ToolCalling struct {
	signals.Intent
	// Name is the function's.
	Name string
	// Round counts the rounds of functions in the conversation, from 1.
	Round int
	// UserID is the signed-in user, "" where there is none.
	UserID string

	args json.RawMessage
}

// Args returns a copy of the arguments, a JSON object. They are what the model made
// of what it was told.
func (e *ToolCalling) Args() json.RawMessage { return bytes.Clone(e.args) }

// ToolCalled tells that a function that Gemini asked for was called, or why it was
// not. It has neither the arguments nor the result.
type ToolCalled struct {
	signals.Fact
	// Name is the function's. Where there is none of that name it is empty.
	Name string
	// Round counts the rounds of functions in the conversation, from 1.
	Round int
	// UserID is the signed-in user, "" where there is none.
	UserID string
	// Duration is how long the function took.
	Duration time.Duration
	// Outcome is how it ended.
	Outcome ToolOutcome
}

// ToolOutcome is how the call of a function ended.
type ToolOutcome string

// The outcomes of calls of functions.
const (
	// ToolOK is a result.
	ToolOK ToolOutcome = "ok"
	// ToolFailed is an error, which the model was told.
	ToolFailed ToolOutcome = "failed"
	// ToolPanicked is a panic, and a result that is no JSON.
	ToolPanicked ToolOutcome = "panicked"
	// ToolTooLarge is a result of more than MaxToolResultBytes.
	ToolTooLarge ToolOutcome = "too_large"
	// ToolRefused is a call that was not made: an interceptor refused it, there is no
	// such function, or there were too many.
	ToolRefused ToolOutcome = "refused"
	// ToolCanceled is a call whose conversation ended first.
	ToolCanceled ToolOutcome = "canceled"
)
