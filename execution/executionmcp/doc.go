// Package executionmcp offers the functions of package execution as tools of the
// Model Context Protocol, so that assistants and agents can list and call them. It is
// a package of its own, so that who does not need it does not link the protocol.
//
//	e.Any("/mcp", echo.WrapHandler(executionmcp.Handler(fns, nil)), app.Protected(), app.Identified())
//
// # Who calls
//
// The handler admits everybody, so the host guards it, like any route of its own.
// Functions see the caller that the guards have found: one that needs a signed-in
// user is refused behind Protected alone, and works with Identified or Authenticated
// besides; one that needs a scope wants an API key that was granted it.
//
// Requests that a browser makes for a page of another origin are 403, which the
// protocol asks of servers; [Options].CrossOrigin allows some. On a loopback address
// a Host header that names another host is 403 too, lest a page rebind its name.
//
// # The protocol
//
// It is the streamable HTTP transport without sessions, answered as JSON: any
// instance of a gateway answers any request. GET and DELETE are 405. A request is one
// message of 4 MiB at most; a batch, which the protocol had for a while, is 400, lest
// the results of thousands of calls be held in memory for one answer. Each tool has
// the name, description and schemas of its function. Every function is listed, also
// to callers who may not call it.
//
// A call takes the same path as one over HTTP: the same checks, limits and events,
// whose origin is [execution.OriginMCP]. What it is refused with is a result with
// isError and the code and detail of the problem that HTTP would answer. Only an
// unknown tool is an error of the protocol. An output that is no object is text.
package executionmcp
