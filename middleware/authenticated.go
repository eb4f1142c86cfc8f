package middleware

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/nilness"
	"github.com/imadelakhaldev/coglex/service"
)

// Credential is what a request presents to say who it comes from.
type Credential struct {
	// Token is the bearer token or the value of the cookie.
	Token string
	// Cookie says that it came by cookie, which browsers send by themselves.
	Cookie bool
}

// Authenticator tells who a credential belongs to. *auth.Service is one. It must
// be safe for concurrent use.
type Authenticator interface {
	// Authenticate returns the signed-in user, or a *service.Problem with
	// status 401 that says why there is none; any other error means that it
	// could not tell, and is never taken for an anonymous caller.
	Authenticate(ctx context.Context, cred Credential) (Identity, error)
	// Cookies returns the names of the cookies that carry sessions of these
	// collections, in order of preference; of all collections when none is given.
	Cookies(collections ...string) []string
	// CheckOrigin returns an error, best a *service.Problem with status 403, for
	// a request that another site made a browser send. It is asked for requests
	// that are known by cookie only.
	CheckOrigin(r *http.Request) error
}

// Authenticated admits requests of signed-in users of the given collections, or
// of any when none is given, and puts their [Identity] into the request's
// context.
//
// The Authorization header (Bearer, RFC 6750) goes before the cookie: a bad
// header is refused even beside a good cookie. Of several cookies the first good
// one counts. Without either the answer is 401
// "unauthenticated"; a bad, expired or ended one is 401; a user of another
// collection is 401 "token_invalid"; a cookie on an unsafe method from another
// origin is 403 "cross_origin". It fails closed: where the Authenticator cannot tell,
// nobody passes, and the cause is logged by its method Logger() *slog.Logger where
// it has one, else by slog.Default. A nil Authenticator admits nobody.
func Authenticated(a Authenticator, collections ...string) echo.MiddlewareFunc {
	return identify(a, collections, true)
}

// Identified is [Authenticated] that lets requests without any credential pass,
// without an identity. A bad credential is refused all the same, and with a nil
// a every bearer token is bad.
func Identified(a Authenticator, collections ...string) echo.MiddlewareFunc {
	return identify(a, collections, false)
}

func identify(a Authenticator, collections []string, required bool) echo.MiddlewareFunc {
	collections = slices.Clone(collections)
	if nilness.Is(a) {
		a = nobody{}
	}
	// Asked for at the first request: the names may depend on what a learns when
	// it is mounted, which can be after this.
	cookies := sync.OnceValue(func() []string { return a.Cookies(collections...) })
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			id, err := identityOf(c.Request(), a, cookies(), collections)
			if err == nil && id == nil && required {
				err = Unauthenticated()
			}
			if err != nil {
				return service.Fail(c, loggerOf(a), err)
			}
			if id != nil {
				r := c.Request()
				c.SetRequest(r.WithContext(NewContext(r.Context(), id)))
			}
			return next(c)
		}
	}
}

// identityOf returns the caller, nil where the request presents nothing. Of
// several cookies the first good one counts: one that went bad must not shut out
// the session of another collection.
func identityOf(r *http.Request, a Authenticator, cookies, collections []string) (Identity, error) {
	creds, err := CredentialsOf(r, cookies)
	if err != nil || len(creds) == 0 {
		return nil, err
	}
	if creds[0].Cookie && !safe(r.Method) {
		if err := a.CheckOrigin(r); err != nil {
			return nil, err
		}
	}
	var refusal error
	for _, cred := range creds {
		id, err := authenticate(r.Context(), a, cred, collections)
		if err == nil {
			return id, nil
		}
		if p, ok := errors.AsType[*service.Problem](err); !ok || p.Status != http.StatusUnauthorized {
			return nil, err
		}
		if refusal == nil {
			refusal = err
		}
	}
	return nil, refusal
}

// authenticate returns who a credential belongs to.
func authenticate(ctx context.Context, a Authenticator, cred Credential, collections []string) (Identity, error) {
	id, err := a.Authenticate(ctx, cred)
	if err != nil {
		return nil, err
	}
	if nilness.Is(id) {
		return nil, tokenInvalid("This token is nobody's.")
	}
	if len(collections) > 0 && !slices.Contains(collections, id.Collection()) {
		return nil, tokenInvalid("This token is not for users of this collection.")
	}
	return id, nil
}

// nobody is the Authenticator that knows no user.
type nobody struct{}

func (nobody) Authenticate(context.Context, Credential) (Identity, error) { return nil, nil }
func (nobody) Cookies(...string) []string                                 { return nil }
func (nobody) CheckOrigin(*http.Request) error                            { return nil }

// CredentialsOf returns what the request presents: its bearer token, else the
// named cookies that it has, in the order of the names. A malformed or repeated
// Authorization header is a *service.Problem with status 401, whatever cookies
// are beside it.
func CredentialsOf(r *http.Request, cookies []string) ([]Credential, error) {
	if values, ok := r.Header["Authorization"]; ok {
		if len(values) != 1 {
			return nil, tokenInvalid("There is more than one Authorization header.")
		}
		scheme, token, _ := strings.Cut(values[0], " ")
		token = strings.TrimLeft(token, " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return nil, tokenInvalid("The Authorization header is not a bearer token.")
		}
		return []Credential{{Token: token}}, nil
	}
	if len(r.Header["Cookie"]) == 0 {
		return nil, nil
	}
	var creds []Credential
	for _, name := range cookies {
		for _, cookie := range r.CookiesNamed(name) {
			if cookie.Value != "" && len(creds) < maxCookies {
				creds = append(creds, Credential{Token: cookie.Value, Cookie: true})
			}
		}
	}
	return creds, nil
}

// maxCookies bounds how many cookies of one request are looked at.
const maxCookies = 8

// Unauthenticated returns the 401 of a request that presents nothing.
func Unauthenticated() *service.Problem {
	return &service.Problem{
		Status: http.StatusUnauthorized, Code: "unauthenticated",
		Detail: "Sign in first: this route needs a bearer token or a session cookie.",
	}
}

// tokenInvalid returns the 401 of RFC 6750, section 3.1.
func tokenInvalid(detail string) *service.Problem {
	return &service.Problem{
		Status: http.StatusUnauthorized, Code: "token_invalid", Detail: detail,
		Challenge: `Bearer error="invalid_token"`,
	}
}

// safe reports whether a method promises to change nothing (RFC 9110, section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
