package execution

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/service"
)

var (
	// ErrUnknown is returned where no function has the name.
	ErrUnknown = errors.New("execution: there is no such function")

	// ErrBusy is returned where the function runs as often as it may.
	ErrBusy = errors.New("execution: the function runs as often as it may at once")

	// ErrTimeout is returned where the function did not return in time.
	ErrTimeout = errors.New("execution: the function did not return in time")

	// ErrTooLarge is returned where the JSON of an output passes Options.MaxResultBytes.
	ErrTooLarge = errors.New("execution: the result is too large")

	// ErrTooDeep is returned where functions call functions more than MaxCalls deep.
	ErrTooDeep = errors.New("execution: functions call one another too deep")

	// ErrInProgress is returned for an Idempotency-Key whose call still runs.
	ErrInProgress = errors.New("execution: a call with this key is under way")

	// ErrKeyReused is returned for an Idempotency-Key that came with another input.
	ErrKeyReused = errors.New("execution: the key was used with another input")
)

// InputError is returned for an input that the function does not take.
type InputError struct {
	// Fields names what is wrong, in the order of the input, 20 at most.
	Fields []service.Field
}

// Error names the fields and what is wrong with each.
func (e *InputError) Error() string { return "execution: invalid input: " + inWords(e.Fields) }

func inWords(fields []service.Field) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = f.Field + " " + f.Message
	}
	return strings.Join(words, "; ")
}

// Error is an error that its function wants the caller to see. [Errorf] makes one.
type Error struct {
	// Status is the HTTP status, 400 to 599.
	Status int
	// Code is a stable word in snake_case.
	Code string
	// Message is a sentence for people and language models.
	Message string

	err error
}

// Errorf returns an error that a function refuses a call with: the caller sees the
// status, 400 to 599, the code, a word in snake_case, and the message. With %w the
// cause is reachable by errors.Is and errors.As; its text is part of the message
// like any other argument's, so it must be safe to show.
func Errorf(status int, code, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Status: status, Code: code, Message: err.Error(), err: errors.Unwrap(err)}
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.err }

// valid reports whether a client may see the error as it is. A status that is none
// makes it a failure like any other.
func (e *Error) valid() bool {
	return e.Status >= 400 && e.Status <= 599 && regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`).MatchString(e.Code)
}

// FailedError is returned where a function failed, panicked or ended its goroutine.
// Callers from outside see nothing of it but that.
type FailedError struct {
	// Function is the name of the function.
	Function string
	// Err is what it returned, or the text and stack of its panic.
	Err error
}

// Error names the function and the cause.
func (e *FailedError) Error() string {
	return fmt.Sprintf("execution: function %s failed: %v", e.Function, e.Err)
}

// Unwrap returns the cause.
func (e *FailedError) Unwrap() error { return e.Err }

// retryAfter is when a caller may try again what is busy.
const retryAfter = time.Second

// problems returns what errors mean over HTTP. Of each error the first rule that
// knows it decides: a function that failed of another's error has failed.
func problems() []service.Rule {
	return []service.Rule{
		service.As(func(e *FailedError) *service.Problem {
			return &service.Problem{Status: http.StatusInternalServerError, Code: "function_failed", Detail: "The function failed.", Err: e}
		}),
		service.As(func(e *Error) *service.Problem {
			return &service.Problem{Status: e.Status, Code: e.Code, Detail: e.Message, Err: e.err}
		}),
		service.As(func(e *InputError) *service.Problem {
			return &service.Problem{Status: http.StatusBadRequest, Code: "invalid", Detail: "The input is invalid.", Errors: e.Fields}
		}),
		service.Is(ErrUnknown, http.StatusNotFound, "function_unknown", "There is no such function."),
		service.Is(ErrTimeout, http.StatusGatewayTimeout, "timeout", "The function did not return in time."),
		service.Is(ErrTooLarge, http.StatusInternalServerError, "result_too_large", "The function returned more than an answer may hold."),
		service.Is(ErrKeyReused, http.StatusUnprocessableEntity, "idempotency_key_reused", "This Idempotency-Key was used with another input."),
		later(ErrInProgress, http.StatusConflict, "idempotency_in_progress", "A call with this Idempotency-Key is under way."),
		later(ErrBusy, http.StatusServiceUnavailable, "busy", "The function runs as often as it may at once."),
		mongoerr.Problem,
	}
}

// later is a rule for a sentinel error after which one may try again.
func later(target error, status int, code, detail string) service.Rule {
	return func(err error) *service.Problem {
		if !errors.Is(err, target) {
			return nil
		}
		return &service.Problem{Status: status, Code: code, Detail: detail, RetryAfter: retryAfter, Err: err}
	}
}

// visible reports whether a problem can be shown; nil, as a validator may return for
// no error, is none.
func visible(p *service.Problem) bool { return p != nil && p.Status >= 400 && p.Status <= 599 }

// public returns what a caller may see of an error: what service.Edge would show.
func (s *Service) public(err error) *service.Problem {
	internal := &service.Problem{Status: http.StatusInternalServerError, Code: "internal", Err: err}
	if p, ok := errors.AsType[*service.Problem](err); ok {
		if visible(p) {
			return p
		}
		return internal
	}
	for _, rule := range s.problems {
		if p := rule(err); p != nil {
			return p
		}
	}
	if errors.Is(err, context.Canceled) {
		return &service.Problem{Status: service.StatusClientClosed, Code: "canceled", Detail: "The call was canceled.", Err: err}
	}
	return internal
}
