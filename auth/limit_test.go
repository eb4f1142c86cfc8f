package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/signals"
)

// limited returns options with the default limits.
func limited() *auth.Options { return &auth.Options{Cost: bcrypt.MinCost} }

// try signs in from an address and returns the answer.
func (g *gateway) try(key, password, address string) answer {
	g.t.Helper()
	r := post(prefix+"/signin", signinBody(key, password))
	r.address = address
	return g.do(r)
}

// expect fails the test unless an answer has a status and, for 429, a wait.
func expect(t *testing.T, what string, a answer, status int, wait time.Duration) {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s: %d, want %d\n%s", what, a.status, status, a.text)
	}
	if status != http.StatusTooManyRequests {
		return
	}
	if a.code() != "too_many_requests" || a.header.Get("Retry-After") != strconv.Itoa(int(wait/time.Second)) {
		t.Fatalf("%s: %q, Retry-After %q, want %s", what, a.code(), a.header.Get("Retry-After"), wait)
	}
}

func TestFailuresDelayAccountAndAddress(t *testing.T) {
	t.Parallel()
	const here, elsewhere = "203.0.113.5:1", "203.0.113.6:1"
	for _, key := range []string{"ada@example.com", "unknown@example.com"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, limited())
			g.signup("ada@example.com")
			for i := range 5 {
				expect(t, fmt.Sprint("failure ", i), g.try(key, "wrong horse", here), 401, 0)
			}
			wait := time.Second
			for range 12 {
				for range 3 {
					// Tries during a delay neither count nor extend it, not even good ones.
					expect(t, "during the delay", g.try(strings.ToUpper(key), pass, here), 429, wait)
				}
				g.clock.Add(wait - time.Millisecond)
				expect(t, "just before the end", g.try(key, "wrong horse", here), 429, time.Second)
				g.clock.Add(time.Millisecond)
				expect(t, "after the delay", g.try(key, "wrong horse", here), 401, 0)
				wait = min(2*wait, 15*time.Minute)
			}
			if key == "ada@example.com" {
				expect(t, "from elsewhere", g.try(key, pass, elsewhere), 200, 0)
			}
		})
	}
}

func TestSuccessClears(t *testing.T) {
	t.Parallel()
	g := newGateway(t, limited())
	g.signup("ada")
	for range 4 {
		for i := range 4 {
			expect(t, fmt.Sprint("failure ", i), g.try("ada", "wrong horse", ""), 401, 0)
		}
		expect(t, "success", g.try("ada", pass, ""), 200, 0)
		g.clock.Add(time.Minute) // the window of the address
	}
}

func TestSpreadFailuresDelayTheAccount(t *testing.T) {
	t.Parallel()
	o := limited()
	o.AccountLimit = middleware.Policy{Burst: 8, Window: time.Hour, MinDelay: time.Second, MaxDelay: time.Minute}
	g := newGateway(t, o)
	g.signup("ada")
	g.signup("bob")
	for i := range 8 {
		expect(t, fmt.Sprint("failure ", i), g.try("ada", "wrong horse", fmt.Sprintf("203.0.113.%d:1", i)), 401, 0)
	}
	expect(t, "from a new address", g.try("ada", pass, "203.0.113.99:1"), 429, time.Second)
	expect(t, "another account", g.try("bob", pass, "203.0.113.99:1"), 200, 0)
	g.clock.Add(time.Second)
	expect(t, "after the delay", g.try("ada", pass, "203.0.113.99:1"), 200, 0)
}

func TestAddressWindow(t *testing.T) {
	t.Parallel()
	o := limited()
	o.AddressLimit = middleware.Policy{Burst: 6, Window: time.Minute}
	g := newGateway(t, o)
	signup := func(i int, address string) answer {
		r := post("/join", fmt.Sprintf(`{"_key":"user%d"}`, i))
		r.address = address
		return g.do(r)
	}
	for i := range 6 {
		// One /64 network is one client.
		expect(t, fmt.Sprint("sign-up ", i), signup(i, fmt.Sprintf("[2001:db8:1:2::%d]:1", i)), 201, 0)
	}
	expect(t, "the seventh", signup(7, "[2001:db8:1:2:ffff::1]:1"), 429, time.Minute)
	expect(t, "sign-in of the same client", g.try("user0", pass, "[2001:db8:1:2:a::1]:1"), 429, time.Minute)
	expect(t, "another network", signup(8, "[2001:db8:1:3::1]:1"), 201, 0)
	// Nobody is believed who says that they come from elsewhere.
	r := post("/join", `{"_key":"liar"}`)
	r.address, r.header = "[2001:db8:1:2::1]:1", map[string]string{"X-Forwarded-For": "192.0.2.1", "X-Real-Ip": "192.0.2.1"}
	expect(t, "forged header", g.do(r), 429, time.Minute)
	g.clock.Add(time.Minute)
	expect(t, "the next minute", signup(9, "[2001:db8:1:2::1]:1"), 201, 0)
}

