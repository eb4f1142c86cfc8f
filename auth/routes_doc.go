package auth

import "github.com/imadelakhaldev/coglex/service"

func docSignup() *service.Doc {
	return &service.Doc{
		Description: "Makes an account with a key, unique in its collection, and answers with its `_id`. Keys with an `@` that differ in case only are the same. " +
			"Without `_password`, nobody can sign in by password until one is set. `document` holds further fields, none of which may be reserved.",
		Codes: map[string]string{
			"key_exists":         "409: another account has the key.",
			"key_reserved":       "422: the key is a word that the routes need.",
			"weak_password":      "422: the password has fewer than 8 or more than 72 bytes, or a NUL.",
			"field_not_allowed":  "422: the host does not let a person set this field, or lists none and the request has no API key.",
			"collection_unknown": "404: the collection holds no users.",
			"too_many_requests":  "429: too many attempts from this address.",
			"busy":               "503: too many passwords are being hashed.",
			"not_started":        "503: the service is starting.",
		},
	}
}

func docSignin() *service.Doc {
	return &service.Doc{
		Description: "Begins a session and answers with an access token, a refresh token, the user, and a session cookie. " +
			"`query` is a filter that the user must match, too. Whatever is wrong, the answer is the same and takes the same time.",
		Codes: map[string]string{ //nolint:gosec // names of codes, no credentials
			"invalid_credentials": "401: unknown key, wrong password, no password, or `query` does not match.",
			"account_banned":      "403: the password is right, but the account is closed.",
			"collection_unknown":  "404: the collection holds no users.",
			"too_many_requests":   "429: too many failures, or attempts from this address.",
			"busy":                "503: too many passwords are being checked.",
			"not_started":         "503: the service is starting.",
		},
	}
}

func docRefresh() *service.Doc {
	return &service.Doc{
		Description: "Spends a refresh token and answers as a sign-in does, for the same session. Requests that bring one token at the same time all get the same successor, " +
			"and so does one that repeats it within 30 seconds, while the successor is unspent.",
		Codes: map[string]string{ //nolint:gosec // names of codes, no credentials
			"token_invalid":        "401: not a refresh token of this gateway.",
			"session_expired":      "401: the session is over.",
			"refresh_token_reused": "401: the token was spent before; the session is over now.",
		},
	}
}

func docSignout() *service.Doc {
	return &service.Doc{
		Description: "Ends the session of the access token, even if it has expired, of the refresh token in the body, or of all cookies (the path may name one collection), and clears them. Repeating it is fine.",
		Codes: map[string]string{
			"token_invalid":      "401: the token is not one of this gateway, or of another collection.",
			"cross_origin":       "403: by cookie, from another site.",
			"collection_unknown": "404: the collection holds no users.",
		},
	}
}

func docSession() *service.Doc {
	return &service.Doc{
		Description: "Needs a signed-in user, by bearer token or cookie.",
		Codes:       userCodes(nil),
	}
}

func docEndSession() *service.Doc {
	return &service.Doc{
		Description: "Ends one session of the signed-in user, at once.",
		Codes:       userCodes(map[string]string{"session_unknown": "404: the user has no such session."}),
	}
}

func docEndSessions() *service.Doc {
	return &service.Doc{
		Description: "Ends all sessions of the signed-in user but the one of this request.",
		Query:       map[string]string{"scope": "`others`; required."},
		Codes:       userCodes(nil),
	}
}

func docPassword() *service.Doc {
	return &service.Doc{
		Description: "Replaces the password and ends every other session of the signed-in user. A wrong `current` counts as a failed sign-in.",
		Codes: userCodes(map[string]string{ //nolint:gosec // names of codes, no credentials
			"invalid_credentials": "401: `current` is wrong.",
			"weak_password":       "422: `new` has fewer than 8 or more than 72 bytes, or a NUL.",
			"too_many_requests":   "429: too many failures.",
			"busy":                "503: too many passwords are being checked.",
		}),
	}
}

func docUser() *service.Doc {
	return &service.Doc{
		Description: "Finds a user by key, in any form that is the same. A key is encoded once in the path: `a%2Fb` is `a/b`.",
		Query:       userQuery(),
		Codes:       managedCodes(nil),
	}
}

func docDeleteUser() *service.Doc {
	return &service.Doc{
		Description: "Deletes a user by key, and with them their sessions. `query` is in the body or in the URL, not in both.",
		Query:       userQuery(),
		Codes:       managedCodes(nil),
	}
}

func docUpdateUser() *service.Doc {
	return &service.Doc{
		Description: "`document` holds update operators (`$set`, `$unset`, `$inc`, `$mul`, `$min`, `$max`, `$push`, `$addToSet`, `$pull`, `$currentDate`) or fields to set. " +
			"Of reserved fields only `_key` and `_password` may be set, as at sign-up; a new password ends the user's sessions.",
		Query: userQuery(),
		Codes: managedCodes(map[string]string{ //nolint:gosec // names of codes, no credentials
			"operator_not_allowed": "400: an operator that is not on the list, with its path.",
			"field_reserved":       "400: a reserved field, with its path.",
			"key_exists":           "409: another account has the new key.",
			"key_reserved":         "422: the new key is a word that the routes need.",
			"weak_password":        "422: the new password has fewer than 8 or more than 72 bytes, or a NUL.",
			"field_not_allowed":    "422: the host does not let this field be set.",
			"busy":                 "503: too many passwords are being hashed.",
		}),
	}
}

// userQuery are the parameters of every route about a user by key.
func userQuery() map[string]string {
	return map[string]string{
		"collection": "The collection of the user; the default one otherwise.",
		"query":      "A filter, in Extended JSON, that the user must match, too.",
	}
}

// userCodes are those of every route that needs a signed-in user.
func userCodes(more map[string]string) map[string]string {
	return with(more, map[string]string{
		"unauthenticated": "401: nobody is signed in.",
		"token_invalid":   "401: the token is not valid here.",
		"token_expired":   "401: the access token has expired.",
		"session_expired": "401: the session is over.",
		"cross_origin":    "403: by cookie, from another site.",
	})
}

// managedCodes are those of every route about a user by key.
func managedCodes(more map[string]string) map[string]string {
	return with(more, map[string]string{
		"user_unknown":       "404: no user has the key, or the user does not match `query`.",
		"collection_unknown": "404: the collection holds no users.",
		"not_started":        "503: the service is starting.",
	})
}

func with(more, codes map[string]string) map[string]string {
	for code, when := range more {
		codes[code] = when
	}
	return codes
}
