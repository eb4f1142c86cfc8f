package generation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Toolset is functions that Gemini may call. It must be safe for concurrent use:
// calls that Gemini asks for together run at the same time.
//
// It has standard types only, so that what implements it need not import this
// package: the Tools of package execution are one. [Combine] makes one of several.
//
// Gemini is told {"output": …} with what a function returned, and {"error": "…"} where
// it failed, where it returned more than MaxToolResultBytes, where an interceptor of
// [ToolCalling] refused the call, and where there is no such function: none of these
// ends the conversation, nor hinders the other calls. [ToolCalled] tells of each.
type Toolset interface {
	// Names returns the names of the functions: 1 to 64 letters, digits and
	// _ . : - each, the first a letter or _.
	Names() []string

	// Describe returns what a function does, for the model to read, and the JSON
	// Schemas of its input, an object, and of its output. A nil schema says nothing.
	Describe(name string) (description string, input, output json.RawMessage)

	// Call calls a function with a JSON object, and returns its output as JSON. It
	// checks the arguments by itself: a model makes mistakes, and says what those
	// who talk to it want it to say.
	//
	// The caller is in ctx ([middleware.FromContext]): the signed-in user of the
	// request, if there is one. An API key alone is nobody. Call must return soon
	// after ctx is done, and bounds its own time.
	//
	// The text of an error is shown to the model, and with it to whoever talks to
	// the model: it must hold nothing that they should not know. A panic is caught,
	// and the model learns only that the function failed.
	Call(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error)
}

// Combine returns the functions of several toolsets as one, in order. A name that
// two of them have is an error.
func Combine(sets ...Toolset) (Toolset, error) {
	c := &combined{of: map[string]Toolset{}}
	var errs []error
	for i, set := range sets {
		if set == nil {
			errs = append(errs, fmt.Errorf("generation: toolset %d is nil", i))
			continue
		}
		for _, name := range set.Names() {
			if c.of[name] != nil {
				errs = append(errs, fmt.Errorf("generation: two toolsets have a function %q", name))
				continue
			}
			c.of[name] = set
			c.names = append(c.names, name)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// combined is several toolsets.
type combined struct {
	names []string
	of    map[string]Toolset
}

// Names implements [Toolset].
func (c *combined) Names() []string { return slices.Clone(c.names) }

// Describe implements [Toolset].
func (c *combined) Describe(name string) (description string, input, output json.RawMessage) {
	if set := c.of[name]; set != nil {
		return set.Describe(name)
	}
	return "", nil, nil
}

// Call implements [Toolset].
func (c *combined) Call(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error) {
	if set := c.of[name]; set != nil {
		return set.Call(ctx, name, args)
	}
	return nil, errors.New("there is no such function")
}

// declare returns the declarations of functions of a toolset.
func declare(set Toolset, names []string) ([]Declaration, error) {
	out := make([]Declaration, len(names))
	for i, name := range names {
		if !functionName.MatchString(name) {
			return nil, fmt.Errorf("generation: the toolset has a function %q, which Gemini cannot call by that name", name)
		}
		description, input, _ := set.Describe(name)
		out[i] = Declaration{Name: name, Description: description, Parameters: input}
	}
	return out, nil
}
