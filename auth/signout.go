package auth

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/signals"
)

// SignOut ends the session of a token: an access token or a cookie, even if
// expired, or a refresh token. Ending what is over already is no error. It
// returns ErrTokenInvalid for a token that is not ours.
func (s *Service) SignOut(ctx context.Context, token string) error {
	now := s.now()
	ref, _, err := s.readRefresh(token)
	for _, cookie := range []bool{false, true} {
		if errors.Is(err, ErrTokenInvalid) {
			ref, err = s.readEvenExpired(middleware.Credential{Token: token, Cookie: cookie}, now)
		}
	}
	if err != nil {
		return err
	}
	return s.signOut(ctx, ref)
}

// readEvenExpired is read, to which a genuine token is good whatever its age.
func (s *Service) readEvenExpired(cred middleware.Credential, now time.Time) (sessionRef, error) {
	ref, err := s.read(cred, now)
	if errors.Is(err, ErrTokenExpired) || errors.Is(err, ErrSessionExpired) {
		err = nil
	}
	return ref, err
}

func (s *Service) signOut(ctx context.Context, ref sessionRef) error {
	ended, err := s.end(ctx, ref)
	if ended {
		signals.Announce(ctx, s.bus(), SignedOut{Collection: ref.collection, UserID: ref.subject, SessionID: ref.session})
	}
	return err
}

// end removes a session, and reports whether it was there.
func (s *Service) end(ctx context.Context, ref sessionRef) (bool, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	res, err := s.collections[ref.collection].UpdateOne(ctx, ref.filter(), bson.D{unset([]string{ref.session})})
	if err != nil {
		return false, err
	}
	return res.ModifiedCount == 1, nil
}
