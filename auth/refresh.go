package auth

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/signals"
)

// refreshGrace is how long a spent refresh token still gets its successor, while
// that is unspent: for tabs that race, and for answers that were lost.
const refreshGrace = 30 * time.Second

// maxRounds bounds how often an update is tried anew that others overtake. Each
// round is lost to one that got somewhere.
const maxRounds = 16

// errContended says that a user's document changed faster than it could be read.
var errContended = errors.New("auth: a user that changes without end")

// Refresh spends a refresh token and returns new tokens for the same session.
//
// Of requests that bring one token at the same time, all get the same successor.
// So does a token that comes again within 30 seconds, as long as its successor
// was not used. One that comes later was copied: the session ends, and the error
// is ErrRefreshTokenReused. A token that is not ours is ErrTokenInvalid and ends
// nothing; that of a session that is over is ErrSessionExpired.
func (s *Service) Refresh(ctx context.Context, refreshToken string, client Client) (*Grant, error) {
	ref, generation, err := s.readRefresh(refreshToken)
	if err != nil {
		return nil, err
	}
	now := s.now()
	for range maxRounds {
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
		switch {
		case generation > session.generation:
			return nil, ErrTokenInvalid // the database was set back to before it
		case generation == session.generation-1 && now.Sub(session.rotated) <= refreshGrace:
			return s.grant(r, session, now)
		case generation < session.generation:
			return nil, s.endReused(ctx, ref, client)
		}
		grant, err := s.rotate(ctx, r, session, now)
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return grant, err
		}
	}
	return nil, errContended
}

// rotate moves a session to its next generation. It returns mongo.ErrNoDocuments
// where another request was faster, or the session has ended.
func (s *Service) rotate(ctx context.Context, r record, session Session, now time.Time) (*Grant, error) {
	filter := bson.D{{Key: fieldID, Value: r.id()}, {Key: path(session.ID, "generation"), Value: session.generation}}
	session.generation++
	session.rotated = now
	after, err := s.updateOne(ctx, r.collection, filter, bson.D{{Key: "$set", Value: bson.D{
		{Key: path(session.ID, "generation"), Value: session.generation},
		{Key: path(session.ID, "rotated"), Value: session.rotated},
	}}})
	if err != nil {
		return nil, err
	}
	return s.grant(after, session, now)
}

// endReused ends a session whose spent token came again.
func (s *Service) endReused(ctx context.Context, ref sessionRef, client Client) error {
	ended, err := s.end(ctx, ref)
	if err != nil {
		return err
	}
	if ended {
		signals.Announce(ctx, s.bus(), RefreshTokenReused{
			Collection: ref.collection, UserID: ref.subject, SessionID: ref.session, Client: client,
		})
	}
	return ErrRefreshTokenReused
}
