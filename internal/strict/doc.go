// Package strict reads what a client sends, and refuses what it does not know:
// JSON bodies into structs ([Body]) and query parameters by name ([ParseQuery]).
//
// Every error is a *[service.Problem] that names the field at fault: a path
// such as "document.tags[2]" or the name of a parameter, bounded and printable,
// or "body" where the body as a whole is meant. No problem repeats a value or
// the name of a Go type.
//
//   - 400 invalid: all that follows below;
//   - 413 too_large: a body beyond its limit; the connection closes;
//   - 415 unsupported_media_type: a body that is not application/json, or a type
//     with the suffix +json, in UTF-8 and without a content encoding.
//
// # Bodies
//
// A body is one JSON object and nothing after it (RFC 7493: unique names, valid
// UTF-8). Its members are those of the struct, letter for letter. Null is no
// value for any of them but one of type any or [jsontext.Value]; an absent member
// leaves its field as it was. Which members are required is for the caller to say.
// MongoDB documents among them are fields of the types in package extjson.
//
// # Query parameters
//
// A parameter is one of those declared, given once, and not empty. A semicolon
// or a malformed escape is refused.
package strict
