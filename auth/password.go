package auth

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/signals"
)

// PasswordChange is what a person changes their password with.
type PasswordChange struct {
	// Current is the password until now, and New the one from now on: 8 to 72 bytes.
	Current, New string
	// Client is where the request comes from.
	Client Client
}

// ChangePassword gives a signed-in user a new password and ends all their other
// sessions. It returns a *WeakPasswordError; ErrInvalidCredentials where Current
// is wrong, which counts as a failed sign-in; a *middleware.LimitError; ErrBusy;
// or ErrSessionExpired. To set a password without the current one, use
// SetPassword.
func (s *Service) ChangePassword(ctx context.Context, u *User, p PasswordChange) error {
	if err := password.Check(p.New); err != nil {
		return err
	}
	try, err := s.attempt(ctx, p.Client, u.collection, identityOf(u.Key))
	if err != nil {
		return err
	}
	after, err := s.changePassword(ctx, try, u, p)
	switch {
	case err == nil:
		try.succeed(ctx)
		signals.Announce(ctx, s.bus(), PasswordChanged{User: s.user(after, u.session)})
	case errors.Is(err, ErrInvalidCredentials):
	default:
		try.abandon(ctx)
	}
	return err
}

func (s *Service) changePassword(ctx context.Context, try *attempt, u *User, p PasswordChange) (record, error) {
	r, err := s.reread(ctx, u)
	if err != nil {
		return record{}, err
	}
	same, err := try.verify(ctx, r.password(), p.Current)
	if err != nil {
		return record{}, err
	}
	if !same {
		return record{}, ErrInvalidCredentials
	}
	hash, err := s.hasher.Hash(ctx, p.New)
	if err != nil {
		return record{}, err
	}
	proof := bson.D{{Key: fieldPassword, Value: r.password()}}
	set := bson.D{{Key: fieldPassword, Value: hash}, {Key: fieldPatched, Value: s.now()}}
	_, after, err := s.keepOnly(ctx, r, u.session.ID, proof, set)
	if errors.Is(err, errUnproven) {
		err = ErrInvalidCredentials // another one was set meanwhile
	}
	return after, err
}

// SetPassword gives a user a new password and ends all their sessions. It returns
// a *WeakPasswordError, ErrUserUnknown or ErrBusy.
func (s *Service) SetPassword(ctx context.Context, ref Ref, password string) error {
	_, err := s.Update(ctx, ref, bson.D{{Key: "$set", Value: bson.D{{Key: fieldPassword, Value: password}}}})
	return err
}
