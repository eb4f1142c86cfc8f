package generation

import (
	"time"

	"github.com/imadelakhaldev/coglex/signals"
)

// Generating is asked before a conversation begins, once whatever the number of
// calls it takes. An interceptor may refuse, and may change the model and the
// instruction. What was said is not shown. Files, vectors and counts of tokens do not
// ask it.
type Generating struct {
	signals.Intent
	// Model is the model that will answer: "models/x". It may be changed.
	Model string
	// System is the instruction to the model. It may be changed.
	System string
	// UserID is the signed-in user, "" where there is none.
	UserID string
	// Functions are the names of the functions that Gemini may call.
	Functions []string
	// OwnKey says that the request brought a key of its own.
	OwnKey bool
	// Stream says that the answer is streamed.
	Stream bool
}

// Generated tells that one call of Gemini has ended, however it did. It has neither
// the key nor anything that was said.
type Generated struct {
	signals.Fact
	// Model is the model that was asked: "models/x".
	Model string
	// Usage is what Gemini counted; of a call that broke off, as far as it said.
	Usage Usage
	// Duration is how long it took, repetitions and waits included.
	Duration time.Duration
	// Outcome is how it ended.
	Outcome Outcome
	// UserID is the signed-in user, "" where there is none.
	UserID string
	// OwnKey says that the request brought a key of its own.
	OwnKey bool
	// Stream says that the answer was streamed.
	Stream bool
}

// Outcome is how a call of Gemini ended.
type Outcome string

// The outcomes.
const (
	// OutcomeOK is an answer.
	OutcomeOK Outcome = "ok"
	// OutcomeBlocked is a prompt or an answer that Gemini's policies refuse.
	OutcomeBlocked Outcome = "blocked"
	// OutcomeLimited is a 429 of Gemini's.
	OutcomeLimited Outcome = "limited"
	// OutcomeCanceled is a caller who left.
	OutcomeCanceled Outcome = "canceled"
	// OutcomeTimeout is a deadline that passed.
	OutcomeTimeout Outcome = "timeout"
	// OutcomeFailed is any other failure.
	OutcomeFailed Outcome = "failed"
)

// Usage counts tokens.
type Usage struct {
	// Input is the tokens of what was asked, those in Cached included.
	Input int64 `bson:"input" json:"input"`
	// Output is the tokens of the answer, without those in Thoughts.
	Output int64 `bson:"output" json:"output"`
	// Cached is how many of Input were in a cache of Gemini's.
	Cached int64 `bson:"cached" json:"cached"`
	// Thoughts is the tokens that the model thought with.
	Thoughts int64 `bson:"thoughts" json:"thoughts"`
	// Total is the sum as Gemini counts it.
	Total int64 `bson:"total" json:"total"`
}

// add returns the sum of two counts.
func (u Usage) add(v Usage) Usage {
	return Usage{u.Input + v.Input, u.Output + v.Output, u.Cached + v.Cached, u.Thoughts + v.Thoughts, u.Total + v.Total}
}
