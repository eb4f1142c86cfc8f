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
	waiting, leave, err := s.enter(ctx, p.Client)
	if err != nil {
		return err
	}
	defer leave()
	r, err := s.reread(waiting, u)
	if err != nil {
		return late(ctx, err)
	}
	try, err := s.attempt(waiting, p.Client, u.collection, identityOf(u.Key), r)
	if err != nil {
		return late(ctx, err)
	}
	hash, err := s.rehash(waiting, try, r, p)
	if err != nil {
		try.abandon(ctx)
		return late(ctx, err)
	}
	after, err := s.replacePassword(ctx, r, u.session.ID, hash)
	if err != nil {
		return err
	}
	try.succeed(ctx)
	signals.Announce(ctx, s.bus(), PasswordChanged{User: s.user(after, u.session)})
	return nil
}

// rehash checks the current password and returns the hash of the new one.
func (s *Service) rehash(ctx context.Context, try *attempt, r record, p PasswordChange) (string, error) {
	same, err := try.verify(ctx, r.password(), p.Current)
	if err != nil {
		return "", err
	}
	if !same {
		return "", ErrInvalidCredentials
	}
	return s.hasher.Hash(ctx, p.New)
}

// replacePassword stores a hash and ends all sessions but one.
func (s *Service) replacePassword(ctx context.Context, r record, session, hash string) (record, error) {
	proof := bson.D{{Key: fieldPassword, Value: r.password()}}
	set := bson.D{{Key: fieldPassword, Value: hash}, {Key: fieldPatched, Value: s.now()}}
	_, after, err := s.keepOnly(ctx, r, session, proof, set)
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
