// Package middleware guards routes: a gateway's own and those of the services.
//
//	e.GET("/hello", hello, middleware.Protected(keys))        // an API key
//	e.GET("/me", me, middleware.Authenticated(users))         // a signed-in user
//	e.GET("/feed", feed, middleware.Identified(users))        // either way
//
// An App offers the same with its own key and users: app.Protected(),
// app.Authenticated(), app.Identified().
//
// # Who is calling
//
// Authenticated and Identified put the [Identity] of the caller into the
// request's context, where [FromContext] finds it at any depth; [NewContext]
// puts one there in tests. Put these middlewares on routes: echo's Group.Use
// also registers catch-all routes, which then answer 401 for paths that do not
// exist.
//
// # Keys
//
// [NewKeys] takes one API key, or several while one replaces another. Whoever
// holds a key may do everything the services offer: it belongs to servers, never
// to browsers. A [KeyVerifier] of your own may grant narrower scopes.
//
// # Where clients come from
//
// [ClientAddress] believes X-Forwarded-For only where the host configured
// echo's IPExtractor, for which [TrustProxies] makes a careful one.
package middleware
