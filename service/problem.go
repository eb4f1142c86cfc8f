package service

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// StatusClientClosed is the status under which a client that left before its
// answer is logged; no client ever sees it.
const StatusClientClosed = 499

// MediaTypeProblem is the content type of an error (RFC 9457, section 6.1).
const MediaTypeProblem = "application/problem+json"

// Field is one wrong field of a request.
type Field struct {
	// Field is the path of the field, such as "document.tags[2]".
	Field string `json:"field"`
	// Message says what is wrong with it.
	Message string `json:"message"`
}

// Problem is an error that a client may see: RFC 9457 on the wire. Everything
// but Err is public. Return one from an interceptor to refuse a request in your
// own words. A Problem must not change after it was returned.
type Problem struct {
	// Status is the HTTP status, 400 to 599. With any other the client gets a bare 500.
	Status int
	// Code is a stable word in snake_case, such as "key_exists".
	Code string
	// Detail is a sentence for people; it may be empty.
	Detail string
	// Errors names the wrong fields, if that is what it is about.
	Errors []Field
	// Extensions are further members of the body (RFC 9457, section 3.2), such
	// as the ids that did go in. None replaces a member that this type has.
	Extensions map[string]any
	// RetryAfter becomes the Retry-After header, rounded up to whole seconds;
	// zero sends none.
	RetryAfter time.Duration
	// Challenge becomes the WWW-Authenticate header of a 401. Defaults to "Bearer".
	Challenge string
	// Err is the cause. It is logged, and reachable by errors.Is and errors.As,
	// but never sent.
	Err error
}

// Error returns the code and the detail, and the cause where there is one.
func (p *Problem) Error() string {
	if p == nil {
		return "service: a nil *Problem was returned as an error"
	}
	text := p.Code
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	if p.Err != nil {
		text += ": " + p.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error {
	if p == nil {
		return nil
	}
	return p.Err
}

// because returns the problem with its cause where it names none.
func (p *Problem) because(cause error) *Problem {
	if p.Err != nil {
		return p
	}
	withCause := *p
	withCause.Err = cause
	return &withCause
}

// Invalid returns a 400 with code "invalid" that names one wrong field.
func Invalid(field, message string) *Problem {
	return &Problem{
		Status: http.StatusBadRequest, Code: "invalid", Detail: field + ": " + message,
		Errors: []Field{{Field: field, Message: message}},
	}
}

// header sets the headers that belong to the problem.
func (p *Problem) header(h http.Header) {
	// What a handler had prepared for its success must not dress the error.
	for _, name := range []string{
		"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition",
		"Content-Range", "Accept-Ranges", "ETag", "Last-Modified", "Location", "Link", "X-Total-Count",
	} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		seconds := (p.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if p.Status == http.StatusUnauthorized {
		challenge := p.Challenge
		if challenge == "" {
			challenge = "Bearer"
		}
		h.Set("WWW-Authenticate", challenge)
	}
}

// body is the Message inside echo's HTTPError. It is a json.Marshaler and no
// error: echo's handler writes such a Message as it is, but replaces the text
// of one that is an error. Its content type is set as it is marshalled: echo's
// handler sets its own just before that, and a host's that writes another shape
// must not find ours.
type body struct {
	problem   *Problem
	requestID string
	header    http.Header
}

// String keeps the headers, which may hold a session, out of the text of the
// HTTPError around it.
func (b body) String() string { return b.problem.Code }

// MarshalJSON writes the problem and sets the content type of the response. It
// does not fail, for echo would then answer 200: extensions that are no JSON
// are left out.
func (b body) MarshalJSON() ([]byte, error) {
	b.header.Set("Content-Type", MediaTypeProblem)
	members := maps.Clone(b.problem.Extensions)
	if members == nil {
		members = make(map[string]any, 7)
	}
	b.standard(members)
	text, err := json.Marshal(members)
	if err == nil {
		return text, nil
	}
	members = make(map[string]any, 7)
	b.standard(members)
	return json.Marshal(members)
}

// standard sets the members that every problem has; no extension replaces them.
func (b body) standard(members map[string]any) {
	for _, name := range []string{"code", "detail", "request_id", "errors"} {
		delete(members, name)
	}
	members["type"] = "about:blank"
	members["title"] = title(b.problem.Status)
	members["status"] = b.problem.Status
	if b.problem.Code != "" {
		members["code"] = b.problem.Code
	}
	if b.problem.Detail != "" {
		members["detail"] = b.problem.Detail
	}
	if b.requestID != "" {
		members["request_id"] = b.requestID
	}
	if len(b.problem.Errors) > 0 {
		members["errors"] = b.problem.Errors
	}
}

// title returns the phrase of a status, as "about:blank" asks for (RFC 9457,
// section 4.2.1).
func title(status int) string {
	if status == StatusClientClosed {
		return "Client Closed Request"
	}
	return http.StatusText(status)
}
