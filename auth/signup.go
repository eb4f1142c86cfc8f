package auth

import (
	"cmp"
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/signals"
)

// Account is what a person signs up with.
type Account struct {
	// Collection is where the user will live. Defaults to the default collection.
	Collection string
	// Key is the name of the account, unique in its collection: 1 to 320 bytes
	// after trimming, without control and formatting characters. Keys with an "@" that differ in
	// case only are the same.
	Key string
	// Password has 8 to 72 bytes. Without one, nobody can sign in by password.
	// Defaults to "": none.
	Password string
	// Document holds further fields: a bson.D, a map or a struct. It may have
	// reserved fields of the gateway's own, but none of this package's. Defaults
	// to nil: none.
	Document any
	// Client is where the request comes from.
	Client Client
}

// SignUp makes an account. It returns a *KeyError, ErrKeyReserved, a
// *WeakPasswordError or a *FieldError for what it cannot take, ErrKeyExists, a
// *middleware.LimitError, ErrBusy, or an interceptor's veto.
func (s *Service) SignUp(ctx context.Context, a Account) (*User, error) {
	coll, err := s.collection(a.Collection)
	if err != nil {
		return nil, err
	}
	asking, err := signingUp(coll.Name(), a)
	if err != nil {
		return nil, err
	}
	if err := s.ready(); err != nil {
		return nil, err
	}
	try, err := s.attempt(ctx, a.Client, coll.Name(), "", record{})
	if err != nil {
		return nil, err
	}
	user, err := s.signUp(ctx, asking, a.Password)
	if limit := (*middleware.LimitError)(nil); errors.Is(err, ErrBusy) || errors.As(err, &limit) {
		try.release(ctx)
	}
	if err != nil {
		return nil, err
	}
	signals.Announce(ctx, s.bus(), SignedUp{User: user, Client: a.Client})
	return user, nil
}

// signingUp checks an account before anything is done for it.
func signingUp(collection string, a Account) (*SigningUp, error) {
	key, err := checkKey(a.Key)
	if err != nil {
		return nil, err
	}
	if a.Password != "" {
		if err := password.Check(a.Password); err != nil {
			return nil, err
		}
	}
	raw, err := marshal(a.Document)
	if err != nil {
		return nil, err
	}
	var doc bson.D
	if raw != nil {
		if err := bson.Unmarshal(raw, &doc); err != nil {
			return nil, err
		}
	}
	return &SigningUp{Collection: collection, Key: key, Document: doc, Client: a.Client}, checkDocument(doc)
}

func (s *Service) signUp(ctx context.Context, asking *SigningUp, secret string) (*User, error) {
	collection, key := asking.Collection, asking.Key
	if err := s.checkFree(ctx, collection, key); err != nil {
		return nil, err
	}
	if err := signals.Ask(ctx, s.bus(), asking); err != nil {
		return nil, err
	}
	if err := checkDocument(asking.Document); err != nil {
		return nil, intercepted(err)
	}
	doc := bson.D{
		{Key: fieldID, Value: primitive.NewObjectID().Hex()}, {Key: fieldKey, Value: key}, {Key: fieldIdentity, Value: identityOf(key)},
	}
	if secret != "" {
		done, err := s.turn(ctx, collection, key)
		if err != nil {
			return nil, err
		}
		defer done()
		waiting, leave, err := s.enter(ctx, asking.Client)
		if err != nil {
			return nil, err
		}
		defer leave()
		hash, err := s.hasher.Hash(waiting, secret)
		if err != nil {
			return nil, late(ctx, err)
		}
		doc = append(doc, bson.E{Key: fieldPassword, Value: hash})
	}
	doc = append(doc, asking.Document...)
	return s.insert(ctx, collection, append(doc, bson.E{Key: fieldInserted, Value: s.now()}))
}

// turn waits until no other sign-up of the same key is hashing its password, and
// the key is free still: of a crowd that wants one key, one has its password
// hashed. The caller calls done when it has stored the user, or given up.
func (s *Service) turn(ctx context.Context, collection, key string) (done func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, s.opts.HashWait)
	defer cancel()
	account, mine := collection+"\x00"+identityOf(key), make(chan struct{})
	for {
		if err := s.checkFree(ctx, collection, key); err != nil {
			return nil, err
		}
		other, taken := s.turns.LoadOrStore(account, mine)
		if !taken {
			return func() { s.turns.Delete(account); close(mine) }, nil
		}
		select {
		case <-other.(chan struct{}): //nolint:errcheck // nothing else is stored
		case <-waiting.Done():
			return nil, cmp.Or(ctx.Err(), ErrBusy)
		}
	}
}

// checkFree returns ErrKeyExists where an account has the key.
func (s *Service) checkFree(ctx context.Context, collection, key string) error {
	_, err := s.findOne(ctx, collection, bson.D{{Key: fieldIdentity, Value: identityOf(key)}})
	if errors.Is(err, ErrUserUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrKeyExists
}

// insert stores a new user. The unique index has the last word on the key.
func (s *Service) insert(ctx context.Context, collection string, doc bson.D) (*User, error) {
	raw, err := bson.Marshal(doc)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if _, err := s.collections[collection].InsertOne(ctx, raw); err != nil {
		if mongo.IsDuplicateKeyError(err) {
			return nil, ErrKeyExists
		}
		return nil, err
	}
	return s.user(record{collection: collection, raw: raw}, Session{}), nil
}