func TestWrongCurrentPasswordCounts(t *testing.T) {
	t.Parallel()
	g := newGateway(t, limited())
	g.signup("ada")
	in := g.signin("ada")
	change := func(current string) answer {
		r := post("/pass", `{"current":`+quote(current)+`,"new":"another horse"}`)
		r.bearer = in.access
		return g.do(r)
	}
	for i := range 5 {
		expect(t, fmt.Sprint("failure ", i), change("wrong horse"), 401, 0)
	}
	expect(t, "the right one during the delay", change(pass), 429, time.Second)
	expect(t, "sign-in during the delay", g.try("ada", pass, ""), 429, time.Second)
	g.clock.Add(time.Second)
	expect(t, "after the delay", change(pass), 204, 0)
	expect(t, "success clears", g.try("ada", "another horse", ""), 200, 0)
}

// Strangers cannot keep an owner out where they are signed in.
func TestOwnerIsNotLockedOut(t *testing.T) {
	t.Parallel()
	o := limited()
	o.AccountLimit = middleware.Policy{Burst: 8, Window: 24 * time.Hour, MinDelay: time.Minute, MaxDelay: time.Hour}
	o.SessionLifetime = 3 * time.Hour
	g := newGateway(t, o)
	g.signup("ada")
	const home = "203.0.113.99:1"
	expect(t, "at home", g.try("ada", pass, home), 200, 0)
	for i := range 8 {
		expect(t, fmt.Sprint("failure ", i), g.try("ada", "wrong horse", fmt.Sprintf("203.0.113.%d:1", i)), 401, 0)
	}
	expect(t, "from a new address", g.try("ada", pass, "203.0.113.100:1"), 429, time.Minute)
	expect(t, "at home", g.try("ada", pass, home), 200, 0)
	for i := range 5 {
		expect(t, fmt.Sprint("failure at home ", i), g.try("ada", "wrong horse", home), 401, 0)
	}
	expect(t, "failures at home count there", g.try("ada", pass, home), 429, time.Second)
	g.clock.Add(3 * time.Hour)
	for range 8 {
		g.try("ada", "wrong horse", "203.0.113.1:1")
	}
	g.clock.Add(time.Second)
	if a := g.try("ada", pass, home); a.status != http.StatusTooManyRequests {
		t.Errorf("once the session is over: %d", a.status)
	}
}

// A caller in Go that gives no address is not one client with all others.
func TestNoAddressHasNoAddressLimit(t *testing.T) {
	t.Parallel()
	r := &recorder{held: map[string]int{}}
	o := limited()
	o.Limiter = r
	g := newGateway(t, o)
	_, err := g.users.SignIn(t.Context(), auth.Credentials{Key: "ada", Password: pass})
	if !errors.Is(err, auth.ErrInvalidCredentials) || r.total() != 1 || r.held["auth\x00account\x00_USERS\x00ada"] != 1 {
		t.Errorf("SignIn = %v, places %v", err, r.held)
	}
}

// The limits are shared by all instances on one database.
func TestLimitsAreShared(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	one, two := newGatewayOn(t, db, limited()), newGatewayOn(t, db, limited())
	one.signup("ada")
	for i := range 5 {
		expect(t, fmt.Sprint("failure ", i), []*gateway{one, two}[i%2].try("ada", "wrong horse", ""), 401, 0)
	}
	expect(t, "one", one.try("ada", pass, ""), 429, time.Second)
	expect(t, "two", two.try("ada", pass, ""), 429, time.Second)
}

// However many try at once, no more are let through than there are places.
func TestLimitHoldsUnderAFlood(t *testing.T) {
	t.Parallel()
	g := newGateway(t, limited())
	g.signup("ada")
	var mu sync.Mutex
	count := map[int]int{}
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			a := g.try("ada", "wrong horse", "203.0.113.5:1")
			mu.Lock()
			defer mu.Unlock()
			count[a.status]++
		})
	}
	wg.Wait()
	if count[401] > 5 || count[401]+count[429] != 40 {
		t.Errorf("statuses = %v, want at most 5 times 401", count)
	}
}

