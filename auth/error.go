package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/internal/mongoquery"
	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
)

// What the Go methods return, beside errors of the database and vetoes of
// interceptors. Compare with errors.Is; over HTTP each has the code in brackets.
var (
	// ErrInvalidCredentials is every sign-in that failed, for whatever reason, and
	// a wrong current password (401 invalid_credentials).
	ErrInvalidCredentials = errors.New("auth: invalid credentials")
	// ErrBanned is a right password of an account that is closed (403 account_banned).
	ErrBanned = errors.New("auth: the account is banned")
	// ErrKeyExists is a key that another account has (409 key_exists).
	ErrKeyExists = errors.New("auth: there is an account with this key")
	// ErrKeyReserved is a key that is part of a route (422 key_reserved).
	ErrKeyReserved = errors.New("auth: the key is a word of the routes")
	// ErrUserUnknown is a key that no account has, or none that matches the query
	// (404 user_unknown).
	ErrUserUnknown = errors.New("auth: there is no such user")
	// ErrSessionUnknown is a session that the user does not have (404 session_unknown).
	ErrSessionUnknown = errors.New("auth: there is no such session")
	// ErrUnknownCollection is a collection that holds no users (404 collection_unknown).
	ErrUnknownCollection = errors.New("auth: the collection holds no users")
	// ErrTokenInvalid is a token that is not ours or not for this (401 token_invalid).
	ErrTokenInvalid = errors.New("auth: invalid token")
	// ErrTokenExpired is an access token that is too old (401 token_expired).
	ErrTokenExpired = errors.New("auth: the token has expired")
	// ErrSessionExpired is a token of a session that is over (401 session_expired).
	ErrSessionExpired = errors.New("auth: the session is over")
	// ErrRefreshTokenReused is a refresh token that was spent before; its session
	// is over (401 refresh_token_reused).
	ErrRefreshTokenReused = errors.New("auth: the refresh token was used before")
	// ErrCrossOrigin is a request by cookie that another site made (403 cross_origin).
	ErrCrossOrigin = errors.New("auth: the request comes from another origin")
	// ErrBusy is a password that no place to hash became free for (503 busy).
	ErrBusy = password.ErrBusy
	// ErrNotStarted is a call before Start (503 not_started).
	ErrNotStarted = errors.New("auth: the service has not started: call App.Run, or App.Start, before serving")
)

// WeakPasswordError refuses a new password and lists why (422 weak_password). It
// never holds the password.
type WeakPasswordError = password.WeakError

// KeyError refuses a new key (400 invalid). It never holds the key.
type KeyError struct {
	// Reason is a predicate for the key, such as "must have 1 to 320 bytes".
	Reason string
}

// Error says what is wrong with the key.
func (e *KeyError) Error() string { return "auth: the key " + e.Reason }

// FieldError refuses a field that a document or an update names.
type FieldError struct {
	// Field is the path of the field.
	Field string
	// Settable is set where the field is refused only because Options.Settable
	// does not list it (422 field_not_allowed, else 400 invalid).
	Settable bool
	// Reason is a predicate for the field.
	Reason string
}

// Error names the field and says what is wrong with it.
func (e *FieldError) Error() string { return "auth: " + e.Field + " " + e.Reason }

