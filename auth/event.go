package auth

import (
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/signals"
)

// SigningUp is asked before an account is made, and before its password is
// hashed. An interceptor may change Document, or veto.
type SigningUp struct {
	signals.Intent

	// Collection and Key say who is about to sign up.
	Collection, Key string
	// Document holds the fields of the account to be. Interceptors may add
	// reserved fields of their own, but not write those of this package.
	Document bson.D
	// Client is where the request comes from.
	Client Client
}

// SigningIn is asked after someone proved who they are, and before their session
// is made. A veto refuses the session.
type SigningIn struct {
	signals.Intent

	// User is who signs in.
	User *User
	// Method says how they proved it: "password".
	Method string
	// Client is where the request comes from.
	Client Client
}

// Changing is asked before a user's document is updated.
type Changing struct {
	signals.Intent

	// User is the user before the update.
	User *User
	// Update holds update operators. Interceptors may change it under the rules of
	// Update. A new password is not in it: PasswordChanged tells of that.
	Update bson.D
}

// Deleting is asked before an account is deleted.
type Deleting struct {
	signals.Intent

	// User is who is about to go.
	User *User
}

// SignedUp says that there is a new account.
type SignedUp struct {
	signals.Fact

	// User is the new user.
	User *User
	// Client is where the request came from.
	Client Client
}

// SignedIn says that a session has begun.
type SignedIn struct {
	signals.Fact

	// User is who signed in; User.Session is the new session.
	User *User
	// Method says how they proved who they are: "password".
	Method string
}

// SignInFailed says that a sign-in was refused for what it presented. Refusals by
// a limit are not told one by one.
type SignInFailed struct {
	signals.Fact

	// Collection and Key are what was presented. The key is any text of the
	// client's, cut to 320 bytes of what prints.
	Collection, Key string
	// Err is ErrInvalidCredentials or ErrBanned. The client of the former is not
	// told more, and neither are subscribers.
	Err error
	// Client is where the request came from.
	Client Client
}

// SignedOut says that a session was ended by its user.
type SignedOut struct {
	signals.Fact

	// Collection, UserID and SessionID name the session that is over.
	Collection, UserID, SessionID string
}

// RefreshTokenReused says that a refresh token came again after its successor
// was used: one of the two was stolen. The session is over.
type RefreshTokenReused struct {
	signals.Fact

	// Collection, UserID and SessionID name the session that is over.
	Collection, UserID, SessionID string
	// Client is where the token came from the second time.
	Client Client
}

// Changed says that a user's document, key or ban was changed.
type Changed struct {
	signals.Fact

	// User is the user after the update.
	User *User
}

// PasswordChanged says that a user has a new password, and that sessions made
// with the old one are over.
type PasswordChanged struct {
	signals.Fact

	// User is the user after the change.
	User *User
}

// Deleted says that an account is gone, with its sessions.
type Deleted struct {
	signals.Fact

	// User is the user as they were.
	User *User
}
