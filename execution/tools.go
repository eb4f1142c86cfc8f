package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
)

// Tools is a choice of functions for a language model. Its methods have standard
// types only, so that those who call models need not know this package. It does not
// change, and is safe for concurrent use.
type Tools struct {
	s     *Service
	names []string
}

// Tools returns a choice of functions; none without a name. All of them are
// s.Tools(s.Names()...). Names that are unknown or given twice are returned as one
// error.
func (s *Service) Tools(names ...string) (*Tools, error) {
	var errs []error
	for i, name := range names {
		if s.functions[name] == nil {
			errs = append(errs, fmt.Errorf("execution: there is no function %q", name))
		}
		if slices.Contains(names[:i], name) {
			errs = append(errs, fmt.Errorf("execution: function %q is chosen twice", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Tools{s: s, names: slices.Clone(names)}, nil
}

// Names returns the names of the functions, in the order of the choice.
func (t *Tools) Names() []string { return slices.Clone(t.names) }

// Describe returns what a function does, and the JSON Schemas of what it takes and
// returns; nothing for one that was not chosen. They must not be changed.
func (t *Tools) Describe(name string) (description string, input, output json.RawMessage) {
	f := t.s.functions[name]
	if f == nil || !slices.Contains(t.names, name) {
		return "", nil, nil
	}
	return f.description, f.schema.input, f.schema.output
}

// Call is [Service.Call] for a language model: a function that was not chosen does
// not exist, and every error is a [*ToolError], whose text may be shown. The caller
// is who ctx says it is, under the same rules as over HTTP.
func (t *Tools) Call(ctx context.Context, name string, args json.RawMessage) (text json.RawMessage, err error) {
	if frameOf(ctx).origin == OriginGo {
		ctx = WithOrigin(ctx, OriginTool)
	}
	defer func() { // of code of the host's beside the function: its callers' goroutines have no guard
		if v := recover(); v != nil {
			text, err = nil, t.s.toolError(ctx, name, fmt.Errorf("execution: the call panicked: %v\n%s", v, debug.Stack()))
		}
	}()
	err = ErrUnknown
	if slices.Contains(t.names, name) {
		text, err = t.s.Call(ctx, name, args)
	}
	if err != nil {
		return nil, t.s.toolError(ctx, name, err)
	}
	return text, nil
}

// ToolError is an error that a language model may see.
type ToolError struct {
	// Code is the code of the problem that HTTP would answer.
	Code string
	// Message says what is wrong, and with which fields.
	Message string

	err error
}

// Error returns the code and the message.
func (e *ToolError) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the cause, whose own text must not be shown.
func (e *ToolError) Unwrap() error { return e.err }

// toolError returns what may be shown of an error, and logs what may not.
func (s *Service) toolError(ctx context.Context, name string, err error) *ToolError {
	p := s.public(err)
	e := &ToolError{Code: p.Code, Message: p.Detail, err: err}
	if e.Message == "" {
		e.Message = strings.ToLower(http.StatusText(p.Status))
	}
	if len(p.Errors) > 0 {
		e.Message += " " + inWords(p.Errors)
	}
	level := slog.LevelDebug
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable {
		level = slog.LevelError
	}
	logged := []slog.Attr{slog.String("code", p.Code), slog.Any("error", err)}
	if s.functions[name] != nil { // the name is the caller's else
		logged = append(logged, slog.String("function", name))
	}
	s.logger().LogAttrs(ctx, level, "execution: a call failed", logged...)
	return e
}
