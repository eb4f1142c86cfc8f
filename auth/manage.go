package auth

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/signals"
)

// Ref names a user.
type Ref struct {
	// Collection is where the user lives. Defaults to the default collection.
	Collection string
	// Key is the user's key, in any of the forms that are the same.
	Key string
	// ID is the user's _id in its text form, and goes before Key.
	ID string
	// Query is a filter that the user must match, too. Defaults to nil: none.
	Query any
}

// User returns a user, or ErrUserUnknown.
func (s *Service) User(ctx context.Context, ref Ref) (*User, error) {
	r, _, err := s.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	return s.user(r, Session{}), nil
}

// locate returns the record that a Ref names, and the filter under which it may
// be written.
func (s *Service) locate(ctx context.Context, ref Ref) (record, any, error) {
	coll, err := s.collection(ref.Collection)
	if err != nil {
		return record{}, nil, err
	}
	query, err := marshal(ref.Query)
	if err != nil {
		return record{}, nil, err
	}
	filter := bson.D{{Key: fieldIdentity, Value: identityOf(ref.Key)}}
	if ref.ID != "" {
		id, err := parseID(ref.ID)
		if err != nil {
			return record{}, nil, ErrUserUnknown
		}
		filter = bson.D{{Key: fieldID, Value: id}}
	} else if err := s.ready(); err != nil {
		return record{}, nil, err
	}
	r, err := s.findOne(ctx, coll.Name(), narrowed(filter, query))
	if err != nil {
		return record{}, nil, err
	}
	return r, narrowed(bson.D{{Key: fieldID, Value: r.id()}}, query), nil
}

// Delete deletes an account, and with it its sessions. It returns ErrUserUnknown
// or an interceptor's veto.
func (s *Service) Delete(ctx context.Context, ref Ref) error {
	r, filter, err := s.locate(ctx, ref)
	if err != nil {
		return err
	}
	if err := signals.Ask(ctx, s.bus(), &Deleting{User: s.user(r, Session{})}); err != nil {
		return err
	}
	deleted, err := s.deleteOne(ctx, r.collection, filter)
	if err != nil {
		return err
	}
	signals.Announce(ctx, s.bus(), Deleted{User: s.user(deleted, Session{})})
	return nil
}

func (s *Service) deleteOne(ctx context.Context, collection string, filter any) (record, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	raw, err := s.collections[collection].FindOneAndDelete(ctx, filter, options.FindOneAndDelete()).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = ErrUserUnknown
	}
	return record{collection: collection, raw: raw}, err
}

// Ban closes an account: its sessions end, and a sign-in with the right password
// is ErrBanned. It returns ErrUserUnknown.
func (s *Service) Ban(ctx context.Context, ref Ref) error {
	return s.setBan(ctx, ref, func(set, unset bson.D) (bson.D, bson.D) {
		return append(set, bson.E{Key: fieldBanned, Value: true}), append(unset, bson.E{Key: fieldSessions, Value: ""})
	})
}

// Unban opens an account again. It returns ErrUserUnknown.
func (s *Service) Unban(ctx context.Context, ref Ref) error {
	return s.setBan(ctx, ref, func(set, unset bson.D) (bson.D, bson.D) {
		return set, append(unset, bson.E{Key: fieldBanned, Value: ""})
	})
}

func (s *Service) setBan(ctx context.Context, ref Ref, change func(set, unset bson.D) (bson.D, bson.D)) error {
	r, filter, err := s.locate(ctx, ref)
	if err != nil {
		return err
	}
	set, unset := change(bson.D{{Key: fieldPatched, Value: s.now()}}, nil)
	after, err := s.updateOne(ctx, r.collection, filter, bson.D{{Key: "$set", Value: set}, {Key: "$unset", Value: unset}})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return ErrUserUnknown
	}
	if err != nil {
		return err
	}
	signals.Announce(ctx, s.bus(), Changed{User: s.user(after, Session{})})
	return nil
}