// recorder is a Limiter that says what was asked of it.
type recorder struct {
	mu       sync.Mutex
	held     map[string]int
	cleared  int
	refuse   string // prefix of keys that are refused
	takeErr  error
	swept    chan struct{}
	takeHook func()
	slow     bool   // whether Take takes for ever
	address  string // of whom hold is called once for each try
	hold     func()
}

// during has something done while tries of addresses with a prefix are under way.
func (r *recorder) during(address string, hold func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address, r.hold = "auth\x00address\x00"+address, hold
}

func (r *recorder) Take(ctx context.Context, key string, _ middleware.Policy) error {
	if r.slow {
		<-ctx.Done()
		return ctx.Err()
	}
	if r.hold != nil && strings.HasPrefix(key, r.address) {
		r.hold()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.takeHook != nil {
		r.takeHook()
	}
	if r.takeErr != nil {
		return r.takeErr
	}
	if r.refuse != "" && len(key) >= len(r.refuse) && key[:len(r.refuse)] == r.refuse {
		return &middleware.LimitError{RetryAfter: 1500 * time.Millisecond}
	}
	r.held[key]++
	return nil
}

func (r *recorder) Release(_ context.Context, key string, _ middleware.Policy) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[key]--
	return nil
}

func (r *recorder) Clear(_ context.Context, keys ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		delete(r.held, key)
		r.cleared++
	}
	return nil
}

func (r *recorder) Sweep(context.Context) (int64, error) {
	select {
	case r.swept <- struct{}{}:
	default:
	}
	return 0, errors.New("this sweep fails")
}

// total returns how many places are held.
func (r *recorder) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, held := range r.held {
		n += held
	}
	return n
}

func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := []struct {
		name    string
		prepare func(*gateway, *recorder)
		body    string
		status  int
		held    int
	}{
		{name: "failure keeps them", body: signinBody("ada", "wrong horse"), status: 401, held: 3},
		{name: "success keeps the address's", body: signinBody("ada", pass), status: 200, held: 1},
		{name: "refused by the last", prepare: func(_ *gateway, r *recorder) { r.refuse = "auth\x00account" }, body: signinBody("ada", pass), status: 429},
		{name: "limiter broken", prepare: func(_ *gateway, r *recorder) { r.takeErr = broken }, body: signinBody("ada", pass), status: 500},
		{
			name: "vetoed", prepare: func(g *gateway, _ *recorder) {
				signals.Intercept(g.bus, func(context.Context, *auth.SigningIn) error { return broken })
			},
			body: signinBody("ada", pass), status: 500, held: 3,
		},
		{name: "malformed request takes none", body: `{"_key":"ada"}`, status: 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{held: map[string]int{}}
			o := limited()
			o.Limiter = r
			g := newGateway(t, o)
			g.signup("ada")
			r.mu.Lock()
			clear(r.held)
			if test.prepare != nil {
				test.prepare(g, r)
			}
			r.mu.Unlock()
			if a := g.do(post(prefix+"/signin", test.body)); a.status != test.status {
				t.Fatalf("%d, want %d\n%s", a.status, test.status, a.text)
			}
			if got := r.total(); got != test.held {
				t.Errorf("%d places held, want %d: %v", got, test.held, r.held)
			}
		})
	}
}

// A client that leaves has still had the password looked at.
func TestLeavingKeepsThePlaces(t *testing.T) {
	t.Parallel()
	r := &recorder{held: map[string]int{}}
	o := limited()
	o.Limiter = r
	g := newGateway(t, o)
	g.signup("ada")
	clear(r.held)
	ctx, cancel := context.WithCancel(t.Context())
	r.takeHook = cancel
	_, err := g.users.SignIn(ctx, auth.Credentials{Key: "ada", Password: pass, Client: auth.Client{Address: "192.0.2.1"}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("SignIn = %v", err)
	}
	if got := r.total(); got != 3 {
		t.Errorf("%d places held, want 3", got)
	}
}

func TestNoLimits(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	for range 120 {
		expect(t, "failure", g.try("ada", "wrong horse", ""), 401, 0)
	}
}
