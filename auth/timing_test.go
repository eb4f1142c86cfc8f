package auth_test

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// Not parallel: it measures.
func TestSigninTakesTheSameTime(t *testing.T) { //nolint:paralleltest // see above
	o := fast()
	o.Cost = 9
	g := newGateway(t, o)
	g.signup("ada@example.com")
	g.want(post(prefix+"/signup", `{"_key":"bare@example.com"}`), 201, "")
	bodies := map[string]string{
		"unknown key":              signinBody("eve@example.com", "wrong horse"),
		"wrong password":           signinBody("ada@example.com", "wrong horse"),
		"account without password": signinBody("bare@example.com", "wrong horse"),
		"query does not match":     `{"_key":"ada@example.com","_password":` + quote(pass) + `,"query":{"n":1}}`,
		"unknown key with query":   `{"_key":"eve@example.com","_password":` + quote(pass) + `,"query":{"n":1}}`,
	}
	// A difference that tells something is there each time; one that the machine
	// makes is not.
	const rounds = 4
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

// measure returns the median of the quickest ten of 30 sign-ins with each body,
// made in turns: what other programs take from the machine shows in the others.
func measure(g *gateway, bodies map[string]string) map[string]time.Duration {
	g.t.Helper()
	took := map[string][]time.Duration{}
	names := slices.Sorted(maps.Keys(bodies))
	for range 30 {
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
