package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/internal/token"
)

// Grant is what a person has once they are signed in.
type Grant struct {
	// User is who signed in; User.Session is the session.
	User *User
	// AccessToken is for the Authorization header, until ExpiresIn has passed.
	AccessToken string
	ExpiresIn   time.Duration
	// RefreshToken is for Refresh, once.
	RefreshToken string

	cookie string    // the session's own token, for browsers
	now    time.Time // when all this was made
}

// errUnproven says that what a session was to be made with holds no more.
var errUnproven = errors.New("auth: the proof does not hold any more")

// open makes a session for a user in one update, on the condition that what they
// proved still holds: proof is a part of the update's filter. The session is
// therefore made before or after whatever changes the proof, and what comes after
// ends it.
func (s *Service) open(ctx context.Context, r record, proof bson.D, client Client) (*Grant, error) {
	now := s.now()
	session := s.newSession(client, now)
	g, err := s.grant(r, session, now) // first, for there are ids that cannot be signed
	if err != nil {
		return nil, err
	}
	if err := s.repair(ctx, r); err != nil {
		return nil, err
	}
	filter := append(bson.D{{Key: fieldID, Value: r.id()}, notBanned()}, proof...)
	update := bson.D{{Key: "$set", Value: bson.D{{Key: path(session.ID), Value: session.stored()}}}}
	if gone := surplus(r.sessions(), now, s.opts.MaxSessions-1); len(gone) > 0 {
		update = append(update, unset(gone))
	}
	after, err := s.updateOne(ctx, r.collection, filter, update)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, errUnproven
	}
	if err != nil {
		return nil, err
	}
	g.User = s.user(after, session)
	return g, s.trim(ctx, after, now)
}

// repair removes what stands where the sessions should, and holds none.
func (s *Service) repair(ctx context.Context, r record) error {
	value := r.raw.Lookup(fieldSessions)
	if value.Type == 0 || value.Type == bson.TypeEmbeddedDocument {
		return nil
	}
	filter := bson.D{{Key: fieldID, Value: r.id()}, {Key: fieldSessions, Value: value}}
	_, err := s.updateOne(ctx, r.collection, filter, bson.D{{Key: "$unset", Value: bson.D{{Key: fieldSessions, Value: ""}}}})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil // another sign-in was faster
	}
	return err
}

// surplus returns which sessions must go, so that no more than keep stay: those
// that are over, and the oldest.
func surplus(sessions []Session, now time.Time, keep int) []string {
	var gone []string
	var live []Session
	for _, s := range sessions {
		if s.over(now) {
			gone = append(gone, s.ID)
		} else {
			live = append(live, s)
		}
	}
	for len(live) > keep {
		gone, live = append(gone, live[0].ID), live[1:]
	}
	return gone
}

// unset returns the operator that removes sessions.
func unset(ids []string) bson.E {
	fields := make(bson.D, len(ids))
	for i, id := range ids {
		fields[i] = bson.E{Key: path(id), Value: ""}
	}
	return bson.E{Key: "$unset", Value: fields}
}

// trim removes what is too much after sign-ins that ran at the same time, of
// which none saw the others. The last of them sees all, and every one removes in
// the same order, so that as many stay as may.
func (s *Service) trim(ctx context.Context, after record, now time.Time) error {
	gone := surplus(after.sessions(), now, s.opts.MaxSessions)
	if len(gone) == 0 {
		return nil
	}
	_, err := s.updateOne(ctx, after.collection, bson.D{{Key: fieldID, Value: after.id()}}, bson.D{unset(gone)})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil
	}
	return err
}

// updateOne updates one user and returns it as it is then. It returns
// mongo.ErrNoDocuments where the filter matches none.
func (s *Service) updateOne(ctx context.Context, collection string, filter, update any) (record, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	after := options.FindOneAndUpdate().SetReturnDocument(options.After)
	raw, err := s.collections[collection].FindOneAndUpdate(ctx, filter, update, after).Raw()
	if mongo.IsDuplicateKeyError(err) {
		return record{}, ErrKeyExists
	}
	return record{collection: collection, raw: raw}, err
}

// findOne returns one user, or ErrUserUnknown.
func (s *Service) findOne(ctx context.Context, collection string, filter any) (record, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	raw, err := s.collections[collection].FindOne(ctx, filter).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return record{}, ErrUserUnknown
	}
	return record{collection: collection, raw: raw}, err
}

// grant makes the tokens of a session.
func (s *Service) grant(r record, session Session, now time.Time) (*Grant, error) {
	g := &Grant{User: s.user(r, session), ExpiresIn: min(s.opts.AccessLifetime, session.Expires.Sub(now)), now: now}
	claims := token.Claims{
		Subject: g.User.ID, Session: session.ID, Collection: r.collection,
		ID: rand.Text(), Kind: token.Access, IssuedAt: now, Expires: now.Add(g.ExpiresIn),
	}
	var errs [3]error
	g.AccessToken, errs[0] = s.access.Sign(claims)
	claims.ID, claims.Kind, claims.Expires = rand.Text(), token.Cookie, session.Expires
	g.cookie, errs[1] = s.cookie.Sign(claims)
	g.RefreshToken, errs[2] = s.refresher.Mint(token.Refresh{
		Collection: r.collection, Subject: g.User.ID, Session: session.ID, Generation: session.generation,
	})
	return g, errors.Join(errs[:]...)
}