// problems returns what errors mean over HTTP. Of each error the first rule that
// knows it decides.
func problems() []service.Rule {
	return []service.Rule{
		unauthorized(ErrInvalidCredentials, "invalid_credentials", "The key or the password is wrong."),
		unauthorized(ErrTokenInvalid, "token_invalid", "The token is not valid here."),
		unauthorized(ErrTokenExpired, "token_expired", "The token has expired."),
		unauthorized(ErrSessionExpired, "session_expired", "The session is over. Sign in again."),
		unauthorized(ErrRefreshTokenReused, "refresh_token_reused", "The refresh token was used before, so the session was ended. Sign in again."),
		service.Is(ErrBanned, http.StatusForbidden, "account_banned", "This account is closed."),
		service.Is(ErrCrossOrigin, http.StatusForbidden, "cross_origin", "By cookie, this works from the gateway's own pages only."),
		service.Is(ErrUserUnknown, http.StatusNotFound, "user_unknown", "There is no such user."),
		service.Is(ErrSessionUnknown, http.StatusNotFound, "session_unknown", "You have no such session."),
		service.Is(ErrUnknownCollection, http.StatusNotFound, "collection_unknown", "This collection holds no users."),
		service.Is(ErrKeyExists, http.StatusConflict, "key_exists", "There is an account with this key already."),
		service.Is(ErrKeyReserved, http.StatusUnprocessableEntity, "key_reserved", "This key is a word that the routes need."),
		service.As(func(e *KeyError) *service.Problem { return service.Invalid(fieldKey, e.Reason) }),
		service.As((*FieldError).problem),
		service.As(weakPassword),
		service.As(queryProblem),
		service.As(tooMany),
		unavailable(ErrBusy, "busy", "Too many passwords are being checked. Try again soon."),
		unavailable(ErrNotStarted, "not_started", "The service is starting. Try again soon."),
		mongoerr.Problem,
	}
}

// problem returns err as the problem that a rule knows it by, or as it is.
func (s *Service) problem(err error) error {
	for _, rule := range s.rules {
		if p := rule(err); p != nil {
			return p
		}
	}
	return err
}

func unauthorized(target error, code, detail string) service.Rule {
	return func(err error) *service.Problem {
		if !errors.Is(err, target) {
			return nil
		}
		p := &service.Problem{Status: http.StatusUnauthorized, Code: code, Detail: detail, Err: err}
		if code != "invalid_credentials" {
			p.Challenge = `Bearer error="invalid_token"` // RFC 6750, section 3.1
		}
		return p
	}
}

// unavailable is the rule for what passes within a second.
func unavailable(target error, code, detail string) service.Rule {
	return func(err error) *service.Problem {
		if !errors.Is(err, target) {
			return nil
		}
		return &service.Problem{Status: http.StatusServiceUnavailable, Code: code, Detail: detail, RetryAfter: time.Second, Err: err}
	}
}

func (e *FieldError) problem() *service.Problem {
	if !e.Settable {
		return service.Invalid(e.Field, e.Reason)
	}
	return &service.Problem{
		Status: http.StatusUnprocessableEntity, Code: "field_not_allowed", Detail: "This field may not be set: " + e.Field + ".",
		Errors: []service.Field{{Field: e.Field, Message: e.Reason}},
	}
}

func weakPassword(e *WeakPasswordError) *service.Problem {
	p := &service.Problem{
		Status: http.StatusUnprocessableEntity, Code: "weak_password",
		Detail: "A password needs 8 to 72 bytes of UTF-8 without NUL.", Err: e,
	}
	for _, reason := range e.Reasons {
		p.Errors = append(p.Errors, service.Field{Field: fieldPassword, Message: string(reason)})
	}
	return p
}

func queryProblem(e *mongoquery.Error) *service.Problem {
	return &service.Problem{
		Status: http.StatusBadRequest, Code: string(e.Code), Detail: e.Error(), Err: e,
		Errors: []service.Field{{Field: e.Path, Message: e.Reason}},
	}
}

func tooMany(e *middleware.LimitError) *service.Problem {
	return &service.Problem{
		Status: http.StatusTooManyRequests, Code: "too_many_requests",
		Detail: "Too many attempts. Wait before the next one.", RetryAfter: e.RetryAfter, Err: e,
	}
}

// intercepted says that the gateway's own interceptor made something wrong. It
// hides what that is from the rules: the client is not to blame.
func intercepted(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("auth: after the interceptors: %v", err) //nolint:errorlint // see above
}

// isCancelled reports whether the caller, rather than the database, gave up.
func isCancelled(ctx context.Context) bool { return ctx.Err() != nil }
