package storage

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/service"
)

var (
	// ErrNotFound is returned where no document matches.
	ErrNotFound = errors.New("storage: no document matches")

	// ErrPrecondition is returned where the document that was asked for is there,
	// but is no longer what If-Match says it is.
	ErrPrecondition = errors.New("storage: the document has changed")

	// ErrVersion is returned where a document that is to be changed has a _version
	// which is no number, and so cannot be raised.
	ErrVersion = errors.New("storage: a document has a _version that is no number")

	// ErrBusy is returned where too many exports are under way.
	ErrBusy = errors.New("storage: too many exports at once")

	// ErrTooLarge is returned where a list passes MaxAnswerBytes.
	ErrTooLarge = errors.New("storage: the answer is too large")
)

// InsertError is returned by [Service.Insert] when the database refused one of
// the documents. Those before it are in the collection, those after it are not.
type InsertError struct {
	// IDs are the ids of the documents that went in, in order.
	IDs []any
	// Index is the index of the document that was refused.
	Index int
	// Err is the driver's error.
	Err error
}

// Error names the index and the cause.
func (e *InsertError) Error() string {
	return fmt.Sprintf("storage: inserting document %d: %v", e.Index, e.Err)
}

// Unwrap returns the cause.
func (e *InsertError) Unwrap() error { return e.Err }

// DuplicateError is returned by [Service.Insert] in place of an [InsertError]
// where the document was refused because its _id, or another unique key, exists
// already.
type DuplicateError struct {
	// IDs are the ids of the documents that went in, in order.
	IDs []any
	// Index is the index of the document whose key exists already.
	Index int
	// Err is the driver's error.
	Err error
}

// Error names the index and the cause.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("storage: document %d has a key that exists already: %v", e.Index, e.Err)
}

// Unwrap returns the cause.
func (e *DuplicateError) Unwrap() error { return e.Err }

// problems returns what errors mean over HTTP. Of each error the first rule that
// knows it decides.
func problems() []service.Rule {
	return []service.Rule{
		service.Is(ErrNotFound, http.StatusNotFound, "not_found", "There is no such document."),
		service.Is(ErrPrecondition, http.StatusPreconditionFailed, "precondition_failed", "The document has changed: it no longer is what If-Match says."),
		service.Is(ErrVersion, http.StatusConflict, "version_invalid", "A document has a _version that is no number: other programs must not write it."),
		service.Is(ErrTooLarge, http.StatusUnprocessableEntity, "answer_too_large", "The answer is too large: ask for less by limit and keys, or for application/x-ndjson."),
		service.As(func(e *mongoquery.Error) *service.Problem { return refused(e) }),
		service.As(func(e *extjson.Error) *service.Problem { return malformed(e) }),
		service.As(func(e *DuplicateError) *service.Problem { return notInserted(e.Err, e.IDs, e.Index) }),
		service.As(func(e *InsertError) *service.Problem { return notInserted(e.Err, e.IDs, e.Index) }),
		busy,
		databaseProblem,
	}
}

// refused is the problem of a request that the operator check refused.
func refused(e *mongoquery.Error) *service.Problem {
	return &service.Problem{
		Status: http.StatusBadRequest, Code: string(e.Code), Detail: e.Error(),
		Errors: []service.Field{{Field: e.Path, Message: e.Reason}},
	}
}

// malformed is the problem of a text that is no Extended JSON.
func malformed(e *extjson.Error) *service.Problem {
	return service.Invalid(e.Path, e.Reason)
}

// notInserted says how far an insert got.
func notInserted(err error, ids []any, index int) *service.Problem {
	p := databaseProblem(err)
	if p == nil {
		return nil
	}
	p.Extensions = map[string]any{"ids": jsonIDs(ids), "index": index}
	return p
}

func busy(err error) *service.Problem {
	if !errors.Is(err, ErrBusy) {
		return nil
	}
	return &service.Problem{
		Status: http.StatusServiceUnavailable, Code: "busy", RetryAfter: exportRetryAfter, Err: err,
		Detail: "As many exports as there may be are under way.",
	}
}

// databaseProblem is [mongoerr.Problem] that names the feature which the
// database lacks, and says what it finds fault with.
func databaseProblem(err error) *service.Problem {
	p := mongoerr.Problem(err)
	if p == nil {
		return nil
	}
	if e, ok := errors.AsType[mongo.CommandError](err); ok && p.Status == http.StatusNotImplemented {
		if feature := lacking(e.Message); feature != "" {
			p.Detail = "The database behind this gateway has no " + feature + "."
		}
	}
	if e, ok := errors.AsType[mongo.ServerError](err); ok && p.Status == http.StatusBadRequest {
		if text := fault(e); text != "" {
			p.Detail = "The database refuses this operation: " + text + "."
		}
	}
	return p
}

// fault returns the meaning of an error code in words of ours: those of the server
// may have values in them.
func fault(e mongo.ServerError) string {
	switch {
	case e.HasErrorCode(2):
		return "a value is not one that is possible here"
	case e.HasErrorCode(14):
		return "a stored value has a type that does not fit, such as text where a number is needed"
	case e.HasErrorCode(28):
		return "a path leads through a stored value that is no object"
	case e.HasErrorCode(40):
		return "two changes are about the same field"
	case e.HasErrorCode(66):
		return "a field that never changes would change"
	}
	return ""
}

var (
	// operatorInText finds the operators in a server's words for what it lacks.
	operatorInText = regexp.MustCompile(`\$[a-zA-Z]{2,32}`)
	// embeddedText is what the embedded database says of all that it refuses.
	embeddedText = regexp.MustCompile(`^the embedded database has no ([[:print:]]{1,100})$`)
)

// lacking returns the feature that a server says it lacks, "" where that is not
// clear.
func lacking(message string) string {
	if m := embeddedText.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	operators := operatorInText.FindAllString(message, -1)
	if len(operators) == 0 {
		return ""
	}
	return operators[len(operators)-1] // the innermost
}
