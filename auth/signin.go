package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/signals"
)

// methodPassword is the Method of events about sign-ins by password.
const methodPassword = "password"

// Credentials are what a person signs in with.
type Credentials struct {
	// Collection is where the user lives. Defaults to the default collection.
	Collection string
	// Key and Password are as the person typed them.
	Key, Password string
	// Query is a filter that the user must match, too. Defaults to nil: none.
	Query any
	// Client is where the request comes from.
	Client Client
}

// SignIn begins a session. It returns ErrInvalidCredentials, after the same work,
// for an unknown key, a wrong password, an account without a password and a query
// that does not match; ErrBanned once the password was right; a
// *middleware.LimitError after too many failures; ErrBusy; or an interceptor's
// veto.
func (s *Service) SignIn(ctx context.Context, c Credentials) (*Grant, error) {
	coll, err := s.collection(c.Collection)
	if err != nil {
		return nil, err
	}
	query, err := marshal(c.Query)
	if err != nil {
		return nil, err
	}
	if err := s.ready(); err != nil {
		return nil, err
	}
	try, err := s.attempt(ctx, c.Client, coll.Name(), identityOf(c.Key))
	if err != nil {
		return nil, err
	}
	grant, err := s.signIn(ctx, try, coll.Name(), c, query)
	switch {
	case err == nil:
		try.succeed(ctx)
		signals.Announce(ctx, s.bus(), SignedIn{User: grant.User, Method: methodPassword})
	case errors.Is(err, ErrInvalidCredentials), errors.Is(err, ErrBanned):
		signals.Announce(ctx, s.bus(), SignInFailed{
			Collection: coll.Name(), Key: printable(c.Key, maxKeyBytes), Err: err, Client: c.Client,
		})
	default:
		try.abandon(ctx)
	}
	return grant, err
}

func (s *Service) signIn(ctx context.Context, try *attempt, collection string, c Credentials, query bson.Raw) (*Grant, error) {
	r, err := s.prove(ctx, try, collection, c, query)
	if err != nil {
		return nil, err
	}
	if r.banned() {
		return nil, ErrBanned
	}
	asking := &SigningIn{User: s.user(r, Session{}), Method: methodPassword, Client: c.Client}
	if err := signals.Ask(ctx, s.bus(), asking); err != nil {
		return nil, err
	}
	grant, err := s.open(ctx, r, bson.D{{Key: fieldPassword, Value: r.password()}}, c.Client)
	if errors.Is(err, errUnproven) {
		return nil, ErrInvalidCredentials
	}
	return grant, err
}

// prove returns the user whose key and password these are and who matches the
// query. Whatever is wrong, it does the same work in the same order: a look-up,
// a hash, and where there is a query another look-up. That one is of nobody
// unless the password was right: what a query does on a user's document is for
// the user alone to see.
func (s *Service) prove(ctx context.Context, try *attempt, collection string, c Credentials, query bson.Raw) (record, error) {
	r, err := s.findOne(ctx, collection, bson.D{{Key: fieldIdentity, Value: identityOf(c.Key)}})
	if err != nil && !errors.Is(err, ErrUserUnknown) {
		return record{}, err
	}
	same, err := try.verify(ctx, r.password(), c.Password)
	if err != nil {
		return record{}, err
	}
	if !same {
		r = record{}
	}
	matches, err := s.matches(ctx, collection, r, query)
	if err != nil {
		return record{}, err
	}
	if !same || !matches {
		return record{}, ErrInvalidCredentials
	}
	return r, nil
}

// matches reports whether a user, who may be the empty record of nobody, matches
// a query. One that the database refuses, or cannot answer in time, matches
// nobody: an error would tell how far the sign-in came.
func (s *Service) matches(ctx context.Context, collection string, r record, query bson.Raw) (bool, error) {
	if isEmpty(query) {
		return true, nil
	}
	id := any(rand.Text()) // nobody's
	if r.raw != nil {
		id = r.id()
	}
	_, err := s.findOne(ctx, collection, narrowed(bson.D{{Key: fieldID, Value: id}}, query))
	if errors.Is(err, ErrUserUnknown) || !isCancelled(ctx) && isRefusal(err) {
		return false, nil
	}
	return err == nil, err
}

// isRefusal reports whether the database refused a query, lacks what it asks for
// or took too long over it, rather than being away.
func isRefusal(err error) bool {
	p := mongoerr.Problem(err)
	if err == nil || p == nil {
		return false
	}
	return p.Status < 500 || p.Status == http.StatusNotImplemented || p.Status == http.StatusGatewayTimeout
}
