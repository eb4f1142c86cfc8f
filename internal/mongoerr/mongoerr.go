// Package mongoerr tells what a driver error means to a client. Its text never
// reaches one: it may hold values, hosts and index contents.
package mongoerr

import (
	"errors"
	"net/http"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
	"go.mongodb.org/mongo-driver/x/mongo/driver/topology"

	"github.com/imadelakhaldev/coglex/service"
)

// retryAfter is when a client should come back to a database that was away.
const retryAfter = 2 * time.Second

// Problem is a [service.Rule] for errors of the database. It knows duplicate
// keys (409), refused values (400), documents that are too large (413) or fail
// the collection's validation (422), operations that need too much memory (422),
// lacking features (501), a database that is away or busy (503) and time that
// ran out (504).
func Problem(err error) *service.Problem {
	switch {
	case mongo.IsDuplicateKeyError(err):
		return &service.Problem{Status: http.StatusConflict, Code: "duplicate_key", Detail: "A document with this key exists already.", Err: err}
	case IsUnavailable(err):
		return Unavailable(err)
	case mongo.IsTimeout(err) || is(err, timedOut):
		return &service.Problem{Status: http.StatusGatewayTimeout, Code: "timeout", Detail: "The database did not answer in time.", Err: err}
	case IsUnsupported(err):
		return &service.Problem{Status: http.StatusNotImplemented, Code: "unsupported", Detail: "The database behind this gateway lacks this feature.", Err: err}
	case is(err, tooLarge):
		return &service.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "A document may have 16 MiB at most.", Err: err}
	case is(err, invalid):
		return &service.Problem{Status: http.StatusUnprocessableEntity, Code: "validation_failed", Detail: "The document does not pass the collection's validation.", Err: err}
	case is(err, tooExpensive):
		return &service.Problem{Status: http.StatusUnprocessableEntity, Code: "too_expensive", Detail: "This takes more memory than the database gives to one operation.", Err: err}
	case is(err, refused):
		return &service.Problem{Status: http.StatusBadRequest, Code: "invalid", Detail: "The database refuses this operation as it is.", Err: err}
	}
	return nil
}

// Unavailable returns the 503 of a database that is away.
func Unavailable(err error) *service.Problem {
	return &service.Problem{
		Status: http.StatusServiceUnavailable, Code: "database_unavailable",
		Detail: "The database is away. Try again soon.", RetryAfter: retryAfter, Err: err,
	}
}

// IsUnavailable reports whether the database could not be reached, or had no
// connection free in time.
func IsUnavailable(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		return true
	}
	// No connection came free in time: the database, or this pool of it, is busy.
	if _, ok := errors.AsType[topology.WaitQueueTimeoutError](err); ok {
		return true
	}
	if pool := driver.RetryablePoolError(nil); errors.As(err, &pool) && pool.Retryable() {
		return true
	}
	if _, ok := errors.AsType[topology.ConnectionError](err); ok && !mongo.IsTimeout(err) {
		return true
	}
	return errors.Is(err, mongo.ErrClientDisconnected) || errors.Is(err, topology.ErrServerClosed) ||
		mongo.IsNetworkError(err) && !mongo.IsTimeout(err) || is(err, busy)
}

// IsUnsupported reports whether the database lacks the feature that was asked for.
func IsUnsupported(err error) bool { return is(err, unsupported) }
