package payment

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestLaterGivesWhatIsDueOnce(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	var l later
	l.add("evt_1", noon)
	l.add("evt_2", noon.Add(time.Second))
	l.add("evt_3", noon.Add(time.Minute))
	for _, step := range []struct {
		at   time.Time
		want []string
	}{
		{noon.Add(-1), nil},
		{noon, []string{"evt_1"}},
		{noon.Add(time.Minute), []string{"evt_2", "evt_3"}},
		{noon.Add(time.Hour), nil},
	} {
		got := l.take(step.at)
		slices.Sort(got)
		if !slices.Equal(got, step.want) {
			t.Errorf("at %v: %v, want %v", step.at, got, step.want)
		}
	}
	for i := range 2 * maxLater {
		l.add(strconv.Itoa(i), noon)
	}
	if n := len(l.take(noon)); n != maxLater {
		t.Errorf("%d are remembered, want %d", n, maxLater)
	}
}
