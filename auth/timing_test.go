package auth_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Not parallel: it measures.
func TestSigninTakesTheSameTime(t *testing.T) { //nolint:paralleltest // see above
	o := fast()
	o.Cost = costOf(t, 20*time.Millisecond)
	g := newGateway(t, o)
	g.signup("ada@example.com")
	g.want(post(prefix+"/signup", `{"_key":"bare@example.com"}`), 201, "")
	// What a query costs is no secret: whoever sends one knows that they did.
	for name, bodies := range map[string]map[string]string{ //nolint:paralleltest // they measure
		"without a query": {
			"unknown key":              signinBody("eve@example.com", "wrong horse"),
			"wrong password":           signinBody("ada@example.com", "wrong horse"),
			"account without password": signinBody("bare@example.com", "wrong horse"),
		},
		"with a query": {
			"unknown key":          `{"_key":"eve@example.com","_password":` + quote(pass) + `,"query":{"n":1}}`,
			"wrong password":       `{"_key":"ada@example.com","_password":"wrong horse","query":{"n":1}}`,
			"query does not match": `{"_key":"ada@example.com","_password":` + quote(pass) + `,"query":{"n":1}}`,
		},
	} {
		t.Run(name, func(t *testing.T) { takeTheSameTime(t, g, bodies) })
	}
}

// takeTheSameTime fails the test unless failures with these bodies take the same
// time. A difference that tells something is there each time; one that the machine
// makes is not, however busy it is.
func takeTheSameTime(t *testing.T, g *gateway, bodies map[string]string) {
	t.Helper()
	const rounds = 12
	for round := range rounds {
		medians := measure(g, bodies)
		shortest, longest := slices.Min(slices.Collect(maps.Values(medians))), slices.Max(slices.Collect(maps.Values(medians)))
		t.Logf("round %d: medians %v, ratio %.3f", round, medians, float64(longest)/float64(shortest))
		if float64(longest) <= 1.1*float64(shortest) {
			return
		}
	}
	t.Errorf("the medians differ by more than a tenth in each of %d rounds", rounds)
}

// costOf returns the least cost whose work takes so long here: what else a
// sign-in does is little beside it, and a slow machine is not kept for long.
func costOf(t *testing.T, least time.Duration) int {
	t.Helper()
	for cost := bcrypt.MinCost; ; cost++ {
		begun := time.Now()
		if _, err := bcrypt.GenerateFromPassword([]byte(pass), cost); err != nil {
			t.Fatal(err)
		}
		if time.Since(begun) >= least {
			return cost
		}
	}
}

// measure returns the median of the quickest seven of 20 sign-ins with each body,
// made in turns: what other programs take from the machine shows in the others.
func measure(g *gateway, bodies map[string]string) map[string]time.Duration {
	g.t.Helper()
	took := map[string][]time.Duration{}
	names := slices.Sorted(maps.Keys(bodies))
	for range 20 {
		for _, name := range names {
			begun := time.Now()
			g.want(post("/in", bodies[name]), 401, "invalid_credentials")
			took[name] = append(took[name], time.Since(begun))
		}
	}
	medians := map[string]time.Duration{}
	for name, times := range took {
		slices.Sort(times)
		medians[name] = times[len(times)/6]
	}
	return medians
}
