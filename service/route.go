package service

import (
	"github.com/labstack/echo/v4"
)

// Need says what a route asks of its caller.
type Need uint8

// What a route may ask for. The zero value is the strictest that every
// deployment can meet, so that a forgotten Need never opens a route.
const (
	// Key asks for an API key.
	Key Need = iota
	// KeyMaybeUser asks for an API key and knows the signed-in user if there is one.
	KeyMaybeUser
	// KeyUser asks for an API key and a signed-in user.
	KeyUser
	// Public asks for nothing: the handler verifies its callers by itself (a
	// signature, a one-time code).
	Public
)

// String returns the name of the constant.
func (n Need) String() string {
	switch n {
	case Key:
		return "Key"
	case KeyMaybeUser:
		return "KeyMaybeUser"
	case KeyUser:
		return "KeyUser"
	case Public:
		return "Public"
	}
	return "Need(?)"
}

// Route is one row of a service's route table, the single source for mounting,
// documentation and tests.
type Route struct {
	// Name is unique within the service and names the route in MountOptions.
	Name string
	// Method is the HTTP method.
	Method string
	// Path is relative to the service's prefix, begins with a slash and has no
	// trailing one, except "/" alone.
	Path string
	// Scope is what a restricted API key must have been granted, such as
	// "storage:read".
	Scope string
	// Summary is one sentence.
	Summary string
	// Handler serves the route. It must defer [Edge].
	Handler echo.HandlerFunc
	// Need is what the route asks of its caller.
	Need Need
	// Streams says that the answer may take long and renews its own deadlines.
	Streams bool
	// Request and Response are values of the body types, nil where there is none.
	Request, Response any
	// Doc is the long documentation, nil where the summary says all.
	Doc *Doc
}

// Doc is the long documentation of a route.
type Doc struct {
	// Description is Markdown.
	Description string
	// Query names the query parameters and says what each does.
	Query map[string]string
	// Codes names the problem codes the route may answer and says when.
	Codes map[string]string
}

// Mounted is a route as it was registered.
type Mounted struct {
	// Service is the name of the service, empty when registered without an App.
	Service string
	// Route is the row of the table.
	Route Route
	// Path is the full path, the prefix of an echo group included, without the
	// trailing slash that is answered too.
	Path string
}
