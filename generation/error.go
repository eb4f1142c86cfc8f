package generation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/service"
)

var (
	// ErrNoKey is returned where neither the request nor the service has a key.
	ErrNoKey = errors.New("generation: there is no key")

	// ErrNoAnswer is returned where Gemini sent no candidate, or an empty one.
	ErrNoAnswer = errors.New("generation: Gemini gave no answer")

	// ErrBusy is returned where as many uploads as there may be are under way.
	ErrBusy = errors.New("generation: too many uploads at once")

	// ErrTooLarge is returned for a file that passes Options.MaxUploadBytes.
	ErrTooLarge = errors.New("generation: the file is too large")

	// ErrFileFailed is returned where Gemini could not make use of a file.
	ErrFileFailed = errors.New("generation: Gemini could not process the file")
)

// BlockedError is a prompt that Gemini refuses to answer.
type BlockedError struct {
	// Reason is Gemini's word for it, such as "SAFETY".
	Reason string
}

// Error names the reason.
func (e *BlockedError) Error() string { return "generation: the prompt is blocked: " + e.Reason }

// FinishError is an answer that ended before it was complete, or before it began.
type FinishError struct {
	// Reason is Gemini's word for it, such as "SAFETY" or "MALFORMED_FUNCTION_CALL".
	Reason string
}

// Error names the reason.
func (e *FinishError) Error() string { return "generation: the answer ended: " + e.Reason }

// UpstreamError is a call that Gemini refused or that did not reach it. Its text
// has no key in it; over HTTP it does not show.
type UpstreamError struct {
	// Status is the HTTP status, 0 where there was no answer.
	Status int
	// Reason is Gemini's word for it, such as "RESOURCE_EXHAUSTED", or "".
	Reason string
	// Message is what Gemini says, without the key, or what went wrong on the way.
	Message string
	// RetryAfter is how long Gemini asks to wait, or zero.
	RetryAfter time.Duration
	// KeyRefused says that it is about the key, or about what the key may not use, such
	// as a file of another key's or one that is gone: Gemini does not tell them apart.
	KeyRefused bool
	// OwnKey says that the key was the caller's own.
	OwnKey bool

	final bool // not to be tried again
}

// Error names status, reason and message.
func (e *UpstreamError) Error() string {
	return fmt.Sprintf("generation: Gemini failed: %d %s: %s", e.Status, e.Reason, e.Message)
}

// temporary reports whether another try may succeed.
func (e *UpstreamError) temporary() bool {
	return !e.final && (e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status >= 500 && e.Status != http.StatusNotImplemented)
}

var (
	errPanicked = errors.New("generation: the SDK panicked")
	errNoFile   = errors.New("generation: the answer to an upload has no file")
	errVectors  = errors.New("generation: the answer has not a vector for each text")
)

