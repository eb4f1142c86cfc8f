package auth

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/token"
	"github.com/imadelakhaldev/coglex/middleware"
)

// sessionRef names a session as tokens do.
type sessionRef struct {
	collection, subject, session string
	id                           any // what subject stands for
}

// filter finds the user, by the one filter that is fast everywhere.
func (r sessionRef) filter() bson.D { return bson.D{{Key: fieldID, Value: r.id}} }

// Authenticate returns the user whose access token or cookie this is. It is for
// middleware.Authenticated: its errors are problems, with status 401 where it is
// the credential's fault. It costs one read, of the user by _id, so that the end
// of a session, a new password and the end of an account show at once.
func (s *Service) Authenticate(ctx context.Context, cred middleware.Credential) (middleware.Identity, error) {
	user, err := s.authenticate(ctx, cred)
	if err != nil {
		return nil, s.problem(err)
	}
	return user, nil
}

func (s *Service) authenticate(ctx context.Context, cred middleware.Credential) (*User, error) {
	now := s.now()
	ref, err := s.read(cred, now)
	if err != nil {
		return nil, err
	}
	r, err := s.findOne(ctx, ref.collection, ref.filter())
	if errors.Is(err, ErrUserUnknown) {
		return nil, ErrSessionExpired
	}
	if err != nil {
		return nil, err
	}
	session, ok := r.session(ref.session, now)
	if !ok || r.banned() {
		return nil, ErrSessionExpired
	}
	return s.user(r, session), nil
}

// read returns the session of a bearer token or a cookie. With ErrTokenExpired
// and ErrSessionExpired it returns the session too, for the token is genuine.
func (s *Service) read(cred middleware.Credential, now time.Time) (sessionRef, error) {
	signer, kind, tooOld := s.access, token.Access, ErrTokenExpired
	if cred.Cookie {
		signer, kind, tooOld = s.cookie, token.Cookie, ErrSessionExpired
	}
	claims, err := signer.Verify(cred.Token, kind, now)
	expired := errors.Is(err, token.ErrExpired)
	if err != nil && !expired {
		return sessionRef{}, ErrTokenInvalid
	}
	ref, err := s.ref(claims.Collection, claims.Subject, claims.Session)
	if err == nil && expired {
		err = tooOld
	}
	return ref, err
}

// readRefresh returns what a refresh token says.
func (s *Service) readRefresh(text string) (ref sessionRef, generation int64, err error) {
	t, err := s.refresher.Parse(text)
	if err != nil {
		return sessionRef{}, 0, ErrTokenInvalid
	}
	ref, err = s.ref(t.Collection, t.Subject, t.Session)
	return ref, t.Generation, err
}

// ref checks what a genuine token says: the host may have taken a collection off
// its list since.
func (s *Service) ref(collection, subject, session string) (sessionRef, error) {
	id, err := parseID(subject)
	if _, ok := s.collections[collection]; !ok || err != nil || !sessionID.MatchString(session) {
		return sessionRef{}, ErrTokenInvalid
	}
	return sessionRef{collection: collection, subject: subject, session: session, id: id}, nil
}
