package auth

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/signals"
)

// Sessions returns the sessions of a user, the oldest first. The one that u
// belongs to is marked.
func (s *Service) Sessions(ctx context.Context, u *User) ([]Session, error) {
	r, err := s.reread(ctx, u)
	if err != nil {
		return nil, err
	}
	now := s.now()
	live := []Session{}
	for _, session := range r.sessions() {
		if !session.over(now) {
			session.Current = session.ID == u.session.ID
			live = append(live, session)
		}
	}
	return live, nil
}

// EndSession ends a session of a user. It returns ErrSessionUnknown for one that
// the user does not have.
func (s *Service) EndSession(ctx context.Context, u *User, id string) error {
	ref, err := s.ref(u.collection, u.ID, id)
	if err != nil {
		return ErrSessionUnknown
	}
	ended, err := s.end(ctx, ref)
	if err != nil {
		return err
	}
	if !ended {
		return ErrSessionUnknown
	}
	signals.Announce(ctx, s.bus(), SignedOut{Collection: u.collection, UserID: u.ID, SessionID: id})
	return nil
}

// EndOtherSessions ends all sessions of a user but the one that u belongs to. It
// returns ErrSessionExpired where that one is over itself.
func (s *Service) EndOtherSessions(ctx context.Context, u *User) error {
	r, err := s.reread(ctx, u)
	if err != nil {
		return err
	}
	before, _, err := s.keepOnly(ctx, r, u.session.ID, nil, nil)
	if errors.Is(err, errUnproven) {
		return ErrSessionExpired // the account was deleted meanwhile
	}
	if err != nil {
		return err
	}
	for _, session := range before.sessions() {
		if session.ID != u.session.ID {
			signals.Announce(ctx, s.bus(), SignedOut{Collection: u.collection, UserID: u.ID, SessionID: session.ID})
		}
	}
	return nil
}

// keepOnly removes all sessions of a user but the one named, "" for all, in one
// update that may set further fields and have further conditions. The update
// holds the session as it was read, so it is made on the condition that nobody
// has refreshed it since, and tried anew otherwise. It returns the user as it was
// read for the update that succeeded, and as it is after it. It returns
// errUnproven where the conditions do not hold.
func (s *Service) keepOnly(ctx context.Context, r record, keep string, proof, set bson.D) (before, after record, err error) {
	now := s.now()
	for range maxRounds {
		filter := append(bson.D{{Key: fieldID, Value: r.id()}}, proof...)
		kept := bson.D{}
		if keep != "" {
			session, ok := r.session(keep, now)
			if !ok {
				return r, record{}, ErrSessionExpired
			}
			filter = append(filter, bson.E{Key: path(keep, "generation"), Value: session.generation})
			kept = bson.D{{Key: keep, Value: session.stored()}}
		}
		update := append(bson.D{{Key: fieldSessions, Value: kept}}, set...)
		after, err = s.updateOne(ctx, r.collection, filter, bson.D{{Key: "$set", Value: update}})
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return r, after, err
		}
		if r, err = s.findOne(ctx, r.collection, append(bson.D{{Key: fieldID, Value: r.id()}}, proof...)); err != nil {
			return r, record{}, unprovenIf(err)
		}
	}
	return r, record{}, errContended
}

// unprovenIf says that conditions do not hold where no user matches them.
func unprovenIf(err error) error {
	if errors.Is(err, ErrUserUnknown) {
		return errUnproven
	}
	return err
}

// reread returns the record of a user as it is now, or ErrSessionExpired where
// there is none any more.
func (s *Service) reread(ctx context.Context, u *User) (record, error) {
	id, err := parseID(u.ID)
	if _, ok := s.collections[u.collection]; !ok || err != nil {
		return record{}, ErrUserUnknown
	}
	r, err := s.findOne(ctx, u.collection, bson.D{{Key: fieldID, Value: id}})
	if errors.Is(err, ErrUserUnknown) {
		return record{}, ErrSessionExpired
	}
	return r, err
}
