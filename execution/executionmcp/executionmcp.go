package executionmcp

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/imadelakhaldev/coglex/execution"
)

// Defaults of [Options].
const (
	// DefaultName is how the server calls itself.
	DefaultName = "coglex"
	// DefaultVersion is the version that it says it has.
	DefaultVersion = "1"
)

// Options are the optional settings of [Handler]. The zero value means all defaults.
type Options struct {
	// Tools are the functions that are offered, by [execution.Service.Tools].
	//
	// Defaults to all functions of the service that is given to Handler.
	Tools *execution.Tools

	// Name and Version are what the server calls itself to clients.
	//
	// Default to DefaultName and DefaultVersion.
	Name, Version string

	// Instructions tell language models what the functions are for, all in all.
	//
	// Defaults to none.
	Instructions string

	// CrossOrigin decides about requests that a browser makes for a page of another
	// origin. It must not be changed afterwards.
	//
	// Defaults to one that refuses them all.
	CrossOrigin *http.CrossOriginProtection

	// Logger receives what the protocol's server has to say. Failures of functions
	// go to the logger of the service.
	//
	// Defaults to none.
	Logger *slog.Logger
}

// Handler returns a handler that offers the functions of fns as MCP tools. It keeps
// no sessions, starts nothing, and is safe for concurrent use. It admits everybody:
// the host guards it. A nil opts means all defaults.
func Handler(fns *execution.Service, opts *Options) http.Handler {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.CrossOrigin == nil {
		o.CrossOrigin = http.NewCrossOriginProtection()
	}
	server := newServer(toolsOf(fns, o), o)
	h := mcp.NewStreamableHTTPHandler(
		func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true, Logger: o.Logger},
	)
	return o.CrossOrigin.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, r.Context()))
		if takeBody(w, r) == '[' {
			http.Error(w, "a batch is not taken: send one message at a time", http.StatusBadRequest)
			return
		}
		h.ServeHTTP(writer{w}, r)
	}))
}

// takeBody bounds the body, goes over the white space before it, and returns its
// first byte, 0 where there is none.
func takeBody(w http.ResponseWriter, r *http.Request) byte {
	body := bufio.NewReader(http.MaxBytesReader(w, r.Body, mcp.DefaultMaxRequestBodyBytes))
	r.Body = io.NopCloser(body)
	for {
		next, err := body.Peek(1)
		switch {
		case err != nil:
			return 0 // who reads the body finds it out, too
		case strings.IndexByte(" \t\r\n", next[0]) < 0:
			return next[0]
		}
		_, _ = body.Discard(1) // it has been seen
	}
}

// requestKey is the key of the request's context in that of a call, which has its
// values, but before the protocol of 2026 not its end.
type requestKey struct{}

// whileAsked returns a context that ends when the client leaves, too: without
// sessions an answer reaches nobody then.
func whileAsked(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	request, ok := ctx.Value(requestKey{}).(context.Context)
	if !ok {
		return ctx, cancel
	}
	stop := context.AfterFunc(request, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// toolsOf returns the functions that are offered; nil where there are none.
func toolsOf(fns *execution.Service, o Options) *execution.Tools {
	if o.Tools != nil || fns == nil {
		return o.Tools
	}
	all, err := fns.Tools(fns.Names()...)
	if err != nil {
		return nil // cannot be: a service knows its own names
	}
	return all
}

// newServer returns a server with a tool for each function.
func newServer(tools *execution.Tools, o Options) *mcp.Server {
	self := &mcp.Implementation{Name: cmp.Or(o.Name, DefaultName), Version: cmp.Or(o.Version, DefaultVersion)}
	server := mcp.NewServer(self, &mcp.ServerOptions{
		Instructions: o.Instructions, Logger: o.Logger,
		// The list never changes, and there is no session to log to.
		Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}},
	})
	if tools == nil {
		return server
	}
	for _, name := range tools.Names() {
		server.AddTool(toolOf(tools, name), handlerOf(tools, name))
	}
	return server
}

// toolOf describes a function.
func toolOf(tools *execution.Tools, name string) *mcp.Tool {
	description, input, output := tools.Describe(name)
	tool := &mcp.Tool{Name: name, Description: description, InputSchema: input}
	if isObject(output) {
		tool.OutputSchema = output
	}
	return tool
}

// isObject reports whether a schema is that of an object: before the protocol of
// 2026 there is no other structured content.
func isObject(schema json.RawMessage) bool {
	var s struct{ Type any }
	return json.Unmarshal(schema, &s) == nil && s.Type == "object"
}

// handlerOf calls a function for a client. What it is refused with is the result of
// the call, so that a language model sees it.
func handlerOf(tools *execution.Tools, name string) mcp.ToolHandler {
	_, _, output := tools.Describe(name)
	structured := isObject(output)
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		ctx, cancel := whileAsked(ctx)
		defer cancel()
		text, err := tools.Call(execution.WithOrigin(ctx, execution.OriginMCP), name, req.Params.Arguments)
		if err != nil { // every one may be shown
			return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: err.Error()}}}, nil
		}
		result := &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(text)}}}
		if structured {
			result.StructuredContent = text
		}
		return result, nil
	}
}
