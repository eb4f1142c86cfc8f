package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/mongo/readpref"

	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// Service executes functions. Its methods are safe for concurrent use.
type Service struct {
	opts      Options
	functions map[string]*function
	names     []string // in the order that they were given in
	list      []byte   // the answer of GET /functions
	encoder   *encoder
	problems  []service.Rule
	records   *records // nil without a database
	flights   flights
	host      atomic.Pointer[service.Host]

	lifecycle sync.Mutex
	worker    *worker
}

var _ service.Service = (*Service)(nil)

// function is a [Function] that can be called.
type function struct {
	Function

	input  *node // checks what comes in
	fields []string
	schema struct{ input, output json.RawMessage }
	slots  chan struct{} // holds a token for each that runs
}

// New returns a Service that executes these functions, and no others ever. A nil
// opts means all defaults. It does no input or output, and returns every mistake at
// once: names that are malformed or given twice, types that have no JSON Schema,
// and options, each naming its function or field.
func New(functions []Function, opts *Options) (*Service, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.withDefaults()
	errs := []error{err}
	s := &Service{opts: o, functions: make(map[string]*function, len(functions)), encoder: newEncoder(o.MaxResultBytes), problems: problems()}
	for _, given := range functions {
		f, err := prepare(given)
		errs = append(errs, err, s.checkStored(given))
		if err != nil {
			continue
		}
		if s.functions[f.name] != nil {
			errs = append(errs, fmt.Errorf("execution: function %q is given twice", f.name))
			continue
		}
		s.functions[f.name] = f
		s.names = append(s.names, f.name)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if s.list, err = s.describe(); err != nil {
		return nil, err
	}
	if o.Database != nil {
		s.records = newRecords(o)
	}
	s.host.Store(&service.Host{})
	return s, nil
}

// prepare returns a function that can be called, or all that is wrong with it.
func prepare(given Function) (*function, error) {
	if given.in == nil {
		return nil, errors.New("execution: a Function is empty: Func makes one")
	}
	f, err := given.withDefaults()
	input, inErr := inputSchema(f.in)
	output, outErr := outputSchema(f.out)
	errs := []error{err}
	if inErr != nil {
		errs = append(errs, fmt.Errorf("execution: function %q: input: %w", f.name, inErr))
	}
	if outErr != nil {
		errs = append(errs, fmt.Errorf("execution: function %q: output: %w", f.name, outErr))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p := &function{Function: f, input: compileSchema(input), fields: input.PropertyOrder, slots: make(chan struct{}, f.opts.Concurrency)}
	if p.schema.input, err = input.MarshalJSON(); err != nil {
		return nil, fmt.Errorf("execution: function %q: input: %w", f.name, err)
	}
	if p.schema.output, err = output.MarshalJSON(); err != nil {
		return nil, fmt.Errorf("execution: function %q: output: %w", f.name, err)
	}
	return p, nil
}

// checkStored returns an error for an idempotent function whose answers cannot be
// stored.
func (s *Service) checkStored(f Function) error {
	switch {
	case !f.opts.Idempotent:
		return nil
	case s.opts.Database == nil:
		return fmt.Errorf("execution: function %q is idempotent, which needs Options.Database", f.name)
	case s.opts.MaxResultBytes > maxStoredBytes:
		return fmt.Errorf("execution: function %q is idempotent, so Options.MaxResultBytes cannot pass %d", f.name, maxStoredBytes)
	}
	return nil
}

// description is a function in the answer of GET /functions.
type description struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Input       json.RawMessage `json:"input"`
	Output      json.RawMessage `json:"output"`
}

func (s *Service) describe() ([]byte, error) {
	all := make([]description, len(s.names))
	for i, name := range s.names {
		f := s.functions[name]
		all[i] = description{f.name, f.description, f.schema.input, f.schema.output}
	}
	return json.Marshal(all)
}

// Name returns "execution".
func (s *Service) Name() string { return "execution" }

// Collections returns _EXECUTIONS, where there is a database.
func (s *Service) Collections() []service.Namespace {
	if s.records == nil {
		return nil
	}
	return []service.Namespace{{Database: s.opts.Database.Name(), Collection: collectionName}}
}

// Rules returns what the errors of the service mean over HTTP.
func (s *Service) Rules() []service.Rule { return s.problems }

// Adopt gives the service its host.
func (s *Service) Adopt(h service.Host) { s.host.Store(&h) }

// Names returns the names of all functions, in the order that they were given to
// [New] in.
func (s *Service) Names() []string { return slices.Clone(s.names) }

// Ready returns nil when the database, where there is one, answers within ctx.
func (s *Service) Ready(ctx context.Context) error {
	if s.records == nil {
		return nil
	}
	if err := s.opts.Database.Client().Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("execution: %w", err)
	}
	return nil
}

// log returns where failures are logged.
func (s *Service) log() *slog.Logger {
	if s.opts.Logger != nil {
		return s.opts.Logger
	}
	return s.host.Load().Logger // nil is slog.Default() to those who take it
}

// logger is log for those who write themselves.
func (s *Service) logger() *slog.Logger {
	if l := s.log(); l != nil {
		return l
	}
	return slog.Default()
}

// bus returns where events go; nil has no subscribers.
func (s *Service) bus() *signals.Bus { return s.host.Load().Signals }
