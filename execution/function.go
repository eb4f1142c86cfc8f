package execution

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/imadelakhaldev/coglex/service"
)

// Defaults of [FuncOptions].
const (
	// DefaultTimeout is how long a function may take.
	DefaultTimeout = 30 * time.Second
	// DefaultConcurrency is how often a function may run at once in one process.
	DefaultConcurrency = 64
)

// FuncOptions are the optional settings of a [Function]. The zero value means all
// defaults.
type FuncOptions struct {
	// Timeout is how long a call may take. The function's context ends then, and
	// the caller gets [ErrTimeout], even where the function goes on: it keeps its
	// place under Concurrency until it has really returned.
	//
	// Defaults to DefaultTimeout.
	Timeout time.Duration

	// Concurrency is how often the function may run at once in this process. A
	// call too many is not queued: it is [ErrBusy].
	//
	// Defaults to DefaultConcurrency.
	Concurrency int

	// User says that the function needs a signed-in user in its context
	// ([middleware.FromContext]). An API key alone has none.
	//
	// Defaults to false.
	User bool

	// Scope is what the caller's API key must have been granted, such as
	// "billing:write". A caller without an API key, such as a browser at a handler
	// that is mounted behind Authenticated, has no scopes and is refused. The
	// gateway's own Go code, where its context has no API key, passes.
	//
	// Defaults to "": no scope.
	Scope string

	// Idempotent says that a call over HTTP may come with an Idempotency-Key, and
	// is then executed once: see the package documentation. It needs
	// [Options].Database.
	//
	// Defaults to false: the header is refused, lest it seem to hold.
	Idempotent bool
}

// Function is a Go function under a name, with the JSON Schemas of what it takes
// and returns. [Func] makes one; it does nothing until it is given to [New].
type Function struct {
	name, description string
	opts              FuncOptions
	in, out           reflect.Type
	invoke            func(ctx context.Context, input []byte, enc *encoder) (json.RawMessage, error)
}

// Func returns fn under a name of 1 to 64 ASCII letters, digits, underscores and
// hyphens that begins with a letter or an underscore. The description tells people
// and language models what it does. A nil opts means all defaults. Mistakes are
// reported by [New].
//
// In is a struct, a map, or a type with its own JSON form that is an object;
// struct{} for a function that takes nothing. Out is anything that JSON can hold.
// Both are in JSON as encoding/json has them, with the differences that the package
// documentation lists.
//
// fn must be safe for concurrent use, and should return soon after its context
// ends. An error of [Errorf] and a *[service.Problem] are shown to the caller; of
// any other error the caller only learns that the function failed.
func Func[In, Out any](name, description string, fn func(ctx context.Context, in In) (Out, error), opts *FuncOptions) Function {
	f := Function{name: name, description: description, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out]()}
	if opts != nil {
		f.opts = *opts
	}
	if fn == nil {
		return f
	}
	f.invoke = func(ctx context.Context, input []byte, enc *encoder) (json.RawMessage, error) {
		var in In
		if err := decode(input, &in); err != nil {
			return nil, err
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, failed(name, err)
		}
		text, err := enc.encode(&out)
		if err != nil && !errors.Is(err, ErrTooLarge) {
			return nil, &FailedError{Function: name, Err: fmt.Errorf("encoding what it returned: %w", err)}
		}
		return text, err
	}
	return f
}

// failed hides the error of a function, unless it is meant to be seen.
func failed(name string, err error) error {
	_ = errors.Is(err, ErrUnknown) // goes through all causes, here where a panic of theirs is isolated
	if e, ok := errors.AsType[*Error](err); ok && e.valid() {
		return err
	}
	if p, ok := errors.AsType[*service.Problem](err); ok {
		if visible(p) {
			return err
		}
		err = fmt.Errorf("it returned a problem without a status that is one: %v", err) //nolint:errorlint // lest it be found inside
	}
	return &FailedError{Function: name, Err: err}
}

// names is what functions may be called: what HTTP, MCP and every vendor of
// language models take alike.
const names = `^[A-Za-z_][A-Za-z0-9_-]{0,63}$`

// withDefaults returns a copy in which every option has its value, or all that is
// wrong with the function.
func (f Function) withDefaults() (Function, error) {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("execution: function %q: "+format, append([]any{f.name}, args...)...))
	}
	if !regexp.MustCompile(names).MatchString(f.name) {
		wrong("the name does not match %s", names)
	}
	if f.description == "" {
		wrong("it has no description")
	}
	if f.invoke == nil {
		wrong("it is nil")
	}
	if f.opts.Timeout < 0 {
		wrong("Timeout is %s, and cannot be negative", f.opts.Timeout)
	}
	if f.opts.Concurrency < 0 {
		wrong("Concurrency is %d, and cannot be negative", f.opts.Concurrency)
	}
	f.opts.Timeout = cmp.Or(f.opts.Timeout, DefaultTimeout)
	f.opts.Concurrency = cmp.Or(f.opts.Concurrency, DefaultConcurrency)
	return f, errors.Join(errs...)
}
