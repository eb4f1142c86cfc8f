package password

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Defaults of a [Hasher], and the highest cost that it works at: 16 times the
// work of the default. A stored hash that asks for more could be used to hold
// the machine, and is treated as none.
const (
	DefaultCost = 12
	DefaultWait = 5 * time.Second
	MaxCost     = 16
)

// Hasher makes and checks bcrypt hashes, a few at a time. It is safe for
// concurrent use.
type Hasher struct {
	cost  int
	dummy []byte
	gate  *gate
	room  *room
}

// New returns a hasher that makes hashes of a cost (bcrypt.MinCost to MaxCost; 0
// is DefaultCost), as many at once as there are places (0 is GOMAXPROCS), and
// that lets a caller wait so long for a place (0 is DefaultWait). It returns all
// that is wrong with them.
func New(cost, places int, wait time.Duration) (*Hasher, error) {
	if cost == 0 {
		cost = DefaultCost
	}
	if places == 0 {
		places = runtime.GOMAXPROCS(0)
	}
	if wait == 0 {
		wait = DefaultWait
	}
	var errs []error
	if cost < bcrypt.MinCost || cost > MaxCost {
		errs = append(errs, fmt.Errorf("password: cost %d is not within %d and %d", cost, bcrypt.MinCost, MaxCost))
	}
	if places < 0 {
		errs = append(errs, fmt.Errorf("password: places %d is negative", places))
	}
	if wait < 0 {
		errs = append(errs, fmt.Errorf("password: wait %s is negative", wait))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Hasher{cost: cost, dummy: dummy(cost), gate: newGate(places, wait), room: newRoom(places * RoomPerPlace)}, nil
}

// dummy returns a hash whose check is the work of the cost, without the work of
// making one: salt and sum are zeroes, and nobody asks for the result.
func dummy(cost int) []byte {
	return fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat(".", 53))
}

// Hash returns the hash to store of a password that passed [Check]. It returns
// a *WeakError for one that is longer than MaxBytes, ErrBusy when no place
// became free in time, and ctx.Err() when ctx ended while it waited. A hash that
// is begun runs to its end.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxBytes {
		return "", &WeakError{Reasons: []Reason{TooLong}}
	}
	var hash []byte
	var failed error
	err := h.gate.do(ctx, func() {
		hash, failed = bcrypt.GenerateFromPassword([]byte(password), h.cost)
	})
	if err = errors.Join(err, failed); err != nil {
		return "", err
	}
	return string(hash), nil
}

// Verify reports whether a stored hash is that of the password. What is no
// bcrypt hash, or one of a cost above MaxCost, is answered with false after the
// work of a hash of the hasher's own cost. A hash of another cost takes its own
// time, which tells that the account is an old one: see [Hasher.NeedsRehash].
//
// Of a password only the first MaxBytes bytes count, as they did when old
// accounts were made. The errors are those of [Hasher.Hash] about waiting.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (bool, error) {
	_, known := costOf(stored)
	hash := []byte(stored)
	if !known {
		hash = h.dummy
	}
	var same bool
	err := h.gate.do(ctx, func() {
		same = bcrypt.CompareHashAndPassword(hash, []byte(password[:min(len(password), MaxBytes)])) == nil
	})
	return known && same && err == nil, err
}

// NeedsRehash reports whether a stored hash is not one that Hash would make now,
// so that it should be replaced after the next sign-in.
func (h *Hasher) NeedsRehash(stored string) bool {
	cost, known := costOf(stored)
	return !known || cost != h.cost
}

// form is a hash as bcrypt writes it: version, cost, 22 digits of salt and 31 of
// the sum. The versions 2a, 2b and 2y are one algorithm.
var form = regexp.MustCompile(`^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$`)

// costOf returns the cost of a stored hash; false when there is no hash of a
// cost that we would work at.
func costOf(stored string) (cost int, ok bool) {
	m := form.FindStringSubmatch(stored)
	if m == nil {
		return 0, false
	}
	cost, err := strconv.Atoi(m[1])
	return cost, err == nil && cost >= bcrypt.MinCost && cost <= MaxCost
}
