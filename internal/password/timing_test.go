package password_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	timingCost   = 5 // a few milliseconds: a thousand times what all else takes
	timingTries  = 15
	timingRounds = 10 // the machine may do something else during one
)

// attempt is what is stored of an account, and what somebody tries.
type attempt struct{ name, stored, password string }

// The time of an answer must not tell an account that exists from one that does
// not, nor from one without a password.
func TestTimeDoesNotTellWhatIsStored(t *testing.T) { //nolint:paralleltest // it measures time
	const within = 0.10
	h := hasher(t, timingCost)
	stored, err := h.Hash(t.Context(), "the right one")
	if err != nil {
		t.Fatal(err)
	}
	base := attempt{"a wrong password", stored, "a wrong one"}
	open := []attempt{
		{"the right password", stored, "the right one"},
		{"a password of 100 KB", stored, strings.Repeat("long ", 20_000)},
	}
	for name, value := range notHashes() {
		open = append(open, attempt{name, value, "a wrong one"})
	}
	verify := func(a attempt) {
		if _, err := h.Verify(t.Context(), a.stored, a.password); err != nil {
			t.Fatal(err)
		}
	}
	for range timingRounds {
		times := quickOnes(append([]attempt{base}, open...), verify)
		var off []attempt
		for i, a := range open {
			if ratio := float64(times[i+1]) / float64(times[0]); ratio < 1-within || ratio > 1+within {
				t.Logf("%s takes %.2f times as long as a wrong password", a.name, ratio)
				off = append(off, a)
			}
		}
		if open = off; len(open) == 0 {
			return
		}
	}
	t.Errorf("after %d rounds, %d attempts are still told by their time", timingRounds, len(open))
}

// The first unknown account must not be slower than the ones after it: nothing
// is left to be prepared by it.
func TestFirstSigninIsAsFastAsTheOthers(t *testing.T) { //nolint:paralleltest // it measures time
	h := hasher(t, timingCost)
	verify := func(a attempt) {
		if a.name == "first" {
			h = hasher(t, timingCost)
		}
		if _, err := h.Verify(t.Context(), "", "12345678"); err != nil {
			t.Fatal(err)
		}
	}
	var ratio float64
	for range timingRounds {
		times := quickOnes([]attempt{{name: "first"}, {name: "second"}}, verify)
		if ratio = float64(times[0]) / float64(times[1]); ratio < 1.1 {
			return
		}
	}
	t.Errorf("the first sign-in takes %.2f times as long as the second", ratio)
}

// quickOnes returns the lower quartile of the times of each attempt. They are
// interleaved, so that what else the machine does meets all of them, and it shows
// in the slower times.
func quickOnes(attempts []attempt, verify func(attempt)) []time.Duration {
	times := make([][]time.Duration, len(attempts))
	for range timingTries {
		for i, a := range attempts {
			start := time.Now()
			verify(a)
			times[i] = append(times[i], time.Since(start))
		}
	}
	typical := make([]time.Duration, len(attempts))
	for i := range times {
		slices.Sort(times[i])
		typical[i] = times[i][timingTries/4]
	}
	return typical
}
