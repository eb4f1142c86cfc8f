package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// frame is what a context says of the call that it belongs to.
type frame struct {
	origin Origin
	calls  int // how deep functions call functions
}

type frameKey struct{}

func frameOf(ctx context.Context) frame {
	f, ok := ctx.Value(frameKey{}).(frame)
	if !ok {
		f.origin = OriginGo
	}
	return f
}

// WithOrigin returns a context whose calls come from elsewhere, for those who build
// a bridge such as executionmcp. With any origin but [OriginGo] the caller of a
// function that has a scope must have an API key that was granted it.
func WithOrigin(ctx context.Context, origin Origin) context.Context {
	f := frameOf(ctx)
	f.origin = origin
	return context.WithValue(ctx, frameKey{}, f)
}

// enter returns the context that a function gets: what it calls is called by the
// gateway's own code, one level deeper.
func enter(ctx context.Context) context.Context {
	return context.WithValue(ctx, frameKey{}, frame{OriginGo, frameOf(ctx).calls + 1})
}

// Call executes a function with its input as JSON and returns its output as JSON.
// It is the one path that HTTP, [Tools] and MCP take. The caller is who ctx says it
// is. Empty args are {}.
//
// It returns [ErrUnknown], [ErrBusy], [ErrTimeout], [ErrTooLarge], [ErrTooDeep], an
// [*InputError], a *[service.Problem] with status 401 or 403 for a caller who may
// not, the veto of an interceptor of [Executing], an [*Error] or *[service.Problem]
// of the function's own, a [*FailedError] for any other failure of it, and the error
// of ctx where that was canceled.
func (s *Service) Call(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error) {
	text, _, err := s.call(ctx, name, args, "")
	return text, err
}

// call is Call with an idempotency key, if it is not empty; replayed says that the
// answer was stored.
func (s *Service) call(ctx context.Context, name string, args []byte, key string) (text json.RawMessage, replayed bool, err error) {
	f := s.functions[name]
	if f == nil {
		return nil, false, ErrUnknown
	}
	if frameOf(ctx).calls >= MaxCalls {
		return nil, false, ErrTooDeep
	}
	if err := f.admit(ctx); err != nil {
		return nil, false, err
	}
	if len(args) == 0 {
		args = []byte("{}")
	}
	if err := s.checkInput(f, args); err != nil {
		return nil, false, err
	}
	user, _ := middleware.FromContext(ctx)
	origin := frameOf(ctx).origin
	if err := signals.Ask(ctx, s.bus(), &Executing{Name: name, Origin: origin, User: user, input: args}); err != nil {
		return nil, false, err
	}
	if !f.take() {
		return nil, false, ErrBusy
	}
	rec, err := s.begin(ctx, f, args, key)
	if rec.answered() || err != nil {
		f.release()
		if err != nil {
			return nil, false, err
		}
		text, err = rec.answer(name)
		return text, true, err
	}
	began := time.Now() //nolint:forbidigo // how long a function really takes
	text, err = s.run(ctx, f, args, rec)
	signals.Announce(ctx, s.bus(), Executed{Name: name, Origin: origin, User: user, Duration: time.Since(began), Outcome: outcomeOf(err)})
	return text, false, err
}

// checkInput checks what a caller gives against the schema.
func (s *Service) checkInput(f *function, args []byte) error {
	if int64(len(args)) > s.opts.BodyLimit {
		return &InputError{Fields: []service.Field{{Field: "body", Message: fmt.Sprintf("must not be larger than %d bytes", s.opts.BodyLimit)}}}
	}
	return f.input.check(args)
}

// admit returns nil where the caller may call the function.
func (f *function) admit(ctx context.Context) error {
	if f.opts.User {
		if _, ok := middleware.FromContext(ctx); !ok {
			return middleware.Unauthenticated()
		}
	}
	if f.opts.Scope == "" {
		return nil
	}
	granted, keyed := middleware.Granted(ctx, f.opts.Scope)
	if granted || !keyed && frameOf(ctx).origin == OriginGo {
		return nil
	}
	return &service.Problem{
		Status: http.StatusForbidden, Code: "scope_missing",
		Detail: "This function needs an API key that was granted the scope " + f.opts.Scope + ".",
	}
}

// outcomeOf says how a call ended.
func outcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeOK
	}
	if _, ok := errors.AsType[*FailedError](err); ok || errors.Is(err, ErrTooLarge) {
		return OutcomeFailed
	}
	switch {
	case errors.Is(err, ErrTimeout):
		return OutcomeTimeout
	case errors.Is(err, context.Canceled):
		return OutcomeCanceled
	}
	return OutcomeRefused
}
