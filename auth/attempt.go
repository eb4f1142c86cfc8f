package auth

import (
	"context"
	"log/slog"

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

// attempt takes the places of a try, or returns a *middleware.LimitError. An
// identity of "" is for tries that concern no account.
func (s *Service) attempt(ctx context.Context, client Client, collection, identity string) (*attempt, error) {
	a := &attempt{s: s}
	if s.limiter == nil {
		return a, nil
	}
	for _, l := range s.limits(client, collection, identity) {
		if err := a.take(ctx, l); err != nil {
			a.release(ctx)
			return nil, err
		}
	}
	return a, nil
}

// limits returns what a try is counted under, the cheapest refusal first.
func (s *Service) limits(client Client, collection, identity string) []limit {
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
	return append(all, limit{key: "auth\x00account" + account, policy: s.opts.AccountLimit, clears: true})
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
	for _, l := range a.taken {
		a.settle(ctx, func(ctx context.Context) error { return a.s.limiter.Release(ctx, l.key, l.policy) })
	}
}

// succeed forgets the failures of the account.
func (a *attempt) succeed(ctx context.Context) {
	for _, l := range a.taken {
		if l.clears {
			a.settle(ctx, func(ctx context.Context) error { return a.s.limiter.Clear(ctx, l.key) })
		}
	}
}

// settle does what must be done though the client has left. Its failure costs a
// place, which comes back by itself.
func (a *attempt) settle(ctx context.Context, do func(context.Context) error) {
	ctx, cancel := a.s.bound(context.WithoutCancel(ctx))
	defer cancel()
	if err := do(ctx); err != nil {
		a.s.log().LogAttrs(ctx, slog.LevelWarn, "auth: the limits could not be updated", slog.Any("error", err))
	}
}
