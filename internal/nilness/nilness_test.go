package nilness_test

import (
	"errors"
	"testing"

	"github.com/imadelakhaldev/coglex/internal/nilness"
)

func TestIs(t *testing.T) {
	t.Parallel()
	var pointer *int
	var function func()
	var inside error
	rows := map[string]struct {
		value any
		want  bool
	}{
		"nothing":                 {nil, true},
		"a nil pointer":           {pointer, true},
		"a nil function":          {function, true},
		"a nil map":               {map[string]int(nil), true},
		"a nil slice":             {[]int(nil), true},
		"a nil channel":           {(chan int)(nil), true},
		"a nil interface":         {inside, true},
		"a pointer":               {new(int), false},
		"an error":                {errors.New("x"), false},
		"a struct":                {struct{}{}, false},
		"a map that is empty":     {map[string]int{}, false},
		"a zero that is no nil":   {0, false},
		"a slice that is empty":   {[]int{}, false},
		"a function that is some": {func() {}, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := nilness.Is(row.value); got != row.want {
				t.Errorf("Is = %v, want %v", got, row.want)
			}
		})
	}
}
