package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/mongoerr"
	"github.com/imadelakhaldev/coglex/internal/password"
	"github.com/imadelakhaldev/coglex/middleware"
)

// attempt is a try to prove something, and the places that the limits gave it. It
// counts as a failure until it is released or has succeeded.
type attempt struct {
	s     *Service
	taken []limit
	spent bool // whether a password was looked at
}

// limit is a key of the limiter and the policy for it.
type limit struct {
	key    string
	policy middleware.Policy
	clears bool // whether a success forgets the key
}

// enter lets a try in that is to have a password hashed, or returns ErrBusy or,
// where its client has its share of tries under way, a *middleware.LimitError. All
// that comes before the hash, the wait for a place included, must be done before
// waiting ends: see late. The caller calls leave once.
func (s *Service) enter(ctx context.Context, client Client) (waiting context.Context, leave func(), err error) {
	share := s.opts.AddressAtOnce
	if s.limiter == nil {
		share = 0
	}
	out, err := s.hasher.Enter(addressKey(client), share)
	if errors.Is(err, password.ErrCrowded) {
		return nil, nil, &middleware.LimitError{RetryAfter: time.Second}
	}
	if err != nil {
		return nil, nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, s.opts.HashWait)
	return waiting, func() { cancel(); out() }, nil
}

// late returns ErrBusy for what did not end in time before a hash, unless the
// caller's own time is over, or the database is away.
func late(ctx context.Context, err error) error {
	if !isCancelled(ctx) && mongo.IsTimeout(err) && !mongoerr.IsUnavailable(err) {
		return ErrBusy
	}
	return err
}

// attempt takes the places of a try, or returns a *middleware.LimitError. An
// identity of "" is for tries that concern no account; r is the user whose
// account it is, or the empty record of nobody.
func (s *Service) attempt(ctx context.Context, client Client, collection, identity string, r record) (*attempt, error) {
	a := &attempt{s: s}
	if s.limiter == nil {
		return a, nil
	}
	for _, l := range s.limits(client, collection, identity, r) {
		if err := a.take(ctx, l); err != nil {
			a.release(ctx)
			return nil, err
		}
	}
	return a, nil
}

// limits returns what a try is counted under, the cheapest refusal first. The
// limit of the account is not for an address where its owner is signed in:
// strangers could keep them out.
func (s *Service) limits(client Client, collection, identity string, r record) []limit {
	var all []limit
	address := addressKey(client)
	if address != "" {
		all = append(all, limit{key: "auth\x00address\x00" + address, policy: s.opts.AddressLimit})
	}
	if identity == "" {
		return all
	}
	account := "\x00" + collection + "\x00" + identity
	if address != "" {
		all = append(all, limit{key: "auth\x00pair\x00" + address + account, policy: s.opts.PairLimit, clears: true})
	}
	if address != "" && r.isIn(address, s.now()) {
		return all
	}
	return append(all, limit{key: "auth\x00account" + account, policy: s.opts.AccountLimit, clears: true})
}

// isIn reports whether the user has a session that began at an address.
func (r record) isIn(address string, now time.Time) bool {
	return slices.ContainsFunc(r.sessions(), func(s Session) bool {
		return !s.over(now) && addressKey(Client{Address: s.Address}) == address
	})
}

// addressKey returns what a client is counted under, "" for one without address.
func addressKey(c Client) string {
	if c.Address == "" {
		return ""
	}
	return middleware.AddressKey(c.Address)
}

func (a *attempt) take(ctx context.Context, l limit) error {
	ctx, cancel := a.s.bound(ctx)
	defer cancel()
	if err := a.s.limiter.Take(ctx, l.key, l.policy); err != nil {
		return err
	}
	a.taken = append(a.taken, l)
	return nil
}

// verify compares a password, which uses the try up.
func (a *attempt) verify(ctx context.Context, stored, password string) (bool, error) {
	same, err := a.s.hasher.Verify(ctx, stored, password)
	a.spent = err == nil
	return same, err
}

// abandon gives the places back, unless a password was looked at, or the client
// gave up: what was done must not be had for nothing.
func (a *attempt) abandon(ctx context.Context) {
	if !a.spent && !isCancelled(ctx) {
		a.release(ctx)
	}
}

// release gives back the places of a try that was not made after all.
func (a *attempt) release(ctx context.Context) {
	a.settle(ctx, func(ctx context.Context, l limit) error { return a.s.limiter.Release(ctx, l.key, l.policy) })
}

// succeed forgets the failures of the account.
func (a *attempt) succeed(ctx context.Context) {
	a.settle(ctx, func(ctx context.Context, l limit) error {
		if !l.clears {
			return nil
		}
		return a.s.limiter.Clear(ctx, l.key)
	})
}

// settle does for each place what must be done though the client has left. Its
// failure costs places, which come back by themselves.
func (a *attempt) settle(ctx context.Context, do func(context.Context, limit) error) {
	ctx, cancel := a.s.bound(context.WithoutCancel(ctx))
	defer cancel()
	for _, l := range a.taken {
		if err := do(ctx, l); err != nil {
			a.s.log().LogAttrs(ctx, slog.LevelWarn, "auth: the limits could not be updated", slog.Any("error", err))
		}
	}
}
