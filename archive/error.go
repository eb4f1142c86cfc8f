package archive

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
	"go.mongodb.org/mongo-driver/x/mongo/driver/topology"

	"github.com/imadelakhaldev/coglex/internal/extjson"
	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/service"
)

var (
	// ErrNotFound is returned where there is no such file.
	ErrNotFound = errors.New("archive: there is no such file")

	// ErrMissing is returned where there is a record, but its bytes are not in the
	// store, or not as many as there were. Something other than the archive has
	// removed them, or the store is not the one that they were written to.
	ErrMissing = errors.New("archive: the bytes of the file are missing")

	// ErrTooLarge is returned where a file has more bytes than it may.
	ErrTooLarge = errors.New("archive: the file is too large")

	// ErrLinksOff is returned where a link or a ticket is asked for, and there is no
	// Options.Secret.
	ErrLinksOff = errors.New("archive: there are no links without Options.Secret")

	// ErrTicketUsed is returned for a ticket that has made its file already.
	ErrTicketUsed = errors.New("archive: the ticket is used")

	// ErrSweepRefused is returned by a sweep that would delete more than it knows:
	// the database, or the store, is probably not the right one.
	ErrSweepRefused = errors.New("archive: the sweep would delete more than it knows")

	// errLinkInvalid and errLinkExpired are what is wrong with a presented link or
	// ticket.
	errLinkInvalid = errors.New("archive: the signature does not hold")
	errLinkExpired = errors.New("archive: the signature has expired")

	// errLeft says that the client stopped sending.
	errLeft = errors.New("archive: the client left before its body was read")
)

// TypeError is returned for a file whose type is not one that may be uploaded.
type TypeError struct {
	// Type is what the bytes are.
	Type string
}

// Error names the type, which comes from a list of known ones.
func (e *TypeError) Error() string { return "archive: files of type " + e.Type + " are not taken" }

// OptionError is returned for a value that a method of [Service] cannot take.
type OptionError struct {
	// Field is the field of the options.
	Field string
	// Reason is a predicate for it, such as "must not be negative".
	Reason string
}

// Error names the field and what is wrong with it.
func (e *OptionError) Error() string { return fmt.Sprintf("archive: %s %s", e.Field, e.Reason) }

// problems returns what errors mean over HTTP. Of each error the first rule that
// knows it decides.
func problems() []service.Rule {
	return []service.Rule{
		service.Is(ErrNotFound, http.StatusNotFound, "not_found", "There is no such file."),
		service.Is(ErrMissing, http.StatusInternalServerError, "file_missing", "The bytes of this file are missing."),
		service.Is(ErrTooLarge, http.StatusRequestEntityTooLarge, "file_too_large", "The file is larger than it may be."),
		service.Is(ErrNoSpace, http.StatusInsufficientStorage, "no_space", "There is no space left for this file."),
		service.Is(ErrTicketUsed, http.StatusConflict, "ticket_used", "This ticket has been used."),
		service.Is(errLinkExpired, http.StatusForbidden, "link_expired", "This address has expired."),
		service.Is(errLinkInvalid, http.StatusForbidden, "link_invalid", "This address is not valid."),
		service.Is(errLeft, service.StatusClientClosed, "client_closed", ""),
		service.As(func(e *TypeError) *service.Problem {
			return &service.Problem{
				Status: http.StatusUnsupportedMediaType, Code: "type_refused",
				Detail: "Files of type " + e.Type + " are not taken.", Err: e,
			}
		}),
		service.As(func(e *OptionError) *service.Problem { return service.Invalid(wireName(e.Field), e.Reason) }),
		service.As(func(e *mongoquery.Error) *service.Problem { return refused(e) }),
		service.As(func(e *extjson.Error) *service.Problem { return service.Invalid(e.Path, e.Reason) }),
		mongoerr.Problem,
	}
}

// refused is the problem of a query that the operator check refused.
func refused(e *mongoquery.Error) *service.Problem {
	return &service.Problem{
		Status: http.StatusBadRequest, Code: string(e.Code), Detail: e.Error(),
		Errors: []service.Field{{Field: e.Path, Message: e.Reason}},
	}
}

// unwritten reports whether a failed insert certainly wrote nothing: the server
// refused it, or never saw it. Of one that broke off nobody can tell.
func unwritten(err error) bool {
	if _, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		return true
	}
	if _, ok := errors.AsType[topology.WaitQueueTimeoutError](err); ok {
		return true
	}
	// The pool had no connection to give.
	if pool := driver.RetryablePoolError(nil); errors.As(err, &pool) && pool.Retryable() {
		return true
	}
	if e, ok := errors.AsType[mongo.WriteException](err); ok {
		return e.WriteConcernError == nil
	}
	e, ok := errors.AsType[mongo.CommandError](err)
	return ok && !e.HasErrorLabel("NetworkError") && !mongo.IsTimeout(err)
}

// wireName returns what a client calls a field of the options.
func wireName(field string) string {
	switch field {
	case "MaxBytes":
		return "max_bytes"
	case "Expires":
		return "expires_in"
	}
	return strings.ToLower(field)
}
