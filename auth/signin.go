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
	waiting, leave, err := s.enter(ctx, c.Client)
	if err != nil {
		return nil, err
	}
	defer leave()
	r, try, err := s.approach(waiting, coll.Name(), c)
	if err != nil {
		return nil, late(ctx, err)
	}
	same, err := try.verify(waiting, r.password(), c.Password)
	if err != nil {
		try.abandon(ctx)
		return nil, late(ctx, err)
	}
	grant, err := s.signIn(ctx, r, same, c, query)
	if err != nil {
		s.announceFailure(ctx, coll.Name(), c, err)
		return nil, err
	}
	try.succeed(ctx)
	signals.Announce(ctx, s.bus(), SignedIn{User: grant.User, Method: methodPassword})
	return grant, nil
}

// announceFailure tells of a sign-in that the person is to blame for.
func (s *Service) announceFailure(ctx context.Context, collection string, c Credentials, err error) {
	if errors.Is(err, ErrInvalidCredentials) || errors.Is(err, ErrBanned) {
		signals.Announce(ctx, s.bus(), SignInFailed{
			Collection: collection, Key: printable(c.Key, maxKeyBytes), Err: err, Client: c.Client,
		})
	}
}

// approach finds the user who may be signing in, the empty record where there is
// none, and takes the places of the try.
func (s *Service) approach(ctx context.Context, collection string, c Credentials) (record, *attempt, error) {
	identity := identityOf(c.Key)
	r, err := s.findOne(ctx, collection, bson.D{{Key: fieldIdentity, Value: identity}})
	if err != nil && !errors.Is(err, ErrUserUnknown) {
		return record{}, nil, err
	}
	r.collection = collection
	try, err := s.attempt(ctx, c.Client, collection, identity, r)
	return r, try, err
}

// signIn makes the session of a user, if the password was the same.
func (s *Service) signIn(ctx context.Context, r record, same bool, c Credentials, query bson.Raw) (*Grant, error) {
	if err := s.prove(ctx, r, same, query); err != nil {
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

// prove returns ErrInvalidCredentials unless the password was the same and the
// user matches the query. Whatever is wrong, it does the same work. The query is
// put to nobody unless the password was right: what it does on a user's document
// is for the user alone to see.
func (s *Service) prove(ctx context.Context, r record, same bool, query bson.Raw) error {
	whom := record{collection: r.collection}
	if same {
		whom = r
	}
	matches, err := s.matches(ctx, whom, query)
	if err != nil {
		return err
	}
	if !same || !matches {
		return ErrInvalidCredentials
	}
	return nil
}

// matches reports whether a user, who may be the empty record of nobody, matches
// a query. One that the database refuses, or cannot answer in time, matches
// nobody: an error would tell how far the sign-in came.
func (s *Service) matches(ctx context.Context, r record, query bson.Raw) (bool, error) {
	if isEmpty(query) {
		return true, nil
	}
	id := any(rand.Text()) // nobody's
	if r.raw != nil {
		id = r.id()
	}
	_, err := s.findOne(ctx, r.collection, narrowed(bson.D{{Key: fieldID, Value: id}}, query))
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
