// Package execution makes Go functions callable by name: over HTTP, by language
// models as tools, and over MCP, with the same checks each way.
//
//	weather := execution.Func("getWeather", "Current weather of a city.",
//		func(ctx context.Context, in WeatherIn) (WeatherOut, error) { … }, nil)
//
//	fns, err := execution.New([]execution.Function{weather}, nil)
//	err = app.Mount(e, fns) // at /service/execution/v1, behind the API key
//
// [Service.Call] is the one path that every call takes. [Service.Tools] chooses
// functions for a language model; package executionmcp offers them to MCP clients.
// Nothing is callable but what was given to [New].
//
// # Routes
//
//	POST /execute/:function    the input → the output
//	GET  /functions            [{name, description, input, output}]
//
// Input and output are JSON Schemas (2020-12). A function that takes nothing may be
// called without a body. The body {"args": […], "kwargs": {…}} is taken too, unless
// the input has a member of either name or is a map: args are the members of the
// input in the order of the struct's fields.
//
// # Types
//
// Schemas are made from the types, and say what the decoder takes and the encoder
// gives. Both have the rules and tags of encoding/json, with these differences:
//
//   - a member of an input is required unless its tag has omitempty or omitzero;
//     others than the struct's, names in another case, and names given twice are
//     refused;
//   - null is taken by pointers, any, json.RawMessage and types that decode themselves
//     only; a slice or map that is nil is [] or {} in an output;
//   - a type that has methods of its own for JSON may be anything, one that has them
//     for text is a string; []byte is base64, time.Time is RFC 3339, time.Duration
//     is a number of nanoseconds;
//   - integers have no fraction and no exponent; a number may be in a string only by
//     the tag option "string".
//
// The tag jsonschema:"…" describes a member. A type that contains itself has no
// schema and is refused by New, as are json.Number, tag options such as format, and
// an embedded struct that is not exported but named or a pointer.
//
// An input is checked before the function is called: what is wrong is named field by
// field, 20 at most. It may be nested 128 levels and have [Options].BodyLimit bytes.
//
// # Limits
//
// Each function has a time limit and a number of places, and runs in a goroutine of
// its own. A caller has its answer when the time is over, even where the function
// goes on: it keeps its place until it returns, so that the number of places is the
// truth. A function that never returns keeps its goroutine and its place for ever;
// [Service.Abandoned] counts those that nobody waits for. There is no queue: a call
// too many is refused at once. Functions may call functions, [MaxCalls] deep.
//
// An output has at most [Options].MaxResultBytes of JSON. It is encoded once, into no
// more memory than that, whatever the function returned.
//
// # Who calls
//
// The caller is who the context says: the signed-in user of Authenticated or
// Identified, the API key of Protected. [FuncOptions].User and Scope say what a
// function asks of its callers. Over HTTP the routes take an API key, and a user's
// token besides; a browser calls [Service.HandleExecute] where the host mounts it
// behind Authenticated, and then has a user but no scopes.
//
// # Keys
//
// A call of an idempotent function may have an Idempotency-Key (the header of
// draft-ietf-httpapi-idempotency-key-header), 1 to 255 visible ASCII characters. The
// first call with a key executes the function, and is not canceled when its client
// leaves. Later ones are given its answer, with Idempotency-Replayed: true, for
// [Options].KeyLifetime. While it runs they are 409, with another input 422. Keys of
// different users and functions never meet; those who have an API key and no user
// share theirs.
//
// What is kept is how the function ended, failures and timeouts included, for it may
// have done its work in part; of a problem all but its extensions. A refused input, and
// an error of the function's own with status 429 or 503, frees the key. If the process
// dies, or the database does not take the answer, the key is freed a minute after the
// time limit; a function that overruns its limit by more than a minute may be executed
// again. Answers are in the collection _EXECUTIONS, keys and inputs are
// there as hashes only.
//
// # Events
//
// [Executing] is asked before a call and may refuse it; [Executed] tells of one.
//
// # Errors
//
// A function shows its caller an error of [Errorf] or a *service.Problem. Any other
// error, a panic and runtime.Goexit are 500 function_failed, and the cause is in the
// log. Over HTTP there are 400 invalid, 401 unauthenticated, 403 scope_missing, 404
// function_unknown, 409 idempotency_in_progress, 422 idempotency_key_reused, 500
// result_too_large, 503 busy with Retry-After, 504 timeout. Tools and MCP give the
// same code and words as text ([ToolError]).
//
// # Testing
//
// A function is a Go function: test it as one. To test how it is called, give it to
// New and use Call, with a caller from middleware.NewContext and
// middleware.WithScopes; no database and no App are needed.
package execution
