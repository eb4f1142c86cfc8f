// Package coglex assembles a gateway: a backend of your own, on your own echo
// app and your own MongoDB, from the services you want.
//
//	db := client.Database("coglex")
//	users, err := auth.New(db, secret, nil)
//	docs, err := storage.New(db, nil)
//	files, err := archive.New(db, archive.Disk("uploads"), nil)
//	pay, err := payment.New(db, stripeKey, webhookSecret, nil)
//
//	app, err := coglex.New(apiKey, &coglex.Options{Users: users})
//	err = app.Mount(e, users, docs, files, pay)
//
//	e.GET("/me", me, users.Authenticated())
//	e.GET("/hello", hello, app.Protected())
//
//	err = app.Run(ctx, e, ":5000")
//
// # What there is
//
// An [App] carries services. [App.Mount] registers a service's routes under
// /service/<name>/v1, guarded by the App's API key and users; [App.MountWith]
// does so elsewhere, or with some of the routes; [App.Add] only carries a
// service whose handlers you place by hand. The App knows no service by itself:
// a program links those that it imports, and no more.
//
// [App.Run] starts the services, serves, drains and stops. A host that has a
// server of its own calls [App.Start] and [App.Stop] and may wrap its handler in
// [App.Handler].
//
// # What happens
//
// Services publish what happens in them on [App.Signals]: see package signals
// for the contract, and each service for its events.
//
// # Errors
//
// Handlers answer with RFC 9457 problems under echo's own error handler. See
// package service.
package coglex
