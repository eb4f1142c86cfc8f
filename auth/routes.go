package auth

import (
	"net/http"
	"slices"

	"github.com/imadelakhaldev/coglex/service"
)

// The scopes of API keys.
const (
	// ScopeRead lets a key read users.
	ScopeRead = "auth:read"
	// ScopeWrite lets a key sign people up and in, and change users.
	ScopeWrite = "auth:write"
)

// Routes returns the route table.
func (s *Service) Routes() []service.Route {
	return slices.Concat(s.accountRoutes(), s.sessionRoutes(), s.userRoutes())
}

// accountRoutes are how people come and go.
func (s *Service) accountRoutes() []service.Route {
	return []service.Route{{
		Name: "signup", Method: http.MethodPost, Path: "/signup", Scope: ScopeWrite,
		Summary: "Makes an account.", Doc: docSignup(),
		Handler: s.HandleSignup, Request: signupRequest{}, Response: signupAnswer{},
	}, {
		Name: "signup-collection", Method: http.MethodPost, Path: "/signup/:collection", Scope: ScopeWrite,
		Summary: "Makes an account in a collection.", Doc: docSignup(),
		Handler: s.HandleSignup, Request: signupRequest{}, Response: signupAnswer{},
	}, {
		Name: "signin", Method: http.MethodPost, Path: "/signin", Scope: ScopeWrite,
		Summary: "Begins a session.", Doc: docSignin(),
		Handler: s.HandleSignin, Request: signinRequest{}, Response: grantAnswer{},
	}, {
		Name: "signin-collection", Method: http.MethodPost, Path: "/signin/:collection", Scope: ScopeWrite,
		Summary: "Begins a session of a user in a collection.", Doc: docSignin(),
		Handler: s.HandleSignin, Request: signinRequest{}, Response: grantAnswer{},
	}, {
		Name: "refresh", Method: http.MethodPost, Path: "/refresh", Scope: ScopeWrite,
		Summary: "Continues a session with new tokens.", Doc: docRefresh(),
		Handler: s.HandleRefresh, Request: refreshRequest{}, Response: grantAnswer{},
	}, {
		Name: "signout", Method: http.MethodPost, Path: "/signout", Scope: ScopeWrite,
		Summary: "Ends a session.", Doc: docSignout(),
		Handler: s.HandleSignout, Request: refreshRequest{}, Response: signoutAnswer{},
	}, {
		Name: "signout-collection", Method: http.MethodPost, Path: "/signout/:collection", Scope: ScopeWrite,
		Summary: "Ends a session of a user in a collection.", Doc: docSignout(),
		Handler: s.HandleSignout, Request: refreshRequest{}, Response: signoutAnswer{},
	}, {
		Name: "signout-get", Method: http.MethodGet, Path: "/signout", Scope: ScopeWrite,
		Summary: "Ends a session, by a link.", Doc: docSignout(),
		Handler: s.HandleSignout, Response: signoutAnswer{},
	}, {
		Name: "signout-get-collection", Method: http.MethodGet, Path: "/signout/:collection", Scope: ScopeWrite,
		Summary: "Ends a session of a user in a collection, by a link.", Doc: docSignout(),
		Handler: s.HandleSignout, Response: signoutAnswer{},
	}}
}

// sessionRoutes are what signed-in users may do.
func (s *Service) sessionRoutes() []service.Route {
	return []service.Route{{
		Name: "session", Method: http.MethodGet, Path: "/session", Scope: ScopeRead, Need: service.KeyUser,
		Summary: "Tells who is signed in.", Doc: docSession(),
		Handler: s.HandleSession, Response: sessionAnswer{},
	}, {
		Name: "session-collection", Method: http.MethodGet, Path: "/session/:collection", Scope: ScopeRead,
		Summary: "Tells who of a collection is signed in.", Doc: docSession(),
		Handler: s.HandleSession, Response: sessionAnswer{},
	}, {
		Name: "sessions", Method: http.MethodGet, Path: "/sessions", Scope: ScopeRead, Need: service.KeyUser,
		Summary: "Lists the sessions of the signed-in user.", Doc: docSession(),
		Handler: s.HandleSessions, Response: []Session{},
	}, {
		Name: "end-session", Method: http.MethodDelete, Path: "/sessions/:id", Scope: ScopeWrite, Need: service.KeyUser,
		Summary: "Ends a session of the signed-in user.", Doc: docEndSession(),
		Handler: s.HandleEndSession,
	}, {
		Name: "end-sessions", Method: http.MethodDelete, Path: "/sessions", Scope: ScopeWrite, Need: service.KeyUser,
		Summary: "Ends all other sessions of the signed-in user.", Doc: docEndSessions(),
		Handler: s.HandleEndSessions,
	}, {
		Name: "password", Method: http.MethodPost, Path: "/password", Scope: ScopeWrite, Need: service.KeyUser,
		Summary: "Changes the password of the signed-in user.", Doc: docPassword(),
		Handler: s.HandlePassword, Request: passwordRequest{},
	}}
}

// userRoutes are what the holder of an API key may do to any user.
func (s *Service) userRoutes() []service.Route {
	return []service.Route{{
		Name: "user", Method: http.MethodGet, Path: "/users/:key", Scope: ScopeRead,
		Summary: "Returns a user.", Doc: docUser(), Handler: s.HandleUser, Response: &User{},
	}, {
		Name: "user-short", Method: http.MethodGet, Path: "/:key", Scope: ScopeRead,
		Summary: "Returns a user.", Doc: docUser(), Handler: s.HandleUser, Response: &User{},
	}, {
		Name: "update-user", Method: http.MethodPatch, Path: "/users/:key", Scope: ScopeWrite,
		Summary: "Changes a user.", Doc: docUpdateUser(),
		Handler: s.HandleUpdateUser, Request: updateRequest{}, Response: updateAnswer{},
	}, {
		Name: "update-user-short", Method: http.MethodPatch, Path: "/:key", Scope: ScopeWrite,
		Summary: "Changes a user.", Doc: docUpdateUser(),
		Handler: s.HandleUpdateUser, Request: updateRequest{}, Response: updateAnswer{},
	}, {
		Name: "delete-user", Method: http.MethodDelete, Path: "/users/:key", Scope: ScopeWrite,
		Summary: "Deletes a user.", Doc: docDeleteUser(),
		Handler: s.HandleDeleteUser, Request: deleteRequest{}, Response: deleteAnswer{},
	}, {
		Name: "delete-user-short", Method: http.MethodDelete, Path: "/:key", Scope: ScopeWrite,
		Summary: "Deletes a user.", Doc: docDeleteUser(),
		Handler: s.HandleDeleteUser, Request: deleteRequest{}, Response: deleteAnswer{},
	}}
}
