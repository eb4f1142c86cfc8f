package generation_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, sdksOwn())
}

// sdksOwn is a goroutine that the SDK's dependencies start when the program does.
func sdksOwn() goleak.Option {
	return goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start")
}
