// Package service is what a Coglex service is made of: a table of routes, the
// guards those routes ask for, the host a service lives in, and the one place
// where errors become HTTP answers.
//
// Users of Coglex meet it when they list what is mounted ([Mounted]), refuse a
// request from an interceptor ([Problem]) or write a service of their own.
//
// # Usage
//
// A service describes its routes as data and registers nothing by itself:
//
//	routes := []service.Route{{
//		Name: "ping", Method: http.MethodGet, Path: "/ping",
//		Handler: s.HandlePing, Need: service.Key, Scope: "ping:read",
//		Summary: "Answers pong.",
//	}}
//	mounted, err := service.Register(e, "/service/ping/v1", guards, routes)
//
// Each handler defers [Edge], returns its domain errors as they are, and thus
// answers rightly whether it is mounted by an App, by [Register] or alone, and
// under echo's own error handler as well as under a host's:
//
//	func (s *Service) HandlePing(c echo.Context) (err error) {
//		defer service.Edge(c, s.log, &err, s.rules...)
//		return s.Ping(c.Request().Context())
//	}
//
// # Errors
//
// On the wire an error is an RFC 9457 problem ([Problem]). An error that no
// [Rule] knows is a bare 500 with code "internal"; its text goes to the log
// only, under the request id that the client was given.
package service