// problems returns what errors mean over HTTP. Of each error the first rule that
// knows it decides.
func problems() []service.Rule {
	return []service.Rule{
		service.Is(ErrNoKey, http.StatusBadRequest, "key_missing", "The gateway has no key for Gemini: give one as key."),
		service.Is(ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large", "The file is too large."),
		service.Is(ErrNoAnswer, http.StatusInternalServerError, codeFailed, "The model gave no answer."),
		service.Is(ErrFileFailed, http.StatusUnprocessableEntity, "file_failed", "The file could not be processed."),
		service.Is(ErrNoAccounts, http.StatusNotFound, "not_found", "There are no accounts of usage here."),
		service.As(usageExceeded),
		service.As(blocked),
		service.As(unfinished),
		service.As(upstream),
		busy,
		late,
		mongoerr.Problem,
	}
}

const codeFailed = "generation_failed"

func blocked(e *BlockedError) *service.Problem {
	return &service.Problem{
		Status: http.StatusUnprocessableEntity, Code: "prompt_blocked", Detail: "The prompt was blocked.", Err: e,
		Extensions: map[string]any{"reason": e.Reason},
	}
}

func unfinished(e *FinishError) *service.Problem {
	p := &service.Problem{
		Status: http.StatusUnprocessableEntity, Code: "answer_blocked", Detail: "The answer was blocked.", Err: e,
		Extensions: map[string]any{"reason": e.Reason},
	}
	switch {
	case e.Reason == string(genai.FinishReasonMaxTokens):
		p.Code, p.Detail = "answer_cut", "The answer took more tokens than it may before it said anything."
	case !isRefusal(e.Reason):
		p.Status, p.Code, p.Detail = http.StatusInternalServerError, codeFailed, "The model could not complete its answer."
	}
	return p
}

func upstream(e *UpstreamError) *service.Problem {
	switch {
	case e.KeyRefused && e.OwnKey:
		return &service.Problem{Status: http.StatusBadRequest, Code: "key_refused", Detail: "The key was refused, or may not use what the request names.", Err: e, Errors: []service.Field{{Field: "key", Message: "is refused"}}}
	case e.Status == http.StatusTooManyRequests:
		return &service.Problem{Status: http.StatusTooManyRequests, Code: "too_many_requests", Detail: "The model takes no more requests for now.", RetryAfter: cmp.Or(e.RetryAfter, defaultRetryAfter), Err: e}
	}
	p := &service.Problem{Status: http.StatusInternalServerError, Code: codeFailed, Detail: "The generation failed.", Err: e}
	if e.Reason != "" {
		p.Extensions = map[string]any{"reason": e.Reason}
	}
	return p
}

// defaultRetryAfter is what a client is told where Gemini does not say.
const defaultRetryAfter = 10 * time.Second

func busy(err error) *service.Problem {
	if !errors.Is(err, ErrBusy) {
		return nil
	}
	return &service.Problem{
		Status: http.StatusServiceUnavailable, Code: "busy", RetryAfter: defaultRetryAfter, Err: err,
		Detail: "As many uploads as there may be are under way.",
	}
}

// late is the problem of a deadline of ours that passed.
func late(err error) *service.Problem {
	if !errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return &service.Problem{Status: http.StatusGatewayTimeout, Code: "timeout", Detail: "There was no answer in time.", Err: err}
}

// isRefusal reports whether an answer ended because of what it would have said.
func isRefusal(finish string) bool {
	switch genai.FinishReason(finish) {
	case genai.FinishReasonSafety, genai.FinishReasonRecitation, genai.FinishReasonLanguage, genai.FinishReasonBlocklist,
		genai.FinishReasonProhibitedContent, genai.FinishReasonSPII, genai.FinishReasonImageSafety,
		genai.FinishReasonImageProhibitedContent, genai.FinishReasonImageRecitation:
		return true
	default:
		return false
	}
}

// isFailure reports whether an answer ended in a way that leaves nothing of use.
func isFailure(finish string) bool {
	switch genai.FinishReason(finish) {
	case genai.FinishReasonMalformedFunctionCall, genai.FinishReasonUnexpectedToolCall, genai.FinishReasonTooManyToolCalls,
		genai.FinishReasonOther, genai.FinishReasonNoImage, genai.FinishReasonImageOther, genai.FinishReasonContinuation:
		return true
	default:
		return false
	}
}

// outcomeOf returns how a call ended that returned an error.
func outcomeOf(err error) Outcome {
	up, isUpstream := errors.AsType[*UpstreamError](err)
	_, isBlocked := errors.AsType[*BlockedError](err)
	finish, isFinish := errors.AsType[*FinishError](err)
	switch {
	case err == nil:
		return OutcomeOK
	case isBlocked, isFinish && isRefusal(finish.Reason):
		return OutcomeBlocked
	case isUpstream && up.Status == http.StatusTooManyRequests:
		return OutcomeLimited
	case errors.Is(err, context.DeadlineExceeded):
		return OutcomeTimeout
	case errors.Is(err, context.Canceled):
		return OutcomeCanceled
	}
	return OutcomeFailed
}
