package generation

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// Converse asks Gemini and returns its answer. Where the request has a Toolset,
// the functions that Gemini asks for are called, and their results sent to it, until
// it asks for none. After Options.MaxRounds rounds, and after three in a row in which
// every call failed, Gemini is asked once more without functions, so that what it has
// learnt is not lost. See [Toolset] for who calls and what Gemini is told.
//
// A call of a function that Request.Tools declares is the caller's: it ends the
// conversation here, and is among Reply.Parts. Functions of the Toolset that the same
// answer asks for are called nevertheless; what came of them is the last turn of
// Reply.History, and the caller adds its own responses to that turn.
//
// Where a conversation fails after something was said, the Reply beside the error
// has what was said and done until then.
//
// It returns [ErrNoKey], [*UsageError], [*BlockedError], [*FinishError], [ErrNoAnswer],
// [*UpstreamError], a *service.Problem that names what is wrong with the request,
// the refusals of interceptors as they are, and the error of a context that ends.
func (s *Service) Converse(ctx context.Context, r Request) (*Reply, error) {
	c, err := s.prepare(ctx, r, false)
	if err != nil {
		return nil, err
	}
	return s.converse(ctx, c)
}

// Stream is Converse with the answer in pieces as they come. An error is the last
// thing that it yields. The last chunk has Usage, also beside an error once Gemini
// was asked. A loop that breaks ends the call of Gemini.
func (s *Service) Stream(ctx context.Context, r Request) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		c, err := s.prepare(ctx, r, true)
		if err != nil {
			yield(Chunk{}, err)
			return
		}
		s.converseStream(ctx, c)(yield)
	}
}

// prepare checks a request and asks the interceptors.
func (s *Service) prepare(ctx context.Context, r Request, stream bool) (*call, error) {
	c, err := s.check(ctx, r)
	if err != nil {
		return nil, err
	}
	intent := &Generating{Model: c.model, System: c.system, UserID: c.user, Functions: slices.Clone(c.functions), OwnKey: c.ownKey, Stream: stream}
	if err := signals.Ask(ctx, s.bus(), intent); err != nil {
		return nil, err
	}
	c.system = intent.System
	if c.model, err = modelName(intent.Model); err != nil {
		return nil, fmt.Errorf("generation: an interceptor of Generating left a model that is none: %s", err) //nolint:errorlint // not the client's fault
	}
	return c, nil
}

// check checks a request.
func (s *Service) check(ctx context.Context, r Request) (*call, error) {
	model, err := modelName(cmp.Or(r.Model, s.opts.Model))
	if err != nil {
		return nil, err
	}
	key, own, err := s.keyOf(r.Key)
	if err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return &call{
		model: model, key: key, ownKey: own, user: userOf(ctx), system: r.System,
		contents: r.contents(), declarations: slices.Clone(r.Tools), serverTools: r.ServerTools, config: r.Config,
		toolset: r.Toolset, functions: r.functions(),
	}, nil
}

// contents returns the contents, each with its role.
func (r *Request) contents() []Content {
	contents := slices.Clone(r.Contents)
	for i := range contents {
		contents[i].Role = cmp.Or(contents[i].Role, RoleUser)
	}
	return contents
}

// functions returns the names of the functions that Gemini may call.
func (r *Request) functions() []string {
	switch {
	case r.Toolset == nil:
		return nil
	case r.Functions != nil:
		return slices.Clone(r.Functions)
	}
	return r.Toolset.Names()
}

// check returns what is wrong with a request, as far as the SDK would not survive
// it or would repeat it.
func (r *Request) check() error {
	if len(r.Contents) == 0 {
		return service.Invalid("contents", "must not be empty")
	}
	for i, c := range r.Contents {
		if c.Role != "" && c.Role != RoleUser && c.Role != RoleModel {
			return service.Invalid(at("contents", i)+".role", `must be "user" or "model"`)
		}
		if len(c.Parts) == 0 {
			return service.Invalid(at("contents", i)+".parts", "must not be empty")
		}
		for j, p := range c.Parts {
			if !json.Valid(p) {
				return service.Invalid(at(at("contents", i)+".parts", j), "is not JSON")
			}
		}
	}
	for i, t := range r.ServerTools {
		if !json.Valid(t) {
			return service.Invalid(at("tools", i), "is not JSON")
		}
	}
	return r.checkFunctions()
}

// checkFunctions finds names that are not functions of the Toolset, that are given
// twice, or that are declared as well.
func (r *Request) checkFunctions() error {
	if r.Functions != nil && r.Toolset == nil {
		return service.Invalid("functions", "are not offered here")
	}
	if r.Toolset == nil {
		return nil
	}
	names := r.Toolset.Names()
	for i, name := range r.Functions {
		if !slices.Contains(names, name) {
			return service.Invalid(at("functions", i), "is not a function that is offered here")
		}
		if slices.Contains(r.Functions[:i], name) {
			return service.Invalid(at("functions", i), "is given twice")
		}
	}
	used := r.functions()
	for i, d := range r.Tools {
		if slices.Contains(used, d.Name) {
			return service.Invalid(at("tools", i), "has the name of a function that is called here")
		}
	}
	return nil
}
