package auth_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/auth"
)

// 200 sign-ins at once, from as many addresses or from one: each is answered
// within the time that a password may wait, and nobody is shut out by another.
func TestTwoHundredSigninsAtOnce(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]func(i int) string{
		"from 200 addresses": func(i int) string { return fmt.Sprintf("203.0.113.%d:1", i) },
		"from one address":   func(int) string { return "203.0.113.1:1" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := limited()
			o.HashWait = 5 * time.Second
			g := newGateway(t, o)
			for i := range 10 {
				if _, err := g.users.SignUp(t.Context(), auth.Account{Key: fmt.Sprint("user", i), Password: pass}); err != nil {
					t.Fatal(err)
				}
			}
			count := map[int]int{}
			var slowest time.Duration
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() {
					begun := time.Now()
					a := g.try(fmt.Sprint("user", i%20), pass, from(i))
					mu.Lock()
					defer mu.Unlock()
					count[a.status]++
					slowest = max(slowest, time.Since(begun))
					if !slices.Contains([]int{200, 401, 429, 503}, a.status) || a.status >= 429 && a.header.Get("Retry-After") == "" {
						t.Errorf("%d %s", a.status, a.text)
					}
				})
			}
			wg.Wait()
			t.Logf("%v, the slowest after %s", count, slowest)
			if count[200] == 0 {
				t.Error("nobody got in")
			}
			if slowest > o.HashWait+2*time.Second {
				t.Errorf("the slowest answer took %s", slowest)
			}
		})
	}
}

// One address with a hundred sign-ins under way takes its share and no more.
func TestGreedyAddressStarvesNobody(t *testing.T) {
	t.Parallel()
	r := &recorder{held: map[string]int{}}
	o := limited()
	o.Limiter, o.HashPlaces = r, 1
	g := newGateway(t, o)
	g.signup("ada")
	inside, proceed := make(chan struct{}, 100), make(chan struct{})
	var refused, done int
	var mu sync.Mutex
	var wg sync.WaitGroup
	var calls atomic.Int64
	r.during("203.0.113.1", func() {
		if calls.Add(1) <= 4 {
			inside <- struct{}{}
			<-proceed
		}
	})
	waiting := make(chan struct{})
	for i := range 100 {
		wg.Go(func() {
			a := g.try(fmt.Sprint("user", i), pass, "203.0.113.1:1")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") == "1":
				if refused++; refused == 96 {
					close(waiting) // all have arrived, and those with a share are inside
				}
			case a.status == http.StatusUnauthorized:
				done++
			default:
				t.Errorf("%d %s", a.status, a.text)
			}
		})
	}
	for range 4 {
		<-inside
	}
	<-waiting
	expect(t, "an honest client meanwhile", g.try("ada", pass, "203.0.113.2:1"), http.StatusOK, 0)
	join := post("/join", signinBody("eve", pass))
	join.address = "203.0.113.1:1"
	before := r.total()
	expect(t, "a sign-up of the greedy one", g.do(join), http.StatusTooManyRequests, time.Second)
	if after := r.total(); after != before {
		t.Errorf("the sign-up holds places: %d, then %d", before, after)
	}
	close(proceed)
	wg.Wait()
	if refused != 96 || done != 4 {
		t.Errorf("%d refused and %d done, want 96 and 4", refused, done)
	}
}

// Those for whom there is no time are told so before anything is written.
func TestFullRoomWritesNothing(t *testing.T) {
	t.Parallel()
	r := &recorder{held: map[string]int{}}
	o := limited()
	o.Limiter, o.HashPlaces = r, 1
	g := newGateway(t, o)
	var inside sync.WaitGroup
	proceed := make(chan struct{})
	r.during("203.0.113", func() { inside.Done(); <-proceed })
	var wg sync.WaitGroup
	inside.Add(16)
	for i := range 16 {
		wg.Go(func() { expect(t, "one of 16", g.try("eve", pass, fmt.Sprintf("203.0.113.%d:1", i)), 401, 0) })
	}
	inside.Wait()
	before := r.total()
	expect(t, "one too many", g.try("ada", pass, "192.0.2.1:1"), http.StatusServiceUnavailable, 0)
	if after := r.total(); after != before {
		t.Errorf("%d places held, then %d", before, after)
	}
	close(proceed)
	wg.Wait()
	expect(t, "once there is room", g.try("ada", pass, "192.0.2.1:1"), http.StatusUnauthorized, 0)
}

// A database that does not answer costs a sign-in no more than the wait.
func TestSlowLimitsAreBusy(t *testing.T) {
	t.Parallel()
	r := &recorder{held: map[string]int{}}
	o := limited()
	o.Limiter, o.HashWait = r, time.Millisecond
	g := newGateway(t, o)
	r.slow = true
	a := g.want(post("/in", signinBody("ada", pass)), http.StatusServiceUnavailable, "busy")
	if a.header.Get("Retry-After") != "1" || r.total() != 0 {
		t.Errorf("Retry-After %q, places %v", a.header.Get("Retry-After"), r.held)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	r := &recorder{held: map[string]int{}}
	o := limited()
	o.Limiter, o.HashPlaces, o.HashWait, o.Cost = r, 1, 200*time.Millisecond, 10
	g := newGateway(t, o)
	g.want(post(prefix+"/signup", `{"_key":"ada"}`), http.StatusCreated, "")
	clear(r.held)
	var busy, done int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			a := g.try(fmt.Sprint("user", i), "wrong horse", fmt.Sprintf("192.0.2.%d:1", i))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case a.status == http.StatusUnauthorized:
				done++
			case a.status == http.StatusServiceUnavailable && a.code() == "busy" && a.header.Get("Retry-After") == "1":
				busy++
			default:
				t.Errorf("%d %s", a.status, a.text)
			}
		})
	}
	wg.Wait()
	if busy == 0 || done == 0 {
		t.Errorf("%d were turned away, %d done", busy, done)
	}
	if got := r.total(); got != 3*done {
		t.Errorf("%d places held after %d failures: those turned away must not count", got, done)
	}
}
