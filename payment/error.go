package payment

import (
	"errors"
	"net/http"

	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/service"
)

var (
	// ErrNotStarted is returned by [Service.Ready] before Start and after Stop.
	ErrNotStarted = errors.New("payment: not started")

	// ErrSignature is returned for a webhook that none of the secrets has signed.
	ErrSignature = errors.New("payment: the signature is missing, malformed or wrong")

	// ErrTolerance is returned for a webhook whose genuine signature is too old, or
	// from the future.
	ErrTolerance = errors.New("payment: the signature is too old or from the future")

	// ErrNotFound is returned where there is no such event.
	ErrNotFound = errors.New("payment: there is no such event")

	// ErrAPIVersion is returned by [Object] for an object that was written in
	// another version of Stripe's API than the SDK reads.
	ErrAPIVersion = errors.New("payment: the object is of another version of the API")
)

// problems is the one place where errors become answers.
func problems() []service.Rule {
	return append([]service.Rule{
		service.As(func(e *errFilter) *service.Problem { return service.Invalid(e.field, e.message) }),
		service.Is(ErrSignature, http.StatusBadRequest, "signature_invalid", "The signature is missing, malformed or wrong."),
		service.Is(ErrTolerance, http.StatusBadRequest, "signature_expired", "The signature is too old or from the future."),
		service.Is(ErrNotFound, http.StatusNotFound, "not_found", "There is no such event."),
	}, append(stripeProblems(), mongoerr.Problem)...)
}
