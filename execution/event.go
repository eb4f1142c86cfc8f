package execution

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/signals"
)

// Executing is asked before a function is called, once its caller and its input
// were checked. A veto refuses the call. It is asked too for a call that turns out
// to be answered from what is stored under its Idempotency-Key.
type Executing struct {
	signals.Intent

	// Name is the function's.
	Name string
	// Origin is where the call comes from.
	Origin Origin
	// User is the signed-in user who calls, nil where there is none.
	User middleware.Identity

	input []byte
}

// Input returns a copy of the input.
func (e *Executing) Input() json.RawMessage { return bytes.Clone(e.input) }

// Executed tells that a function was called. It is published when the caller gets
// its answer, which for a function past its time limit is before it returns.
type Executed struct {
	signals.Fact

	// Name is the function's.
	Name string
	// Origin is where the call came from.
	Origin Origin
	// User is the signed-in user who called, nil where there is none.
	User middleware.Identity
	// Duration is how long the caller waited for the function.
	Duration time.Duration
	// Outcome says how it ended.
	Outcome Outcome
}

// Outcome is how a call ended.
type Outcome string

// The outcomes of calls.
const (
	// OutcomeOK: it returned.
	OutcomeOK Outcome = "ok"
	// OutcomeRefused: it returned an error that it wants the caller to see, or did
	// not take its input.
	OutcomeRefused Outcome = "refused"
	// OutcomeFailed: it failed, panicked, or returned more than an answer may hold.
	OutcomeFailed Outcome = "failed"
	// OutcomeTimeout: it did not return in time.
	OutcomeTimeout Outcome = "timeout"
	// OutcomeCanceled: its caller left.
	OutcomeCanceled Outcome = "canceled"
)

// Origin is where a call comes from.
type Origin string

// The origins of calls.
const (
	// OriginGo: the gateway's own code calls.
	OriginGo Origin = "go"
	// OriginHTTP: the route calls.
	OriginHTTP Origin = "http"
	// OriginTool: a language model calls, by [Tools].
	OriginTool Origin = "tool"
	// OriginMCP: package executionmcp calls.
	OriginMCP Origin = "mcp"
)
