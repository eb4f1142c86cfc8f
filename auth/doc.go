// Package auth signs people up and in, and knows them again: accounts in a
// MongoDB collection, passwords hashed by bcrypt, sessions that end at once when
// they are ended, access and refresh tokens for servers and apps, and cookies for
// browsers.
//
// # Usage
//
//	users, err := auth.New(client.Database("coglex"), secret, nil)
//	app, err := coglex.New(apiKey, &coglex.Options{Users: users})
//	err = app.Mount(e, users)                            // for servers, behind the API key
//
//	e.POST("/signin", users.HandleSignin)                // for browsers, without it
//	e.GET("/me", me, users.Authenticated())              // auth.FromContext finds the user
//
// Each route is a handler of its own, and each handler calls one Go method, such
// as [Service.SignUp], that a gateway may call as well. Handlers about the
// signed-in user find out who that is even where nothing guards them. The
// handlers of users by key ([Service.HandleUser], [Service.HandleUpdateUser],
// [Service.HandleDeleteUser]) are for the holder of an API key: never mount them
// without a guard.
//
// # Routes
//
// Under /service/auth/v1, by name, for MountOptions. Those with a collection are
// the same for users of that one, and "-short" is /:key for /users/:key:
//
//	signup  signup-collection      POST   /signup[/:collection]    {_key, _password?, document?}
//	signin  signin-collection      POST   /signin[/:collection]    {_key, _password, query?}
//	refresh                        POST   /refresh                 {refresh_token}
//	session  session-collection    GET    /session[/:collection]
//	sessions                       GET    /sessions
//	end-session                    DELETE /sessions/:id
//	end-sessions                   DELETE /sessions?scope=others
//	signout  signout-collection    POST   /signout[/:collection]   {refresh_token}?
//	signout-get  …-collection      GET    /signout[/:collection]
//	password                       POST   /password                {current, new}
//	user  user-short               GET    /users/:key              ?query=
//	update-user  …-short           PATCH  /users/:key              {document, query?}
//	delete-user  …-short           DELETE /users/:key              {query}? or ?query=
//
// Handlers read the path parameters by these names. [Service.HandleSignup] at a
// path with :collection lets anybody who reaches it into any of
// Options.Collections: keep it behind a key, or place it for one collection only.
//
// # Users
//
// A user is a document with _id, _key and, if they have one, _password; _inserted
// and _patched are times. _identity is the normalised key, by which accounts are
// unique: trimmed, and in lower case where the key has an "@". _sessions and
// _banned are this package's, too. All other reserved fields are the gateway's
// own, to be set by [Service.Update] or by an interceptor of [SigningUp]; clients
// neither see nor set them. Users that other programs stored are fine, whatever
// the type of their _id; [Service.Start] gives them their _identity.
//
// # Sessions and tokens
//
// A sign-in makes a session, in the user's own document, by one update on the
// condition that the password is still the one that was verified. An access token
// is a JSON Web Token with the claims iss, sub, sid, col, typ, jti, iat and exp,
// and proves nothing by itself: each request reads the user. A refresh token is
// good for one use: see [Service.Refresh]. The cookie is a token of its own kind,
// as good as the session, HttpOnly and SameSite=Lax; by cookie, unsafe methods
// and sign-out work from the gateway's own origin and Options.TrustedOrigins only.
//
// # Limits
//
// Attempts are counted in the database before a password is looked at: by client
// address, by account and address, and by account. Gateways whose clients come
// through a proxy set echo's IPExtractor ([middleware.TrustProxies]); otherwise
// the proxy is the only client there is. A gateway that signs people in on behalf
// of its clients, from a few addresses, raises Options.AddressLimit and
// Options.AddressAtOnce.
//
// Under a crowd the answer comes soon, whatever it is: passwords are hashed a few
// at a time, a bounded number waits, for Options.HashWait at most, and no address
// has more than a few of these places.
//
// # Events
//
// Asked before: [SigningUp], [SigningIn], [Changing], [Deleting]. Told after:
// [SignedUp], [SignedIn], [SignInFailed], [SignedOut], [RefreshTokenReused],
// [Changed], [PasswordChanged], [Deleted]. None ever holds a password or a token.
//
// # Errors
//
// Over HTTP errors are problems (RFC 9457) with these codes, beside those of the
// database (database_unavailable, timeout), of requests (invalid, too_large,
// unsupported_media_type) and of filters and updates (operator_not_allowed,
// field_reserved, too_complex, invalid_query):
//
//	401  invalid_credentials, unauthenticated, token_invalid, token_expired,
//	     session_expired, refresh_token_reused
//	403  account_banned, cross_origin
//	404  user_unknown, session_unknown, collection_unknown
//	409  key_exists
//	422  weak_password, key_reserved, field_not_allowed
//	429  too_many_requests
//	503  busy, not_started
//
// The Go methods return the errors below; errors.Is and errors.As tell them apart.
//
// # Testing
//
// Put a user into a context by middleware.NewContext(ctx, &auth.User{ID: "1"}) to
// test a handler that asks [FromContext].
package auth
